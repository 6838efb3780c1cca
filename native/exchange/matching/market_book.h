// What the engine keeps of one instrument, besides its orders.
#pragma once

#include <vector>

#include "exchange/matching/price_levels.h"
#include "exchange/matching/refusal.h"

namespace openbell::exchange {

inline constexpr i64 kNoCeiling = 4 * kPxMax;  // above the price of every order, pegs included

struct BestPrices {
    i64 bid = 0;  // 0: nothing is displayed
    i64 ask = 0;
    bool operator==(const BestPrices&) const = default;
};

// What an ordinary order needs, in one line of cache.
struct alignas(64) MarketBook {
    BookSide sides[2];  // bids, asks
    Phase phase = Phase::Closed;
    bool is_pro_rata = false;
    bool has_bands = false;
    bool has_pegs = false;
    bool has_stops = false;
    bool closing_is_over = false;  // the day's closing auction has run
    bool owes_auction = false;     // a call ended without
    bool pegs_are_stale = false;   // to be evaluated whatever the best prices are
    u32 instrument = 0;
    u32 rules = 0;  // number of its EntryRules
    i64 last_px = 0;
    i64 open_qty = 0;  // what came less what went; the audit compares it with what is there

    BookSide& side(Side side) { return sides[side == Side::Sell]; }
    const BookSide& side(Side side) const { return sides[side == Side::Sell]; }
};
static_assert(sizeof(MarketBook) == 64);

// The rest of it, looked at only when a flag says so or nobody is in a hurry.
struct Outside {
    BookSide stops[2];        // by the side of the orders, which is not the side of their ladder: see stop_side
    Queue waiting{0, 0};      // for an auction
    std::vector<u64> pegs{};  // references, oldest first
    BestPrices evaluated{};   // when the last evaluation of the pegs began
    i64 band_lo = 0;
    i64 band_hi = kNoCeiling;

    BookSide& stops_of(Side side) { return stops[side == Side::Sell]; }
    const BookSide& stops_of(Side side) const { return stops[side == Side::Sell]; }
    bool has_stops() const { return stops[0].best_level != 0 || stops[1].best_level != 0; }
};

}  // namespace openbell::exchange
