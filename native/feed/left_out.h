// The orders that a feed's edge has left out, so that what is said of them later is left out too: without, a book by
// order would be told of orders that it has never seen.
//
// Open addressing of fixed size; at least half of the slots stay empty, which is why a probe always ends.
#pragma once

#include <algorithm>
#include <bit>
#include <vector>

#include "records.h"

namespace openbell {

class LeftOut {
  public:
    enum class Kept : u8 { Sell = 0, Buy = 1, Unknown = 2 };  // the side, as an Add says it
    struct Order {
        u64 order_id = 0;
        u32 qty = 0;
        u32 instrument = kNoInstrument;  // of an empty slot
        Kept side = Kept::Unknown;       // unknown: a replacement of an order that is in the book
    };

    explicit LeftOut(u32 orders_max)
        : orders_max_(orders_max),
          slots_(orders_max ? std::bit_ceil(std::size_t(orders_max) * 2) : 1),
          mask_(slots_.size() - 1) {}

    std::size_t size() const { return count_; }
    void clear() {
        if (count_ > 0) std::fill(slots_.begin(), slots_.end(), Order{});
        count_ = 0;
    }

    // Null: it is not among them.
    Order* find(u32 instrument, u64 order_id) {
        Order& slot = slots_[slot_of(instrument, order_id)];
        return slot.instrument == kNoInstrument ? nullptr : &slot;
    }
    // False: there is no room.
    bool insert(const Order& order) {
        Order& slot = slots_[slot_of(order.instrument, order.order_id)];
        if (slot.instrument == kNoInstrument) {
            if (count_ == orders_max_) return false;
            ++count_;
        }
        slot = order;
        return true;
    }
    // Followers move back into the hole (Knuth 6.4, algorithm R).
    void erase(Order* order) {
        auto hole = std::size_t(order - slots_.data());
        for (std::size_t at = (hole + 1) & mask_; slots_[at].instrument != kNoInstrument; at = (at + 1) & mask_) {
            if (((at - home(slots_[at].order_id)) & mask_) < ((at - hole) & mask_)) continue;
            slots_[hole] = slots_[at];
            hole = at;
        }
        slots_[hole] = {};
        --count_;
    }

  private:
    std::size_t home(u64 order_id) const { return (order_id * 0x9E37'79B9'7F4A'7C15 >> 32) & mask_; }
    std::size_t slot_of(u32 instrument, u64 order_id) const {
        std::size_t at = home(order_id);
        while (slots_[at].instrument != kNoInstrument &&
               !(slots_[at].order_id == order_id && slots_[at].instrument == instrument))
            at = (at + 1) & mask_;
        return at;
    }

    std::size_t orders_max_;
    std::vector<Order> slots_;
    std::size_t mask_;
    std::size_t count_ = 0;
};

}  // namespace openbell
