// Order reference -> place of the order: open addressing, fixed capacity, no tombstones.
//
// A slot is 8 bytes: 32 bits of hash and the index of the order in the slab. Venues number orders upwards, so
// 64 consecutive references keep their order in 512 neighbouring bytes, and only these runs are scattered
// (Fibonacci hashing: consecutive runs never meet). Measured with 2 M slots: 40 ns an update, 47 with runs of 8,
// whose page walks showed; longer runs gain little and make two dense ones that meet costlier. Deletion shifts
// the followers back (Knuth 6.4, algorithm R), so a probe never gets longer with age; where none of a run's orders had
// to give way, which a number a run says, it need not look at them.
//
// Capacity is the power of two at or above twice `orders_max`: at least half of the slots stay empty,
// which is also why a probe always ends. 16 bytes an order when `orders_max` is a power of two.
#pragma once

#include <algorithm>
#include <bit>
#include <vector>

#include "big_array.h"

namespace openbell::book {

inline constexpr u32 kNone = 0xFFFF'FFFF;

class OrderTable {
  public:
    explicit OrderTable(u32 orders_max)
        : size_(std::bit_ceil(std::max(std::size_t(orders_max) * 2, std::size_t(2) << kNearBits))),
          slots_(size_),
          displaced_(size_ >> kNearBits),
          mask_(u32(size_ - 1)),
          drop_(u32(32 - std::countr_zero(size_))) {
        std::fill(&slots_[0], &slots_[0] + size_, Slot{0, kNone});
    }

    // The 32 bits a slot remembers; from them alone follows where a probe begins.
    static u32 mark_of(u64 order_id, u16 venue) {
        const u64 far = ((order_id >> kNearBits) + (u64(venue) << 48)) * 0x9E37'79B9'7F4A'7C15;
        return u32(far >> 32 & ~u64(kNear)) | u32(order_id & kNear);
    }

    // The slot whose order `is_it(index)` confirms, or the empty slot where it would be inserted.
    template <class Confirm>
    u32 find(u32 mark, Confirm is_it) const {
        u32 at = home(mark);
        while (slots_[at].order != kNone && !(slots_[at].mark == mark && is_it(slots_[at].order)))
            at = (at + 1) & mask_;
        return at;
    }
    u32 order_at(u32 slot) const { return slots_[slot].order; }

    void insert(u32 empty_slot, u32 mark, u32 order) {
        slots_[empty_slot] = {mark, order};
        if (home(mark) != empty_slot) [[unlikely]]
            displace(mark, empty_slot, +1);
    }

    void erase(u32 hole) {
        if (displaced_[hole >> kNearBits] != 0) [[unlikely]]
            return erase_and_shift(hole);
        slots_[hole].order = kNone;
    }

    // The order that a mark most likely belongs to, or kNone. For whoever only wants its memory to come; no branch.
    u32 guess(u32 mark) const {
        const Slot& slot = slots_[home(mark)];
        return slot.order | -u32(slot.mark != mark);
    }
    const void* line_of(u32 mark) const { return &slots_[home(mark)]; }

  private:
    struct Slot {
        u32 mark;
        u32 order;
    };
    static_assert(sizeof(Slot) == 8);

    static constexpr u32 kNearBits = 6;
    static constexpr u32 kNear = (1u << kNearBits) - 1;
    static constexpr u8 kMany = 255;
    u32 home(u32 mark) const { return (mark >> drop_ & ~kNear) | (mark & kNear); }

    // An order whose probe goes on to `slot` counts in every run that it passes. A number that has come to the end of
    // what it can say stays there: it only says that there may be one.
    void displace(u32 mark, u32 slot, int change) {
        const u32 runs = u32(size_ >> kNearBits);
        const u32 last = slot >> kNearBits;
        for (u32 run = home(mark) >> kNearBits;; run = (run + 1) & (runs - 1)) {
            if (displaced_[run] != kMany) displaced_[run] = u8(displaced_[run] + change);
            if (run == last) return;
        }
    }
    void move(u32 from, u32 to) {
        const u32 mark = slots_[from].mark;
        if (home(mark) != from) displace(mark, from, -1);
        insert(to, mark, slots_[from].order);
    }
    void erase_and_shift(u32 hole) {
        if (home(slots_[hole].mark) != hole) displace(slots_[hole].mark, hole, -1);
        u32 at = hole;
        while (true) {
            at = (at + 1) & mask_;
            if (slots_[at].order == kNone) break;
            // The slot may move back into the hole unless its probe begins after the hole.
            const u32 distance = (at - home(slots_[at].mark)) & mask_;
            if (distance >= ((at - hole) & mask_)) {
                move(at, hole);
                hole = at;
            }
        }
        slots_[hole].order = kNone;
    }

    std::size_t size_;
    BigArray<Slot> slots_;
    std::vector<u8> displaced_;  // orders by run; kMany: so many or more
    u32 mask_;
    u32 drop_;
};

}  // namespace openbell::book
