// What the engine keeps of one instrument, besides its orders.
#pragma once

#include <vector>

#include "exchange/instrument_rules.h"
#include "exchange/price_levels.h"

namespace openbell::exchange {

inline constexpr i64 kNoCeiling = 4 * kPxMax;  // above the price of every order, pegs included

struct BestPrices {
    i64 bid = 0;  // 0: nothing is displayed
    i64 ask = 0;
    bool operator==(const BestPrices&) const = default;
};

struct MarketBook {
    BookSide sides[2];  // bids, asks
    BookSide stops[2];  // by the side of the orders, which is not the side of their ladder: see stop_side
    u32 instrument = 0;
    Phase phase = Phase::Closed;
    bool is_pro_rata = false;
    bool closing_is_over = false;  // the day's closing auction has run
    bool owes_auction = false;     // a call ended without
    bool pegs_are_stale = false;   // to be evaluated whatever the best prices are
    i64 last_px = 0;
    i64 band_lo = 0;
    i64 band_hi = kNoCeiling;
    Queue waiting{0, 0};      // for an auction, outside the book
    std::vector<u64> pegs{};  // references, oldest first
    BestPrices evaluated{};   // when the last evaluation of the pegs began
    // Quantities since the beginning: entered = traded + removed + open.
    i64 entered = 0;
    i64 traded = 0;
    i64 removed = 0;

    BookSide& side(Side side) { return sides[side == Side::Sell]; }
    const BookSide& side(Side side) const { return sides[side == Side::Sell]; }
    BookSide& stops_of(Side side) { return stops[side == Side::Sell]; }
    const BookSide& stops_of(Side side) const { return stops[side == Side::Sell]; }

    // px, or the band if it lies beyond.
    i64 within_bands(Side side, i64 px) const {
        if (side == Side::Buy) return px < band_hi ? px : band_hi;
        return px > band_lo ? px : band_lo;
    }
};

}  // namespace openbell::exchange
