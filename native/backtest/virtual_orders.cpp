// The orders of ours inside the virtual venue: their table, their queues, their reports, their snapshot.
#include <string>

#include "backtest/virtual_venue.h"

namespace openbell {

using ladder::key_of;

namespace {
constexpr u32 kNone = Books::kNone;
}

u32 VirtualVenue::slot_of(u64 cl_ord_id) const {
    return own_table_.find(book::OrderTable::mark_of(cl_ord_id, 0),
                           [&](u32 index) { return own_[index].cl_ord_id == cl_ord_id; });
}

u32 VirtualVenue::open(const Order& command) {
    const u32 index = free_own_;
    Own& own = own_[index];
    free_own_ = own.next;
    ++own_count_;
    own = {.cl_ord_id = command.cl_ord_id,
           .order_id = ++order_ids_,
           .stamp = ++stamps_,
           .px = command.px,
           .leaves = command.qty,
           .executed = 0,
           .instrument = command.instrument,
           .version = command.version,
           .next = kNone,
           .prev = kNone,
           .side = Side(command.side),
           .is_queued = false,
           .pad = {}};
    own_table_.insert(slot_of(own.cl_ord_id), book::OrderTable::mark_of(own.cl_ord_id, 0), index);
    return index;
}

void VirtualVenue::close(u32 index) {
    if (own_[index].is_queued) unlink(index);
    own_table_.erase(slot_of(own_[index].cl_ord_id));
    own_[index].next = free_own_;
    free_own_ = index;
    --own_count_;
}

// Behind every better price and every earlier one at its own: a strategy has few orders a side, so a walk will do.
void VirtualVenue::link(u32 index) {
    Own& own = own_[index];
    u32* from = &lanes_[own.instrument].first[own.side == Side::Buy ? 0 : 1];
    own.prev = kNone;
    while (*from != kNone) {
        Own& other = own_[*from];
        const i64 key = key_of(own.side, own.px);
        const i64 other_key = key_of(own.side, other.px);
        if (key > other_key || (key == other_key && own.stamp < other.stamp)) break;
        own.prev = *from;
        from = &other.next;
    }
    own.next = *from;
    if (own.next != kNone) own_[own.next].prev = index;
    *from = index;
    own.is_queued = true;
}

void VirtualVenue::unlink(u32 index) {
    Own& own = own_[index];
    if (own.prev == kNone) {
        lanes_[own.instrument].first[own.side == Side::Buy ? 0 : 1] = own.next;
    } else {
        own_[own.prev].next = own.next;
    }
    if (own.next != kNone) own_[own.next].prev = own.prev;
    own.is_queued = false;
}

i64 VirtualVenue::queue_ahead(u64 cl_ord_id) const {
    const u32 index = find(cl_ord_id);
    if (index == kNone) return -1;
    const Own& own = own_[index];
    i64 qty = 0;
    displayed_.walk_level(own.instrument, own.side, own.px, [&](const Shown& order) {
        if (order.stamp > own.stamp) return false;
        qty += order.qty;
        return true;
    });
    for (u32 at = own.prev; at != kNone && own_[at].px == own.px; at = own_[at].prev) qty += own_[at].leaves;
    return qty;
}

// ---- reports -------------------------------------------------------------------------------------

Report& VirtualVenue::report(Type type, const Own& own) {
    Report r{};
    r.type = u8(type);
    r.side = u8(own.side);
    r.instrument = own.instrument;
    r.ts_event = now_;
    r.cl_ord_id = own.cl_ord_id;
    r.order_id = own.order_id;
    r.px = own.px;
    r.leaves_qty = own.leaves;
    r.version = own.version;
    return reports_.emplace_back(r);
}

void VirtualVenue::report_terms(Type type, const Own& own, u32 prev_version) {
    report(type, own).prev_version = prev_version;
}

void VirtualVenue::report_rejected(const Order& command, Reason reason, char venue_reason) {
    Report r{};
    r.type = u8(Type::Rejected);
    r.side = command.side;
    r.instrument = command.instrument;
    r.ts_event = now_;
    r.cl_ord_id = command.cl_ord_id;
    r.version = command.version;
    r.reason = u16(reason);
    r.venue_reason = u8(venue_reason);
    reports_.push_back(r);
}

void VirtualVenue::report_canceled(u32 index, Reason reason, char venue_reason) {
    Report& r = report(Type::Canceled, own_[index]);
    r.last_qty = r.leaves_qty;
    r.leaves_qty = 0;
    r.reason = u16(reason);
    r.venue_reason = u8(venue_reason);
    close(index);
}

void VirtualVenue::fill(u32 index, i64 px, i64 qty, char liquidity) {
    Own& own = own_[index];
    own.leaves -= qty;
    own.executed += qty;
    Report& r = report(Type::Filled, own);
    r.exec_id = ++exec_ids_;
    r.last_px = px;
    r.last_qty = qty;
    r.liquidity = u8(liquidity);
}

void VirtualVenue::fill_resting(u32 index, i64 qty) {
    fill(index, own_[index].px, qty, 'A');
    if (own_[index].leaves == 0) close(index);
}

// ---- snapshot ------------------------------------------------------------------------------------
//
//     books | counters | per instrument added: state u8, tick i64, the stamp and taken of every displayed order (bids,
//     asks; best first, by priority), our orders of each side in priority: count u32, then `Own` without its links

void VirtualVenue::save(StateWriter& out) const {
    displayed_.save(out);
    out.put(stamps_);
    out.put(order_ids_);
    out.put(exec_ids_);
    for (u32 id = 0; id < lanes_.size(); ++id) {
        if (!displayed_.is_here(id)) continue;
        out.put(u8(lanes_[id].state));
        out.put(lanes_[id].tick);
        for (Side side : {Side::Buy, Side::Sell}) {
            displayed_.save_known(out, id, side);
            u32 count = 0;
            for (u32 at = first(id, side); at != kNone; at = own_[at].next) ++count;
            out.put(count);
            for (u32 at = first(id, side); at != kNone; at = own_[at].next) {
                Own own = own_[at];
                own.next = own.prev = kNone;
                out.put(own);
            }
        }
    }
}

void VirtualVenue::load(StateReader& in) {
    for (Lane& lane : lanes_) {
        for (u32 head : lane.first) {
            for (u32 next; head != kNone; head = next) {
                next = own_[head].next;
                close(head);
            }
        }
        lane = {};
    }
    reports_.clear();
    displayed_.load(in);
    stamps_ = in.get<u64>();
    order_ids_ = in.get<u64>();
    exec_ids_ = in.get<u64>();
    for (u32 id = 0; id < lanes_.size(); ++id)
        if (displayed_.is_here(id)) load_lane(in, id);
}

void VirtualVenue::load_lane(StateReader& in, u32 id) {
    lanes_[id].state = TradingState(in.get<u8>());
    lanes_[id].tick = in.get<i64>();
    for (Side side : {Side::Buy, Side::Sell}) {
        displayed_.load_known(in, id, side);
        for (u32 left = in.get<u32>(); left > 0; --left) {
            const Own own = in.get<Own>();
            if (free_own_ == kNone || own.instrument != id || own.side != side || find(own.cl_ord_id) != kNone)
                throw Error(ErrorKind::Snapshot, "snapshot of the virtual venue: expected our order " +
                                                     std::to_string(own.cl_ord_id) +
                                                     " once, on its side of instrument " + std::to_string(id) +
                                                     ", and own_orders_max " + std::to_string(own_.size()) +
                                                     " to hold all; raise own_orders_max or check the snapshot");
            const u32 index = free_own_;
            free_own_ = own_[index].next;
            ++own_count_;
            own_[index] = own;
            own_table_.insert(slot_of(own.cl_ord_id), book::OrderTable::mark_of(own.cl_ord_id, 0), index);
            link(index);
        }
    }
}

}  // namespace openbell
