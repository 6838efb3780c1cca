// The best prices of our own live orders in an instrument: nothing of ours is better, though it may be worse by now.
//
// An order that does not reach the bound meets none of ours, which is all that most orders need to know. Whoever
// reaches it looks at the orders themselves and draws the bound anew.
#pragma once

#include <algorithm>
#include <limits>

#include "oms/live_order.h"

namespace openbell {

struct OwnTouch {
    i64 bid = 0;
    i64 ask = std::numeric_limits<i64>::max();

    void include(const LiveOrder& o) {
        bid = o.side == u8(Side::Buy) ? std::max({bid, o.px, o.pending_px}) : bid;
        if (o.side == u8(Side::Sell)) ask = std::min({ask, o.px, o.pending_px > 0 ? o.pending_px : o.px});
    }
    bool is_met_by(const Order& o) const { return o.side == u8(Side::Buy) ? o.px >= ask : o.px <= bid; }
};

// The price at which `mine` would trade with the candidate; 0 = it would not. An order of the same strategy is where
// its last command puts it, because a session carries commands in their order; one of another strategy, at its worst.
inline i64 px_met(const LiveOrder& mine, const Order& candidate) {
    if (mine.side + candidate.side != u8(Side::Buy) + u8(Side::Sell)) return 0;
    const bool is_same = mine.strategy == candidate.strategy;
    if (is_same && mine.cancel_version != 0) return 0;
    const bool is_bid = mine.side == u8(Side::Buy);
    i64 px = mine.px;
    if (mine.pending_px > 0)
        px = is_same ? mine.pending_px : is_bid ? std::max(px, mine.pending_px) : std::min(px, mine.pending_px);
    return (is_bid ? candidate.px <= px : candidate.px >= px) ? px : 0;
}

}  // namespace openbell
