// What an order asks of the matching engine. The rules behind the words: docs/rulebook.md.
//
// Prices are in the instrument's fixed decimal, quantities in units, times in ns since the epoch.
#pragma once

#include <limits>

#include "records.h"

namespace openbell::exchange {

inline constexpr i64 kMarketPx = std::numeric_limits<i64>::max();  // no limit: at any price
inline constexpr i64 kPxMax = 100'000'000'000'000;                 // keeps sums of prices far from 64 bits
inline constexpr i64 kWholeQty = -1;                               // Terms::display: everything is shown

constexpr Side opposite(Side side) { return side == Side::Buy ? Side::Sell : Side::Buy; }

enum class OrderType : u8 { Limit, Market, MarketToLimit, Stop, StopLimit, Pegged };
enum class Peg : u8 { None, Primary, Mid, Market };
enum class PostOnly : u8 { No, Reject, Slide };
enum class SelfTrade : u8 { Allow, CancelNewest, CancelOldest, CancelBoth, Decrement };

enum class Phase : u8 { Closed, OpeningCall, Continuous, ClosingCall, Halted, ReopeningCall };
enum class Auction : u8 { Opening, Closing, Reopening };
constexpr bool is_call(Phase p) {
    return p == Phase::OpeningCall || p == Phase::ClosingCall || p == Phase::ReopeningCall;
}
// The auction at the end of a phase.
constexpr Auction auction_of(Phase p) {
    if (p == Phase::OpeningCall) return Auction::Opening;
    return p == Phase::ReopeningCall ? Auction::Reopening : Auction::Closing;
}

struct Terms {
    i64 px = 0;   // the limit; kMarketPx: none
    i64 qty = 0;  // open quantity
    Tif tif = Tif::Day;
    OrderType type = OrderType::Limit;
    PostOnly post_only = PostOnly::No;
    Peg peg = Peg::None;
    SelfTrade self_trade = SelfTrade::Allow;
    bool keeps_place = true;  // of a replace: whether it may keep its priority
    u32 group = 0;            // orders of one group do not trade with each other; 0: none
    i64 display = kWholeQty;  // shown at a time: kWholeQty, a slice (iceberg), or 0 (hidden)
    i64 min_qty = 0;          // least quantity of a trade; all or none: the whole quantity
    i64 stop_px = 0;          // Stop, StopLimit
    i64 peg_offset = 0;       // Pegged: positive is more aggressive on either side
};

// Why the engine does not take an order, a replace or a cancel. The doors turn it into a reason of their protocol.
enum class Refusal : u8 {
    None,
    Closed,           // the instrument's day has not begun or is over
    Halted,           // only cancels
    PhaseNotAllowed,  // this time in force or type, in this phase
    Type,             // a combination that is no order type
    TimeInForce,
    Price,  // not positive, or above kPxMax
    Tick,
    PriceCollar,  // too far through the reference price
    Qty,          // not positive, off the lot
    QtyMax,
    Display,
    MinQty,
    PostOnly,
    StopPrice,
    Peg,
    Full,     // no room for another open order
    NotLive,  // replace or cancel of an order that is not open
    // What the venue refuses before it asks the engine.
    Symbol,  // not listed
    Side,
    Cross,     // an auction that the instrument does not have
    Words,     // what the protocol knows and this venue does not: another attribute, or a price that is none
    Rate,      // more messages than the account may send
    Disabled,  // the account has disabled its order entry
    Ordered,   // a fault on command
};

// What submit and replace answer: the order's reference, 0 when it was refused and nothing happened.
struct Submitted {
    u64 ref = 0;
    Refusal refusal = Refusal::None;
};

}  // namespace openbell::exchange
