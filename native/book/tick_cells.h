// Prices as cells: how far a key (native/ladder.h) is from another one in ticks, exact for every int64.
//
// The tick is odd * 2^shift, and the cell a multiplication and a rotation: no division where every order passes.
#pragma once

#include <algorithm>
#include <bit>
#include <limits>

#include "records.h"

namespace openbell::ticks {

// So that the cells of a window never leave int64, and numbers beyond 2^64 / tick are none of them.
inline constexpr u64 kTickMax = u64(1) << 50;

// Of an odd number, modulo 2^64: each step of Newton's doubles the bits that are right, of which 5 are at first.
inline u64 inverse_of(u64 odd) {
    u64 x = odd * 3 ^ 2;
    for (int i = 0; i < 4; ++i) x *= 2 - odd * x;
    return x;
}

inline u64 distance(i64 a, i64 b) { return a > b ? u64(a) - u64(b) : u64(b) - u64(a); }

// The cell of `key`, or a large number if it is below `base` or between two ticks: a difference that is no multiple of
// the tick comes out beyond 2^64 / tick (Hacker's Delight, 10-17).
inline u64 cell_of(i64 key, i64 base, u64 inverse, u8 shift) {
    return std::rotr((u64(key) - u64(base)) * inverse, shift);
}
inline i64 key_at(u64 cell, i64 base, i64 tick) { return i64(u64(base) + cell * u64(tick)); }

// The key of cell 0 where `best_key` stands in `best_cell`, or as near to it as int64 allows.
inline i64 base_for(i64 best_key, i64 tick, u64 cells, u64 best_cell) {
    const u64 room_below = distance(best_key, std::numeric_limits<i64>::min()) / u64(tick);
    const u64 room_above = distance(std::numeric_limits<i64>::max(), best_key) / u64(tick);
    u64 below = std::min(best_cell, room_below);
    if (room_above < cells - 1 - below) below = cells - 1 - room_above;
    return i64(u64(best_key) - below * u64(tick));
}

}  // namespace openbell::ticks
