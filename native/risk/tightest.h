// The scopes of one order, asked together: of those that refuse, the tightest is named. What passes never comes here.
#pragma once

#include "risk/limits.h"
#include "risk/verdict.h"

namespace openbell {

// The smallest limit of that kind, of the scopes in `from` (bits by number); kUnlimited when none has it.
inline i64 smallest(LimitKind kind, const LimitTable& limits, const OrderRows& rows, u32 from = kAnyScope) {
    i64 least = kUnlimited;
    for (u32 i = 0; i < kLimitScopes; ++i)
        if (from & scope_bit(LimitScope(i + 1))) least = std::min(least, limits[rows.at[i]].value(kind));
    return least;
}

// `observed_of(scope, row)`; refused where it is above `allowed_of(scope, row)`.
template <class Observed, class Allowed>
[[gnu::noinline, gnu::cold]] Verdict tightest_refusal(Reason reason, LimitKind kind, const LimitTable& limits,
                                                      const OrderRows& rows, Observed&& observed_of,
                                                      Allowed&& allowed_of) {
    Verdict worst{};
    for (u32 i = 0; i < kLimitScopes; ++i) {
        const LimitRow& row = limits[rows.at[i]];
        if (!row.has(kind)) continue;
        const LimitScope scope{u8(i + 1)};
        const i128 allowed = allowed_of(scope, row);
        const i128 observed = observed_of(scope, row);
        if (observed <= allowed || (!worst.passes() && allowed >= worst.limit)) continue;
        worst = {reason, saturated(allowed), saturated(observed), scope, kind};
    }
    return worst;
}

template <class Observed>
Verdict tightest_refusal(Reason reason, LimitKind kind, const LimitTable& limits, const OrderRows& rows,
                         Observed&& observed_of) {
    return tightest_refusal(reason, kind, limits, rows, observed_of,
                            [kind](LimitScope, const LimitRow& row) { return row.value(kind); });
}

}  // namespace openbell
