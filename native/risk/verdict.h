// What risk says of one order: a value, never an exception.
#pragma once

#include <limits>

#include "records.h"

namespace openbell {

struct Verdict {
    Reason reason = Reason::None;  // None = pass
    i64 limit = 0;                 // refused: what was allowed, what was found; units by reason, saturated to int64
    i64 observed = 0;
    LimitScope scope = LimitScope::None;  // refused by a limit: which
    LimitKind kind = LimitKind::None;

    bool passes() const { return reason == Reason::None; }
};

inline i64 saturated(i128 v) {
    constexpr i64 kMax = std::numeric_limits<i64>::max();
    constexpr i64 kMin = std::numeric_limits<i64>::min();
    return v > kMax ? kMax : v < kMin ? kMin : i64(v);
}

inline Verdict refuse(Reason reason, i128 limit, i128 observed) {
    return {reason, saturated(limit), saturated(observed)};
}

}  // namespace openbell
