// What risk says of one order: a value, never an exception.
#pragma once

#include <algorithm>
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

// Of what is allowed and what was found beyond it: neither is below zero.
inline i64 saturated(i128 v) { return i64(std::min<i128>(v, std::numeric_limits<i64>::max())); }

inline Verdict refuse(Reason reason, i128 limit, i128 observed) {
    return {reason, saturated(limit), saturated(observed)};
}

}  // namespace openbell
