// The price of an auction: a pure function of what waits on both sides. Rules: docs/rulebook.md, Auctions.
//
// Takes O(levels) and allocates nothing. Sums are exact in 128 bits; a result beyond 64 bits is held at its end.
#pragma once

#include <limits>
#include <span>

#include "exchange/matching/tick_rule.h"

namespace openbell::exchange {

struct AuctionLevel {
    i64 px = 0;
    i64 qty = 0;  // positive: an empty level is no level
};

// One side of an auction: what trades at any price, and the levels of limit orders, best first.
struct AuctionSide {
    i64 market_qty = 0;
    std::span<const AuctionLevel> levels{};
};

struct AuctionBook {
    AuctionSide buys{};
    AuctionSide sells{};
};

// Prices that an auction may take; both ends count.
struct PxRange {
    i64 lo = 1;
    i64 hi = std::numeric_limits<i64>::max();
    bool operator==(const PxRange&) const = default;
};

// With volume 0 nothing matches, and px is only where the surplus was counted.
struct Uncross {
    i64 px = 0;  // 0: there is no price (no reference and no limit order; or no tick within the range)
    i64 volume = 0;
    i64 surplus = 0;  // buy quantity above sell quantity at px; negative: the sellers have more
    bool operator==(const Uncross&) const = default;
};

// `reference` 0: there is none; then the lowest price left counts as the nearest.
Uncross uncross(const AuctionBook& book, TickTable ticks, i64 reference, PxRange range = {});

// What an imbalance message tells (ITCH I). A price is 0 where nothing would match.
struct Indication {
    i64 far_px = 0;        // the auction's own orders among themselves
    i64 near_px = 0;       // these and the book
    i64 reference_px = 0;  // where the quantities were counted
    i64 paired_qty = 0;
    i64 imbalance_qty = 0;  // signed, as the surplus
};

// `own`: market, AT-OPEN and AT-CLOSE orders; `all`: these and the book. `inside`: in continuous trading before the
// close the quantities are counted between the best bid and the best ask; in a call at the auction's price (no range).
Indication indicate(const AuctionBook& own, const AuctionBook& all, TickTable ticks, i64 reference,
                    PxRange inside = {});

// How far near lies from the reference, as ITCH I spells it: L below 1 %, 1 to 9, A 10, B 20, C 30 % and more.
char price_variation(i64 near_px, i64 reference_px);

}  // namespace openbell::exchange
