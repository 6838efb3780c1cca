// The slab of orders: live ones in the order they were created, all and by instrument; terminal ones in the order
// they ended.
//
// Nothing is allocated after construction. Terminal orders stay to answer late reports (a fill after the
// cancel, a bust) and the oldest of them is recycled when room is needed; a live order never is.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "error.h"
#include "oms/live_order.h"
#include "oms/slot_index.h"

namespace openbell {

class LiveOrders {
  public:
    static constexpr u32 kNone = SlotIndex::kNone;
    static constexpr u32 kOrdersMax = 1u << 18;  // see kQtyMax

    LiveOrders(u32 orders_max, u32 instruments_max)
        : slots_(checked(orders_max)), index_(orders_max), here_(instruments_max, kNone) {
        clear();
    }

    LiveOrder& operator[](u32 slot) { return slots_[slot].order; }
    const LiveOrder& operator[](u32 slot) const { return slots_[slot].order; }
    u32 find(u64 cl_ord_id) const {
        return index_.find(mix_id(cl_ord_id), [&](u32 s) { return slots_[s].order.cl_ord_id == cl_ord_id; });
    }

    u32 capacity() const { return u32(slots_.size()); }
    u32 live() const { return live_.count; }
    u32 ended() const { return ended_.count; }
    bool has_room() const { return live_.count < slots_.size(); }
    u64 recycled() const { return recycled_; }

    u32 first_live() const { return live_.head; }
    u32 first_ended() const { return ended_.head; }
    u32 next(u32 slot) const { return slots_[slot].next; }
    // Live orders of one instrument, the newest first.
    u32 first_here(u32 instrument) const { return here_[instrument]; }
    u32 next_here(u32 slot) const { return slots_[slot].next_here; }

    // A slot for a new live order; the caller has asked has_room().
    u32 add(u64 cl_ord_id, u32 instrument) {
        if (free_.count == 0) recycle(ended_.head);
        const u32 slot = free_.head;
        unlink(free_, slot);
        slots_[slot].order = LiveOrder{};
        slots_[slot].order.cl_ord_id = cl_ord_id;
        slots_[slot].order.instrument = instrument;
        append(live_, slot);
        enter(instrument, slot);
        index_.insert(mix_id(cl_ord_id), slot);
        return slot;
    }
    void retire(u32 slot) {
        unlink(live_, slot);
        leave(slot);
        append(ended_, slot);
    }
    void clear() {
        live_ = ended_ = free_ = List{};
        index_.clear();
        std::fill(here_.begin(), here_.end(), kNone);
        for (u32 s = 0; s < slots_.size(); ++s) append(free_, s);
    }

  private:
    struct Slot {
        LiveOrder order;
        u32 prev, next;
        u32 prev_here, next_here;
    };
    struct List {
        u32 head = kNone, tail = kNone, count = 0;
    };

    static u32 checked(u32 orders_max) {
        if (orders_max >= 1 && orders_max <= kOrdersMax) return orders_max;
        throw Error(ErrorKind::Config, "order table: expected 1 to " + std::to_string(kOrdersMax) + " orders, got " +
                                           std::to_string(orders_max) + "; change orders_max in the configuration");
    }
    void recycle(u32 slot) {
        index_.erase(mix_id(slots_[slot].order.cl_ord_id), slot,
                     [&](u32 s) { return mix_id(slots_[s].order.cl_ord_id); });
        unlink(ended_, slot);
        append(free_, slot);
        recycled_ += 1;
    }
    void enter(u32 instrument, u32 slot) {
        const u32 first = here_[instrument];
        slots_[slot].prev_here = kNone;
        slots_[slot].next_here = first;
        if (first != kNone) slots_[first].prev_here = slot;
        here_[instrument] = slot;
    }
    void leave(u32 slot) {
        const Slot& s = slots_[slot];
        (s.prev_here == kNone ? here_[s.order.instrument] : slots_[s.prev_here].next_here) = s.next_here;
        if (s.next_here != kNone) slots_[s.next_here].prev_here = s.prev_here;
    }
    void append(List& list, u32 slot) {
        slots_[slot].prev = list.tail;
        slots_[slot].next = kNone;
        (list.tail == kNone ? list.head : slots_[list.tail].next) = slot;
        list.tail = slot;
        list.count += 1;
    }
    void unlink(List& list, u32 slot) {
        const Slot& s = slots_[slot];
        (s.prev == kNone ? list.head : slots_[s.prev].next) = s.next;
        (s.next == kNone ? list.tail : slots_[s.next].prev) = s.prev;
        list.count -= 1;
    }

    std::vector<Slot> slots_;
    SlotIndex index_;
    std::vector<u32> here_;  // by instrument
    List live_, ended_, free_;
    u64 recycled_ = 0;
};

}  // namespace openbell
