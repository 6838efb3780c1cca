// The OMS as bytes: for snapshots and the state hash.
#include <algorithm>

#include "oms/oms.h"

namespace openbell {
namespace {

void expect_room(u64 found, u64 room, const char* setting) {
    if (found <= room) return;
    throw Error(ErrorKind::Capacity, "OMS snapshot: expected at most " + std::to_string(room) + ", found " +
                                         std::to_string(found) + "; raise " + setting);
}

void expect_same(u32 found, u32 expected, const char* setting) {
    if (found == expected) return;
    throw Error(ErrorKind::Snapshot, std::string("OMS snapshot: expected ") + setting + " " + std::to_string(expected) +
                                         ", found " + std::to_string(found) +
                                         "; recover with the capacity of the run that wrote it");
}

}  // namespace

void Oms::save(StateWriter& w) const {
    w.put(node_);
    w.put(epoch_);
    w.put(capacity_.strategies_max);
    w.put(capacity_.instruments_max);
    for (u32 counter : counters_of_) w.put(counter);
    w.put(orders_.live());
    for (u32 s = orders_.first_live(); s != LiveOrders::kNone; s = orders_.next(s)) w.put(orders_[s]);
    w.put(orders_.ended());
    for (u32 s = orders_.first_ended(); s != LiveOrders::kNone; s = orders_.next(s)) w.put(orders_[s]);
    fees_.save(w);
    w.put(fills_.size());
    for (u32 i = 0; i < fills_.size(); ++i) w.put(fills_.oldest(i));
    u64 used = 0;
    for (const Cell& c : cells_) used += c.position.fills != 0;
    w.put(used);
    for (std::size_t i = 0; i < cells_.size(); ++i) {
        const Position& p = cells_[i].position;
        if (p.fills == 0) continue;  // and so there is nothing: audit_positions
        w.put(u64(i));
        w.put(p);
    }
    w.put(counters_);
}

void Oms::load(StateReader& r) {
    node_ = r.get<u32>();
    epoch_ = r.get<u32>();
    expect_same(r.get<u32>(), capacity_.strategies_max, "strategies_max");
    expect_same(r.get<u32>(), capacity_.instruments_max, "instruments_max");
    for (u32& counter : counters_of_) counter = r.get<u32>();
    orders_.clear();
    fills_.clear();
    std::fill(cells_.begin(), cells_.end(), Cell{});
    std::fill(orders_of_.begin(), orders_of_.end(), 0);
    std::fill(own_touch_.begin(), own_touch_.end(), OwnTouch{});
    for (const bool are_live : {true, false}) load_orders(r, are_live);
    fees_.load(r);
    const u32 fills = r.get<u32>();
    expect_room(fills, fills_.capacity(), "fills_max");
    for (u32 i = 0; i < fills; ++i) {
        const auto fill = r.get<Fill>();
        expect_room(fill.strategy + u64(1), capacity_.strategies_max, "strategies_max");
        expect_room(fill.instrument + u64(1), capacity_.instruments_max, "instruments_max");
        fills_.remember(fill);
    }
    const u64 used = r.get<u64>();
    for (u64 i = 0; i < used; ++i) {
        const u64 at_cell = r.get<u64>();
        expect_room(at_cell, cells_.size() - 1, "instruments_max");
        cells_[at_cell].position = r.get<Position>();
    }
    counters_ = r.get<Counters>();
}

void Oms::load_orders(StateReader& r, bool are_live) {
    const u32 count = r.get<u32>();
    expect_room(orders_.live() + orders_.ended() + u64(count), orders_.capacity(), "orders_max");
    for (u32 i = 0; i < count; ++i) {
        const auto order = r.get<LiveOrder>();
        expect_room(order.strategy + u64(1), capacity_.strategies_max, "strategies_max");
        expect_room(order.instrument + u64(1), capacity_.instruments_max, "instruments_max");
        const u32 slot = orders_.add(order.cl_ord_id, order.instrument);
        orders_[slot] = order;
        if (!are_live) orders_.retire(slot);
        add_exposure(order, +1);
    }
}

}  // namespace openbell
