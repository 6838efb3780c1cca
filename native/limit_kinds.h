// What risk bounds, and for whom. The numbers are the format: append, never reuse. docs/limits.md explains each.
//
// Money is an int64 in 1e-4 of the node's base currency, rounded against us.
#pragma once

#include "integers.h"

namespace openbell {

inline constexpr int kMoneyDecimals = 4;

// For whom a limit holds. An order must pass every scope it belongs to that has the limit.
enum class LimitScope : u8 {
    None = 0,
    Firm = 1,     // every account of the node
    Account = 2,  // one account, all its instruments and strategies
    Strategy = 3,
    Instrument = 4,  // one instrument, whoever trades it
    StrategyInstrument = 5,
};

enum class LimitKind : u8 {
    None = 0,
    // of one order
    OrderQty = 1,       // lots open at the venue after it
    OrderNotional = 2,  // money
    CollarBps = 3,      // distance of its price from the live touch
    DriftBps = 4,       // distance of its price from the mid of window_ns ago
    // of what is held and open, with every open order at its worst
    PositionLong = 16,   // lots
    PositionShort = 17,  // lots, a positive number
    OpenOrders = 18,
    GrossNotional = 19,  // money: the sum over instruments of the larger side
    NetNotional = 20,    // money: everything long less everything short, the larger way
    Margin = 21,         // money that may be bound as margin: the capital
    MarginBps = 22,      // of an instrument: margin that its notional binds
    // of what is sent within window_ns
    OrderRate = 32,       // new orders and replaces
    MessageRate = 33,     // cancels too; the last `reserve` of them are kept for cancels
    Duplicates = 34,      // orders of one strategy, instrument, side, price and quantity
    Repeats = 35,         // executions of one strategy in one instrument and side; latches until a person re-arms it
    OrdersPerTrade = 36,  // orders and replaces for each execution; the first `reserve` are free
    // of the day's result
    DailyLoss = 48,  // money lost since the day began, fees included
    Drawdown = 49,   // money lost since the day's best
    // of what is known
    BookAge = 64,  // ns since the feed of the instrument last said anything
    // of what is allowed at all
    Permission = 80,  // kMayBuy ...; an instrument without one may be traded
};

// Bits of a Permission; the restricted list is those without kMayOpen.
inline constexpr i64 kMayBuy = 1;
inline constexpr i64 kMaySell = 2;
inline constexpr i64 kMayShort = 4;  // sell what is not held
inline constexpr i64 kMayOpen = 8;   // else a position may only be reduced

// Circuit breakers of our own behaviour: what was measured when one tripped.
enum class BreakerKind : u8 {
    None = 0,
    Loss = 1,
    Drawdown = 2,
    RejectRate = 3,
    FillRate = 4,
    Slippage = 5,
    TooGood = 6,  // fills better than the market can explain: a wrong price, stale data or a wrong sign
    Latency = 7,
    FeedStale = 8,
    MessageRate = 9,
    PositionJump = 10,
    Reconciliation = 11,
    UnfilledRate = 12,
};

}  // namespace openbell
