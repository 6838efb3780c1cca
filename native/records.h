// The vocabulary: every event and command that crosses the journal, byte by byte.
//
// A frame (journal/frame.h) holds records of one size: 48 bytes (market data, timers) or 128 bytes
// (instruments, reports, control, decisions). All fields little-endian and naturally aligned; padding
// is explicit and zero, so equal records are equal bytes. This file is the only definition: Python's
// NumPy dtypes are generated from it (bindings/records.cpp) and a test compares size and offsets.
//
// Units: px is an int64 in the instrument's fixed decimal (ITCH: 1e-4), qty an int64 in lots of
// qty_unit, every time an int64 in ns since the Unix epoch, UTC.
#pragma once

#include <cstddef>
#include <type_traits>

#include "limit_kinds.h"
#include "reasons.h"

namespace openbell {

inline constexpr u32 kNoInstrument = 0xFFFF'FFFF;
inline constexpr u16 kNoStrategy = 0xFFFF;

// What a record says. The numbers are the format: append, never reuse.
enum class Type : u8 {
    // market data, `Market`, 48 bytes
    BookAdd = 1,         // a displayed order joined the back of its level
    BookModify = 2,      // order_id became ref with a new px and qty and new time priority; side inherited
    BookCancel = 3,      // order_id lost qty (kWhole: all of it), priority kept
    BookExecute = 4,     // order_id lost qty to an aggressor; px 0 with kAtOrderPx = at its own price
    BookClear = 5,       // every order of the instrument is gone
    BookLevel = 6,       // level px of the flagged side now holds qty (L2 venues; 0 removes it)
    Quote = 7,           // touch of the flagged side: px, qty (L1 venues)
    Trade = 8,           // print against a hidden order or in a cross; the book does not change
    TradeBust = 9,       // print `ref` was broken
    Status = 10,         // trading state of the instrument in `ref` (TradingState)
    Imbalance = 11,      // auction imbalance: px reference, qty signed imbalance, ref paired; AuctionPrices follows
    AuctionPrices = 12,  // `Prices` of the Imbalance before: px far, near, reference; code its letters
    AuctionCollar = 13,  // `Prices`: px reference, lower, upper bound of an auction; code = extensions so far
    DirectListing = 14,  // `Prices`: px lowest, highest, near execution; code = its time; AuctionCollar follows
    BreakerLevels = 15,  // `Prices`, of the market, in 1e-8: the index levels 1, 2, 3 of a market-wide halt
    // timers, `Timer`, 48 bytes
    Timer = 16,
    // more market data, `Market`, 48 bytes
    Breaker = 17,         // market-wide halt: level in `ref` was breached
    VenueHalt = 18,       // one market's own systems: ref Halted or Trading, order_id market and action, letters
    ShortSale = 19,       // short-sale price test (Reg SHO): order_id action, a letter
    Participant = 20,     // standing of a market maker: order_id MPID, primary, mode, state, 7 letters
    IpoQuoting = 21,      // quoting of a new listing: px, ref release time (0: none), order_id qualifier, a letter
    RetailInterest = 22,  // retail price improvement: order_id side of the interest, a letter
    FeedCheck = 23,       // a check failed: ref = Check, order_id, px, qty as found, flags kDropped, kInvalidates
    Signal = 24,          // a value from another process, a model's or a person's: `Signal`
    // reference data, `Instrument`, 128 bytes
    Instrument = 32,
    // reports of a venue about our orders, `Report`, 128 bytes
    Accepted = 48,
    Rejected = 49,
    Replaced = 50,
    Canceled = 51,
    CancelRejected = 52,
    Filled = 53,
    Corrected = 54,
    Busted = 55,
    Expired = 56,
    Sent = 57,     // our own: the bytes were handed to the socket at ts_sent
    NotSent = 58,  // our own: they were not, and never will be; reason says why
    Denied = 59,   // our own: what a strategy asked for was refused; reason says why
    // control, `Started` or `Control`, 128 bytes; 81 is no longer used
    Started = 80,       // a new epoch begins: `Started`
    Operator = 82,      // a person's command, for the record
    Parameters = 83,    // what `source` names: breaker, parameter of a strategy, its kept state, route
    Arm = 84,           // code = ArmState
    Kill = 85,          // code = KillLevel; stays until an Arm with kAfterKill
    Connected = 86,     // order session `source` is up; values[0] = next expected sequence
    Disconnected = 87,  // order session `source` is down
    Gap = 88,           // feed `source` misses [values[0], values[1]): its books are not valid; code says which kind
    Recovered = 89,     // the gap is filled, the silence over
    Heartbeat = 90,
    TradingDay = 91,      // values[0] = YYYYMMDD, values[1] = UTC offset of the zone in s, text = zone
    ClockOffset = 92,     // values[0] = measured offset of wall over monotonic, ns; values[1] = the one in use
    Overrun = 93,         // a callback of strategy `code` took values[0] ns
    Checkpoint = 94,      // asks for a full state hash
    StrategyHalted = 95,  // strategy `strategy` raised or was stopped; text = why
    Resolved = 96,        // session `source` has replayed everything: in-doubt orders are settled now
    TapeRef = 97,         // a backtest's journal refers to a tape: text = its hash, values = latencies
    ExchangeInput = 98,   // what changed an exchange: `ExchangeInput`
    Quarantined = 99,     // a message that a check kept out, with its bytes: `Quarantined`
    Limit = 100,          // one limit of risk: `Limit`
    Conversion = 101,     // text = currency, values[0] = its worth in 1e-8 of the base currency
    FeeRate = 102,        // of account `source`: text = the venue's liquidity flags, values = per lot, bps x 100
    Adjustment = 103,     // a person moved a position: values = qty, px, cash in 1e-4, match; code = uid; text = why
    Break = 104,          // books differ: values = ours, theirs, order, match; text = number against owner symbol note
    Said = 105,           // a strategy in a process of its own: code = SaidKind, values = SaidValue, source = records
    // the decision, OUT, 128 bytes; Intent to StrategyState of processes of their own are IN too
    Intent = 128,        // what a strategy asked: `Intent`
    Approved = 129,      // `Order` from here: risk let it pass
    Refused = 130,       // risk did not: reason, limit, observed
    NewOrder = 131,      // to the venue
    ReplaceOrder = 132,  // to the venue
    CancelOrder = 133,   // to the venue
    MassCancel = 134,
    TimerArmed = 135,     // `TimerArmed`
    StrategyState = 136,  // declared state after a callback: `StrategyState`
    Hash = 137,           // `Hash`, last record of every OUT frame
    Tripped = 138,        // a circuit breaker: code = BreakerKind, values = limit, observed, ArmState before, after
    StopHeld = 139,       // `Order`: the engine waits with it; prev_px its stop price, prev_qty its trail
    StopEnded = 140,  // `Order`: tag of the StopHeld; prev_px its stop price at the end; reason 0: became `observed`
};

enum class Side : u8 { Buy = 1, Sell = 2 };
// FIX TimeInForce (59).
enum class Tif : u8 { Day = 0, Gtc = 1, AtOpen = 2, Ioc = 3, Fok = 4, Gtd = 6, AtClose = 7 };

// FIX OrdStatus plus IN_DOUBT: sent or maybe sent, outcome unknown; risk counts it as live.
enum class OrderState : u8 {
    None = 0,
    PendingNew,
    New,
    PartiallyFilled,
    PendingReplace,
    PendingCancel,
    InDoubt,
    Filled,  // from here terminal
    Canceled,
    Rejected,
    Expired,
};
constexpr bool is_terminal(OrderState s) { return s >= OrderState::Filled; }

enum class ArmState : u8 { Off = 0, Shadow, CancelOnly, ReduceOnly, Limited, Full };
enum class KillLevel : u8 { None = 0, Soft = 1, Hard = 2, Cord = 3 };
// Control::flags of a Break: what became of it. Its code is the kind of difference, values[2] our cl_ord_id.
enum class BreakNews : u8 { Opened = 0, Closed = 1, Changed = 2, Assigned = 3 };
enum class TradingState : u8 { Unknown = 0, Halted, Paused, QuoteOnly, Trading, Closed };
enum class IntentKind : u8 { Quote = 1, Order = 2, Cancel = 3, CancelAll = 4, Target = 5, Parent = 6, Replace = 7 };
// What a stop order of the engine watches.
enum class Trigger : u8 { None = 0, LastTrade = 1, Touch = 2 };

// Market::flags
inline constexpr u8 kBuy = 1;        // the resting order's side is BUY (else SELL)
inline constexpr u8 kWhole = 2;      // BookCancel: the whole order
inline constexpr u8 kAtOrderPx = 4;  // BookExecute: at the order's own price
inline constexpr u8 kPrintable = 8;  // counts as volume
inline constexpr u8 kSnapshot = 16;  // part of a snapshot, not news
// Market::flags of a FeedCheck, Quarantined::flags
inline constexpr u8 kDropped = 32;      // what failed the check was left out
inline constexpr u8 kInvalidates = 64;  // the instrument's book is not valid from here
// Market::flags of a VenueHalt
inline constexpr u8 kHere = 1;       // of the market whose feed this is
inline constexpr u8 kEligible = 1;   // Prices::flags of a DirectListing: may be released for trading
inline constexpr u8 kRemoved = 1;    // Limit::flags: the limit no longer holds
inline constexpr u8 kContinues = 1;  // ExchangeInput::flags: the next record carries on with the bytes of this one
inline constexpr u8 kAfterKill = 1, kSettles = 2;  // flags of an Arm: a release; what is in doubt never got there
// Intent::flags, Order::flags
inline constexpr u8 kPostOnly = 1;  // must not trade on arrival
inline constexpr u8 kHidden = 2;    // nothing of it is shown

struct Market {
    u8 type;       //  0 Type
    u8 flags;      //  1 kBuy ...
    u16 tracking;  //  2 the venue's tracking number, carried and not interpreted
    u32 instrument;
    i64 ts_event;  //  8 venue time
    u64 order_id;  // 16 the venue's order reference
    i64 px;        // 24
    i64 qty;       // 32
    u64 ref;       // 40 BookModify: new order_id; BookExecute, Trade: match number; BookAdd: attribution; else by type
};
static_assert(sizeof(Market) == 48 && offsetof(Market, order_id) == 16 && offsetof(Market, ref) == 40);

struct Prices {
    u8 type;
    u8 flags;        //  1 kEligible
    u16 tracking;    //  2 as in Market
    u32 instrument;  //  4 kNoInstrument: of the market
    i64 ts_event;    //  8 venue time
    u64 code;        // 16 by type
    i64 px[3];       // 24 by type; 0 = none
};
static_assert(sizeof(Prices) == 48 && offsetof(Prices, code) == 16 && offsetof(Prices, px) == 24);

struct Timer {
    u8 type;
    u8 flags;
    u16 strategy;
    u32 instrument;  // kNoInstrument
    i64 ts_event;    //  8 the deadline
    u64 timer_id;    // 16 chosen by the strategy
    u64 pad[3];
};
static_assert(sizeof(Timer) == 48);

struct Signal {
    u8 type;
    u8 flags;
    u16 strategy;    //  2 kNoStrategy: all of them
    u32 instrument;  //  4 kNoInstrument: of none
    i64 ts_event;    //  8 when the sender's request was read, ns
    u64 signal_id;   // 16 its place in the configuration
    double value;    // 24 finite
    u32 uid;         // 32 who sent it, as the kernel says
    u32 pid;         // 36
    u64 pad0;
};
static_assert(sizeof(Signal) == 48 && offsetof(Signal, value) == 24);

struct Instrument {
    u8 type;
    u8 flags;
    u16 venue;       //  2 index of the venue in the configuration
    u32 instrument;  //  4 dense id given by the node
    i64 ts_event;
    char symbol[16];   // 16 padded with NUL
    char currency[4];  // 32
    u32 asset;         // 36 the same asset on two venues has one id
    u32 locate;        // 40 the venue's own handle (ITCH stock locate)
    u8 px_decimals;    // 44 price_unit = 10^-px_decimals
    u8 qty_decimals;   // 45
    u8 pad0[2];
    i64 tick;           // 48 in px units: prices of orders must be multiples
    i64 lot;            // 56 in qty units
    i64 multiplier;     // 64
    i64 valid_from;     // 72 ns
    char calendar[16];  // 80
    u32 round_lot;      // 96 the venue's round lot; 0 = none said
    u32 etp_leverage;   // 100 of an exchange-traded product, rounded down
    char listing[16];   // 104 the venue's letters about the listing, in the order of its message
    u64 pad1;
};
static_assert(sizeof(Instrument) == 128 && offsetof(Instrument, tick) == 48 && offsetof(Instrument, listing) == 104);

struct Report {
    u8 type;
    u8 flags;
    u8 side;
    u8 liquidity;      //  3 the venue's liquidity flag, a character
    u32 instrument;    //  4
    i64 ts_event;      //  8 venue time
    u64 cl_ord_id;     // 16 ours
    u64 order_id;      // 24 the venue's
    u64 exec_id;       // 32 the venue's match number
    i64 last_px;       // 40 Filled: price and quantity of this fill; NotSent: the limit and what was observed
    i64 last_qty;      // 48 Canceled: quantity taken away now
    i64 px;            // 56 Accepted, Replaced: as the venue holds the order
    i64 leaves_qty;    // 64 Accepted, Replaced: open quantity
    i64 ts_sent;       // 72 Sent
    u32 version;       // 80
    u32 prev_version;  // 84 Replaced
    u16 reason;        // 88 Reason
    u8 venue_reason;   // 90 the venue's character
    u8 command;        // 91 Sent, NotSent: Type of the command
    u16 strategy;      // 92 filled in by the OMS for callbacks; 0 on the wire
    u16 pad0;
    u64 tag;  // 96 the strategy's own mark of the order; as `strategy`
    u64 pad1[3];
};
static_assert(sizeof(Report) == 128 && offsetof(Report, version) == 80 && offsetof(Report, tag) == 96);

struct Started {
    u8 type;
    u8 flags;
    u16 node;        //  2 6 bits used: part of every cl_ord_id
    u32 instrument;  //  kNoInstrument
    i64 ts_event;    //  8 wall clock at start
    u32 epoch;       // 16 18 bits used
    u32 pad0;
    u8 binary_hash[16];      // 24 what runs: a restart with another one must be acknowledged
    u8 strategies_hash[16];  // 40
    u8 limits_hash[16];      // 56
    u8 config_hash[16];      // 72
    u64 seed;                // 88 of the strategies' random source
    u64 pad1[4];
};
static_assert(sizeof(Started) == 128 && offsetof(Started, seed) == 88);

struct Limit {
    u8 type;
    u8 flags;        //  1 kRemoved
    u16 strategy;    //  2 kNoStrategy: all of them
    u32 instrument;  //  4 kNoInstrument: all of them
    i64 ts_event;
    i64 value;          // 16 unit by kind
    i64 window_ns;      // 24 of kinds that count over time
    i64 reserve;        // 32 MessageRate, OrdersPerTrade
    u8 kind;            // 40 LimitKind
    u8 scope;           // 41 LimitScope
    u16 account;        // 42
    u32 version;        // 44 of the set it came with
    char owner[16];     // 48 who answers for it
    char approver[16];  // 64 the second identity, where it was loosened
    u64 pad1[6];
};
static_assert(sizeof(Limit) == 128 && offsetof(Limit, kind) == 40 && offsetof(Limit, approver) == 64);

struct Control {
    u8 type;
    u8 flags;
    u16 strategy;    //  2 kNoStrategy
    u32 instrument;  //  4 kNoInstrument
    i64 ts_event;
    u32 code;    // 16 meaning by type
    u16 source;  // 20 session or feed
    u16 pad0;
    i64 values[4];  // 24 meaning by type
    char text[72];  // 56 padded with NUL
};
static_assert(sizeof(Control) == 128 && offsetof(Control, text) == 56);

struct Intent {
    u8 type;
    u8 kind;          //  1 IntentKind
    u8 side;          //  2 Side; CancelAll: 0 = both
    u8 tif;           //  3 Tif, for Order
    u32 instrument;   //  4 CancelAll: kNoInstrument = all
    i64 ts_event;     //  8 engine time of the decision
    i64 bid_px;       // 16 Quote; px of an Order of either side stands in `px`. Parent: begins at, ns
    i64 bid_qty;      // 24 Quote
    i64 ask_px;       // 32 Quote. Parent: most of the market's volume, bps; 0 = any
    i64 ask_qty;      // 40 Quote. Parent: urgency, bps
    i64 px;           // 48 Order: 0 = market. Target, Parent: worst price; 0 = the far touch, none
    i64 qty;          // 56 Replace: total of the chain. Target: the position, short negative
    u64 cl_ord_id;    // 64 Cancel, Replace
    u64 tag;          // 72 the strategy's own mark
    u64 as_of_seq;    // 80 last frame the strategy had seen
    u16 strategy;     // 88
    u16 basket;       // 90 Order: those of one number leave together or not at all; 0 = alone. Parent: the algorithm
    u16 collar_bps;   // 92 Order at market: how far beyond the far touch
    u8 flags;         // 94 kPostOnly, kHidden
    u8 trigger;       // 95 Trigger, of a stop order
    i64 display_qty;  // 96 Order: shown at a time; 0 = all of it. Target: most of one order; 0 = no bound
    i64 stop_px;      // 104 a stop order's, or a trailing one's at the start; 0 = from what it watches
    i64 trail;        // 112 how far a trailing stop stays behind; 0 = it stays where it is
    i64 expires_ns;   // 120 Gtd. Parent: ends at
};
static_assert(sizeof(Intent) == 128 && offsetof(Intent, strategy) == 88 && offsetof(Intent, display_qty) == 96);

struct Order {
    u8 type;
    u8 flags;            //  1 kPostOnly, kHidden
    u8 side;             //  2 Side
    u8 tif;              //  3 Tif
    u32 instrument;      //  4
    i64 ts_event;        //  8 engine time of the decision
    u64 cl_ord_id;       // 16
    i64 px;              // 24
    i64 qty;             // 32 total of the chain, executed shares included
    i64 prev_px;         // 40 ReplaceOrder: what is replaced
    i64 prev_qty;        // 48
    i64 limit;           // 56 Refused: the limit and what was observed
    i64 observed;        // 64
    u32 version;         // 72 the version this command creates (cancel: the version it cancels)
    u16 strategy;        // 76
    u16 reason;          // 78 Reason
    u64 tag;             // 80
    u64 intent_seq;      // 88 seq of the IN frame that caused it
    u32 prev_version;    // 96 ReplaceOrder: the version replaced; 0 = version - 1
    u8 scope;            // 100 Refused: LimitScope of the limit
    u8 kind;             // 101 Refused: LimitKind of the limit
    u16 account;         // 102
    i64 leaves_qty;      // 104 open at the venue once this is done
    u32 limits_version;  // 112 Approved, Refused: of the limits it was judged by
    u32 expires_s;       // 116 Gtd: seconds since the Unix epoch, UTC
    i64 display_qty;     // 120 shown at a time; 0 = all of it
};
static_assert(sizeof(Order) == 128 && offsetof(Order, version) == 72 && offsetof(Order, limits_version) == 112);

struct TimerArmed {
    u8 type;
    u8 flags;
    u16 strategy;
    u32 instrument;
    i64 ts_event;
    u64 timer_id;  // 16
    i64 deadline;  // 24
    u64 pad1[12];
};
static_assert(sizeof(TimerArmed) == 128);

struct StrategyState {
    u8 type;
    u8 flags;
    u16 strategy;    // 2
    u32 instrument;  // kNoInstrument
    i64 ts_event;
    u16 offset;  // 16 of bytes within the strategy's declared state
    u16 length;  // 18
    u32 size;    // 20 of the whole state
    u8 bytes[104];
};
static_assert(sizeof(StrategyState) == 128 && offsetof(StrategyState, bytes) == 24);

struct Hash {
    u8 type;
    u8 flags;  // 1: `state` is a full state hash
    u16 pad0;
    u32 instrument;  // kNoInstrument
    i64 ts_event;
    u64 rolling;    // 16 over every decision so far
    u64 state;      // 24 full state hash at a checkpoint, else 0
    u64 decisions;  // 32 count
    u64 pad1[11];
};
static_assert(sizeof(Hash) == 128);

struct ExchangeInput {
    u8 type;
    u8 flags;        //  1 kContinues
    u16 length;      //  2 of bytes, used here
    u32 instrument;  //  4 index in the exchange's configuration; kNoInstrument
    i64 ts_event;    //  8 when the exchange took it
    u32 account;     // 16 number of the account
    u8 verb;         // 20 exchange/input.h
    u8 pad0[3];
    u8 bytes[104];  // 24 by verb: an order-entry message, or the verb's values
};
static_assert(sizeof(ExchangeInput) == 128 && offsetof(ExchangeInput, bytes) == 24);

struct Quarantined {
    u8 type;
    u8 flags;        //  1 kDropped, kInvalidates
    u8 check;        //  2 Check
    u8 length;       //  3 of bytes, used here
    u32 instrument;  //  4 kNoInstrument where the message names none
    i64 ts_event;    //  8 as the message says, 0 where it cannot
    u64 count;       // 16 how many the feed has kept out so far, this one included
    u8 bytes[104];   // 24 the message as it came, cut to what fits
};
static_assert(sizeof(Quarantined) == 128 && offsetof(Quarantined, bytes) == 24);

// ---- order ids -----------------------------------------------------------------------------------
// | node 6 | epoch 18 | strategy 10 | counter 30 |   most significant first
constexpr u64 make_cl_ord_id(u32 node, u32 epoch, u32 strategy, u32 counter) {
    return u64(node & 0x3F) << 58 | u64(epoch & 0x3FFFF) << 40 | u64(strategy & 0x3FF) << 30 | (counter & 0x3FFFFFFF);
}
constexpr u32 node_of(u64 cl_ord_id) { return u32(cl_ord_id >> 58); }
constexpr u32 epoch_of(u64 cl_ord_id) { return u32(cl_ord_id >> 40) & 0x3FFFF; }
constexpr u16 strategy_of(u64 cl_ord_id) { return u16(cl_ord_id >> 30 & 0x3FF); }
constexpr u32 counter_of(u64 cl_ord_id) { return u32(cl_ord_id & 0x3FFFFFFF); }
constexpr std::size_t kSmallRecord = 48;
constexpr std::size_t kLargeRecord = 128;
constexpr std::size_t record_size(Type t) { return u8(t) < 32 ? kSmallRecord : kLargeRecord; }

template <class Record>
inline constexpr bool is_record = std::is_trivially_copyable_v<Record> && std::is_standard_layout_v<Record> &&
                                  (sizeof(Record) == kSmallRecord || sizeof(Record) == kLargeRecord);
static_assert(is_record<Market> && is_record<Prices> && is_record<Timer> && is_record<Signal> &&
              is_record<Instrument> && is_record<Quarantined> && is_record<Report> && is_record<Started> &&
              is_record<Limit> && is_record<Control> && is_record<Intent> && is_record<Order> &&
              is_record<TimerArmed> && is_record<StrategyState> && is_record<Hash> && is_record<ExchangeInput>);

}  // namespace openbell
