// Arithmetic of a tick table. A table begins at 0, and a step begins at a multiple of its own tick and of the one
// before; so every price has one tick, and rounding never leaves the table.
#pragma once

#include <span>

#include "records.h"

namespace openbell::exchange {

// From `from_px` on, prices are multiples of `tick`.
struct TickStep {
    i64 from_px = 0;
    i64 tick = 100;
    bool operator==(const TickStep&) const = default;
};

using TickTable = std::span<const TickStep>;

inline i64 tick_at(TickTable table, i64 px) {
    i64 tick = table.front().tick;
    for (const TickStep& step : table)
        if (px >= step.from_px) tick = step.tick;
    return tick;
}
// The highest multiple at or below px; 0 is none.
inline i64 tick_floor(TickTable table, i64 px) { return px - px % tick_at(table, px); }
inline i64 tick_ceil(TickTable table, i64 px) {
    const i64 floor = tick_floor(table, px);
    return floor == px ? px : floor + tick_at(table, floor);
}
inline i64 tick_below(TickTable table, i64 px) { return tick_floor(table, px - 1); }
inline i64 tick_above(TickTable table, i64 px) { return tick_ceil(table, px + 1); }
// The higher of two equally near.
inline i64 tick_nearest(TickTable table, i64 px) {
    const i64 floor = tick_floor(table, px), ceil = tick_ceil(table, px);
    return px - floor < ceil - px ? floor : ceil;
}

}  // namespace openbell::exchange
