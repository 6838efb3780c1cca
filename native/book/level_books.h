// Books by price (L2) and by touch (L1): what a venue displays of each level, without its orders.
//
// What a feed keeps to judge what it passes on. Memory is taken once and touched when used: a block of the ladder is
// 256 bytes for 20 levels, so at worst 43 a level with its quantity, and 48 an instrument.
//
// Quantities are absolute: a level is set, 0 removes it, and removing a level that is not there changes nothing, as the
// venues say of their own updates. A record that contradicts that is a fault and changes nothing.
#pragma once

#include <vector>

#include "big_array.h"
#include "ladder.h"

namespace openbell {

class LevelBooks {
  public:
    enum class Fault : u8 { Ok, NegativeQty, Full };
    struct Change {
        Fault fault = Fault::Ok;
        bool touched = false;  // px or qty of the side's best changed
    };
    struct Best {
        i64 px;  // 0 when the side is empty
        i64 qty;
    };

    // `levels_max` of all instruments together.
    LevelBooks(u32 instruments_max, u32 levels_max)
        : sides_(std::size_t(2) * instruments_max),
          ladders_(2 * instruments_max, levels_max),
          qtys_(levels_max),
          levels_max_(levels_max) {}

    u32 instruments_max() const { return u32(sides_.size() / 2); }

    // The level `px` holds `qty` now.
    Change set(u32 instrument, Side side, i64 px, i64 qty);
    // The side is this one level; with qty 0 it is empty.
    Change set_best(u32 instrument, Side side, i64 px, i64 qty);
    void clear(u32 instrument);

    Best best(u32 instrument, Side side) const {
        const State& s = sides_[at(instrument, side)];
        return {s.best_qty ? ladder::px_of(side, s.best_key) : 0, s.best_qty};
    }
    bool is_crossed(u32 instrument) const {  // or locked
        const Best bid = best(instrument, Side::Buy);
        const Best ask = best(instrument, Side::Sell);
        return bid.qty > 0 && ask.qty > 0 && bid.px >= ask.px;
    }
    u32 levels(u32 instrument, Side side) const { return sides_[at(instrument, side)].levels; }
    // Best first, until `visit(px, qty)` is false.
    template <class Visit>
    void walk(u32 instrument, Side side, Visit visit) const {
        for (u32 b = sides_[at(instrument, side)].best_block; b != ladder::kNone; b = ladders_.block(b).worse) {
            const ladder::Block& block = ladders_.block(b);
            for (u32 i = block.count; i-- > 0;)
                if (!visit(ladder::px_of(side, block.keys[i]), qtys_[block.levels[i]])) return;
        }
    }

  private:
    struct State {  // of one side
        i64 best_key = 0;
        i64 best_qty = 0;  // 0: empty
        u32 best_block = ladder::kNone;
        u32 levels = 0;
    };
    static_assert(sizeof(State) == 24);

    static std::size_t at(u32 instrument, Side side) { return std::size_t(2) * instrument + (side == Side::Sell); }
    bool is_full() const { return used_ == levels_max_ && free_ == ladder::kNone; }
    u32 take(i64 qty);
    void release(u32 level);
    bool refresh(State& side, i64 key);
    void clear(State& side);

    std::vector<State> sides_;
    ladder::Pool ladders_;
    BigArray<i64> qtys_;  // by level of the ladder; of a free one, the next free one
    u32 levels_max_;
    u32 used_ = 0;  // levels beyond were never touched
    u32 free_ = ladder::kNone;
};

}  // namespace openbell
