#include "exchange/live_orders.h"

namespace openbell::exchange {
namespace {

constexpr LiveOrder kBlank{};
constexpr std::size_t kDrafts = 2;  // beside what the engine holds: an order that arrives, and a replace of it

}  // namespace

LiveOrders::LiveOrders(std::size_t orders_max) : slab_(orders_max + kDrafts + 1, "orders_max") {
    free_.reserve(orders_max + kDrafts);
}

LiveOrder& LiveOrders::take(u32 account) {
    u32 slot = fresh_;
    if (free_.empty()) {
        if (slot == slab_.size())
            throw Error(ErrorKind::Invariant, "venue: expected room for each order of the engine");
        ++fresh_;
    } else {
        slot = free_.back();
        free_.pop_back();
    }
    LiveOrder& order = slab_[slot];
    order = kBlank;
    order.number = ++last_number_;
    order.slot = slot;
    order.account = account;
    return order;
}

void LiveOrders::give_back(LiveOrder& order) {
    free(order);
    --last_number_;
}

void LiveOrders::free(LiveOrder& order) {
    order.number = 0;
    free_.push_back(order.slot);
}

void LiveOrders::join(List& list, LiveOrder& order, u32 before) {
    order.newer = before;
    order.older = before ? slab_[before].older : list.newest;
    (order.older ? slab_[order.older].newer : list.oldest) = order.slot;
    (before ? slab_[before].older : list.newest) = order.slot;
}

void LiveOrders::leave(List& list, LiveOrder& order) {
    (order.older ? slab_[order.older].newer : list.oldest) = order.newer;
    (order.newer ? slab_[order.newer].older : list.newest) = order.older;
}

// Slots are not part of it: they say how the orders came, not what they are.
void save(StateWriter& out, const LiveOrder& o) {
    out.put(o.number);
    out.put(o.prev_number);
    out.put(o.ref);
    out.put(o.account);
    out.put(o.instrument);
    out.put(o.side);
    out.put(o.status);
    for (i64 value : {o.qty, o.cum_qty, o.leaves_qty, o.entered_ns, o.expires_ns}) out.put(value);
    out.put(o.mark);
    out.put(o.name);
    out.put(o.prev_name);
    const Terms& t = o.terms;
    for (i64 value : {t.px, t.qty, t.display, t.min_qty, t.stop_px, t.peg_offset}) out.put(value);
    for (u8 value : {u8(t.tif), u8(t.type), u8(t.post_only), u8(t.peg), u8(t.self_trade), u8(t.keeps_place)})
        out.put(value);
    out.put(t.group);
    const Words& w = o.words;
    out.put(w.cl_ord_id);
    out.put(w.firm);
    for (u32 value : {w.user_ref, w.tif, w.px, w.qty, w.min_qty, w.max_floor, w.expire_s, u32(w.peg_offset),
                      u32(w.group), u32(w.channel)})
        out.put(value);
    for (char letter : {w.side, w.display, w.capacity, w.iso, w.cross, w.customer, w.price_type, w.post_only})
        out.put(letter);
}

}  // namespace openbell::exchange
