// What the engine refuses, in the order of docs/rulebook.md: pure functions of an order, its rules and the phase.
#pragma once

#include "exchange/matching/instrument_rules.h"

namespace openbell::exchange {

// What an instrument is doing while an order asks to enter.
struct Moment {
    Phase phase = Phase::Closed;
    bool closing_is_over = false;  // the day's closing auction has run
    i64 reference_px = 0;          // 0: none
};

// What of the rules an order is held against. Instruments with equal ones share them.
struct EntryRules {
    i64 lot = 1;
    i64 qty_max = 0;
    i64 limit_collar_bps = 0;
    i64 market_collar_bps = 0;
    u32 steps = 0;
    TickStep table[kTickStepsMax]{};

    EntryRules() = default;
    explicit EntryRules(const InstrumentRules& rules);
    TickTable ticks() const { return {table, steps}; }
    bool operator==(const EntryRules&) const = default;
};

Refusal refuse_order(const EntryRules& rules, const Moment& now, Side side, const Terms& terms);

// Whether the order may stay in the book when it has not traded.
constexpr bool may_rest(Tif tif) { return tif == Tif::Day || tif == Tif::Gtc || tif == Tif::Gtd; }
// Whether px is a limit of this type.
constexpr bool has_limit(const Terms& t) {
    return t.type == OrderType::Limit || t.type == OrderType::StopLimit ||
           (t.type == OrderType::Pegged && t.px != kMarketPx);
}

}  // namespace openbell::exchange
