// What the engine refuses, in the order of docs/rulebook.md: pure functions of an order, its rules and the phase.
#pragma once

#include "exchange/instrument_rules.h"

namespace openbell::exchange {

// What an instrument is doing while an order asks to enter.
struct Moment {
    Phase phase = Phase::Closed;
    bool closing_is_over = false;  // the day's closing auction has run
    i64 reference_px = 0;          // 0: none
};

Refusal refuse_order(const InstrumentRules& rules, const Moment& now, Side side, const Terms& terms);

// Whether the order may stay in the book when it has not traded.
constexpr bool may_rest(Tif tif) { return tif == Tif::Day || tif == Tif::Gtc || tif == Tif::Gtd; }
// Whether px is a limit of this type.
constexpr bool has_limit(const Terms& t) {
    return t.type == OrderType::Limit || t.type == OrderType::StopLimit ||
           (t.type == OrderType::Pegged && t.px != kMarketPx);
}

}  // namespace openbell::exchange
