// Price -> level of a book by order, best first.
//
// The levels near the touch of a side lie in a window of 64 ticks: a bit a tick says whether there is a level, a cell a
// tick which. No search, and two lines of memory are all that an order asks for. Those further away lie on a ladder
// (native/ladder.h). The best level is always in the window, every level on the ladder is worse than all of the window,
// and the window moves when the touch has left it. The tick is learnt from the prices: whatever they are, the book is
// right; where they share no tick it is only slower.
//
// Memory is taken once and touched when used: 608 bytes an instrument, at worst 34 for a level on a ladder.
#pragma once

#include <bit>
#include <vector>

#include "big_array.h"
#include "book/tick_cells.h"
#include "ladder.h"

namespace openbell {

class LevelIndex {
  public:
    static constexpr u32 kNone = ladder::kNone;

    // `levels_max` of all instruments together.
    LevelIndex(u32 instruments_max, u32 levels_max);

    static std::size_t side_at(u32 instrument, Side side) { return std::size_t(2) * instrument + (side == Side::Sell); }

    // kNone: there is none.
    u32 find(std::size_t s, i64 key) const {
        const Window& window = windows_[s];
        const u64 cell = window.cell_of(key);
        if (cell < kCells) [[likely]]
            return window.has(cell) ? cells_[s * kCells + cell] : kNone;
        const ladder::Place place = ladders_.locate(window.far, key);
        return place.is_found ? ladders_.level_at(place) : kNone;
    }
    // Of a side that has levels.
    u32 best(std::size_t s) const { return cells_[s * kCells + windows_[s].best_cell()]; }
    bool is_empty(std::size_t s) const { return windows_[s].bits == 0; }

    // There is no level of this key.
    void insert(std::size_t s, i64 key, u32 level) {
        const u64 cell = windows_[s].cell_of(key);
        if (cell >= kCells) [[unlikely]]
            return insert_outside(s, key, level);
        put(s, cell, level);
    }
    // There is one.
    void erase(std::size_t s, i64 key) {
        Window& window = windows_[s];
        const u64 cell = window.cell_of(key);
        if (cell >= kCells) [[unlikely]]
            return erase_far(s, key);
        window.bits &= ~(u64(1) << cell);
        if (window.bits == 0 && window.far != kNone) [[unlikely]]
            refill(s);
    }
    void clear(std::size_t s);

    // Best first, until `visit(level)` is false; false then.
    template <class Visit>
    bool walk(std::size_t s, Visit visit) const {
        for (u64 bits = windows_[s].bits; bits != 0;) {
            const u64 cell = top_of(bits);
            bits ^= u64(1) << cell;
            if (!visit(cells_[s * kCells + cell])) return false;
        }
        for (u32 b = windows_[s].far; b != kNone; b = ladders_.block(b).worse) {
            const ladder::Block& block = ladders_.block(b);
            for (u32 i = block.count; i-- > 0;)
                if (!visit(block.levels[i])) return false;
        }
        return true;
    }

    // For whoever only wants memory to come: what is known of an instrument, where an order of this key will look if it
    // is near the touch, and the level that is there, else 0.
    const void* line_of(u32 instrument) const { return &windows_[side_at(instrument, Side::Buy)]; }
    u32 cell_of(std::size_t s, i64 key) const { return u32(s * kCells + windows_[s].cell_of(key) % kCells); }
    const void* line_at(u32 cell) const { return &cells_[cell]; }
    u32 guess(u32 cell) const { return cells_[cell] & -u32(windows_[cell / kCells].has(cell % kCells)); }

  private:
    static constexpr u64 kCells = 64;
    static constexpr u64 kBestCell = kCells / 4 * 3;  // where the best stands after a move: most comes behind it
    static constexpr u64 kLowCell = kCells / 8;       // below, the touch is about to leave

    struct Window {       // of one side
        i64 base = 0;     // key of cell 0
        u64 inverse = 1;  // of the odd part of the tick, modulo 2^64
        u64 bits = 0;     // of the cells that hold a level
        u32 far = kNone;  // best block of the ladder
        u8 shift = 0;     // the tick is odd * 2^shift
        u8 pad[3] = {};

        u64 cell_of(i64 key) const { return ticks::cell_of(key, base, inverse, shift); }
        bool has(u64 cell) const { return bits >> cell & 1; }
        u64 best_cell() const { return top_of(bits); }
    };
    static_assert(sizeof(Window) == 32);
    struct Learnt {  // of one side, looked at when a level comes from outside of the window
        i64 tick = 1;
        u32 outside = 0;  // how many came from there, to look for a larger tick
        u32 pad = 0;
    };

    static u64 top_of(u64 bits) { return 63 - u64(std::countl_zero(bits)); }

    void put(std::size_t s, u64 cell, u32 level) {
        cells_[s * kCells + cell] = level;
        windows_[s].bits |= u64(1) << cell;
    }
    i64 best_key(std::size_t s) const {
        return ticks::key_at(windows_[s].best_cell(), windows_[s].base, learnt_[s].tick);
    }
    void insert_outside(std::size_t s, i64 key, u32 level);
    void put_far(std::size_t s, i64 key, u32 level);
    void erase_far(std::size_t s, i64 key);
    void refill(std::size_t s);
    void fit_tick(std::size_t s, i64 key);
    i64 common_tick(std::size_t s, i64 key) const;
    void move(std::size_t s, i64 best_key, i64 tick);

    std::vector<Window> windows_;
    std::vector<Learnt> learnt_;
    BigArray<u32> cells_;  // levels, kCells a side; undefined where no bit is set
    ladder::Pool ladders_;
};

}  // namespace openbell
