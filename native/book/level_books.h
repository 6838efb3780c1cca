// Books by price (L2) and by touch (L1): what a venue displays of each level, without its orders.
//
// The levels near the touch of a side lie in a window: one cell a tick, a bit a cell, no search. Those further away lie
// on a ladder (native/ladder.h), sorted. The best level is always in the window, every level on the ladder is worse
// than all of the window, and the window moves when the touch has left it. The tick is learnt from the prices: whatever
// they are, the book is right; where they share no tick it is only slower.
//
// Quantities are absolute: a level is set, 0 removes it, and removing a level that is not there changes nothing, as the
// venues say of their own updates. A record that contradicts that is a fault and changes nothing.
//
// Memory is taken once and touched when used: 16.7 kB an instrument for the windows of both sides, at worst 43 bytes
// for a level on a ladder.
#pragma once

#include <bit>
#include <vector>

#include "big_array.h"
#include "book/tick_cells.h"
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
    LevelBooks(u32 instruments_max, u32 levels_max);

    u32 instruments_max() const { return u32(sides_.size() / 2); }

    // The level `px` holds `qty` now.
    Change set(u32 instrument, Side side, i64 px, i64 qty) {
        if (qty < 0) return {Fault::NegativeQty};
        const std::size_t s = at(instrument, side);
        State& state = sides_[s];
        const i64 key = ladder::key_of(side, px);
        const u64 cell = state.cell_of(key);
        if (cell >= state.cells) [[unlikely]]
            return set_outside(s, key, qty);
        return set_cell(s, cell, qty);
    }
    // The side is this one level; with qty 0 it is empty.
    Change set_best(u32 instrument, Side side, i64 px, i64 qty);
    void clear(u32 instrument);

    Best best(u32 instrument, Side side) const {
        const State& s = sides_[at(instrument, side)];
        return {s.best_qty ? ladder::px_of(side, s.key_at(u64(s.best))) : 0, s.best_qty};
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
        const std::size_t s = at(instrument, side);
        const State& state = sides_[s];
        for (i64 cell = state.best; cell >= 0; cell = below(windows_[s], u64(cell)))
            if (!visit(ladder::px_of(side, state.key_at(u64(cell))), windows_[s].qty[cell])) return;
        for (u32 b = state.far; b != ladder::kNone; b = ladders_.block(b).worse) {
            const ladder::Block& block = ladders_.block(b);
            for (u32 i = block.count; i-- > 0;)
                if (!visit(ladder::px_of(side, block.keys[i]), far_qtys_[block.levels[i]])) return;
        }
    }

  private:
    static constexpr u64 kCells = 1024;
    static constexpr u64 kBestCell = kCells / 4 * 3;  // where the best stands after a move: most comes behind it
    static constexpr u64 kLowCell = kCells / 8;       // below, the touch is about to leave

    struct State {         // of one side
        i64 base = 0;      // key of cell 0
        u64 inverse = 1;   // of the odd part of the tick, modulo 2^64
        i64 best = -1;     // cell; -1: empty
        i64 best_qty = 0;  // 0: empty
        i64 tick = 1;
        u32 levels = 0;
        u32 far = ladder::kNone;  // best block of the ladder
        u32 outside = 0;          // levels that came from outside of the window, to look for a larger tick
        u16 cells = 0;            // 0: the window has no place yet
        u8 shift = 0;             // the tick is odd * 2^shift
        u8 pad[9] = {};

        u64 cell_of(i64 key) const { return ticks::cell_of(key, base, inverse, shift); }
        i64 key_at(u64 cell) const { return ticks::key_at(cell, base, tick); }
    };
    static_assert(sizeof(State) == 64);
    struct Window {
        i64 qty[kCells];
        u64 bits[kCells / 64];  // of the cells that hold a quantity
    };

    static std::size_t at(u32 instrument, Side side) { return std::size_t(2) * instrument + (side == Side::Sell); }
    // The next cell below that holds a quantity; -1: none.
    static i64 below(const Window& window, u64 cell) {
        u64 word = cell / 64;
        u64 rest = window.bits[word] & ((u64(1) << cell % 64) - 1);
        while (rest == 0) {
            if (word == 0) return -1;
            rest = window.bits[--word];
        }
        return i64(word * 64 + 63 - u64(std::countl_zero(rest)));
    }

    Change set_cell(std::size_t s, u64 cell, i64 qty) {
        State& state = sides_[s];
        Window& window = windows_[s];
        const bool was = window.qty[cell] != 0;
        const bool is = qty != 0;
        if (levels_left_ == 0 && is && !was) [[unlikely]]
            return {Fault::Full};
        window.qty[cell] = qty;
        const u64 bit = u64(1) << cell % 64;
        u64& word = window.bits[cell / 64];
        word = (word & ~bit) | (u64(is) << cell % 64);
        state.levels += u32(is) - u32(was);
        levels_left_ -= u32(is) - u32(was);
        if (i64(cell) < state.best) return {};
        return refresh(s, cell, qty);
    }
    // The cell is the best or beyond.
    Change refresh(std::size_t s, u64 cell, i64 qty) {
        State& state = sides_[s];
        if (qty != 0) {
            const bool touched = i64(cell) != state.best || qty != state.best_qty;
            state.best = i64(cell);
            state.best_qty = qty;
            return {Fault::Ok, touched};
        }
        if (i64(cell) != state.best) return {};
        state.best = below(windows_[s], cell);
        if (state.best < 0) [[unlikely]]
            refill(s);
        else
            state.best_qty = windows_[s].qty[state.best];
        return {Fault::Ok, true};
    }

    Change set_outside(std::size_t s, i64 key, i64 qty);
    Change set_far(State& state, i64 key, i64 qty);
    void fit_tick(std::size_t s, i64 key);
    void refill(std::size_t s);
    void move(std::size_t s, i64 best_key, i64 tick);
    void put_far(State& state, i64 key, i64 qty);
    i64 common_tick(std::size_t s, i64 key) const;
    void clear_side(std::size_t s);

    std::vector<State> sides_;
    BigArray<Window> windows_;
    ladder::Pool ladders_;
    BigArray<i64> far_qtys_;  // by level of the ladder; of a free one, the next free one
    u32 levels_left_;
    u32 far_used_ = 0;  // levels of the ladder beyond were never touched
    u32 far_free_ = ladder::kNone;
};

}  // namespace openbell
