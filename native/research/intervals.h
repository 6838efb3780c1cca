// Times and sums, as every pass of research over a tape counts them.
#pragma once

#include <limits>

#include "records.h"

namespace openbell {

// Where the interval of `ts` begins. Rounds down before the epoch too.
constexpr i64 interval_of(i64 ts, i64 length) {
    const i64 rest = ts % length;
    return ts - (rest < 0 ? rest + length : rest);
}

// Frames are in the order of ts_seq. What was received is sequenced at most so much later: a packet waits while those
// before it are asked for again or a snapshot is read.
inline constexpr i64 kSequencingLagMaxNs = 600'000'000'000;
// The first ts_seq at which everything received before `end_ns` has been sequenced.
constexpr i64 late_after(i64 end_ns) {
    constexpr i64 kForever = std::numeric_limits<i64>::max();
    return end_ns < kForever - kSequencingLagMaxNs ? end_ns + kSequencingLagMaxNs : kForever;
}

// Sums of quantities wrap at 2^64 instead of being undefined: no tape of a real market comes near.
constexpr i64 wrapping_add(i64 a, i64 b) { return i64(u64(a) + u64(b)); }

}  // namespace openbell
