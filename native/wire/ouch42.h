// NASDAQ OUCH 4.2: order entry, both directions. Carried by SoupBinTCP: inbound in `U`, outbound in `S`.
//
// Prices are in 1e-4 (kMarketPx: market, crosses only), quantities in shares, times in ns since midnight
// of the exchange's day. Layouts and codes: OUCH 4.2, inbound and outbound message tables.
#pragma once

#include "wire/layout.h"

namespace openbell::ouch42 {

using Token = Alpha<14>;  // letters and digits, unique for the day on the port, case-sensitive
using Symbol = Alpha<8>;
using Firm = Alpha<4>;

inline constexpr u32 kPxMax = 1'999'999'900;  // 199,999.9900
inline constexpr u32 kMarketPx = 0x7FFF'FFFF;
inline constexpr u32 kQtyLimit = 1'000'000;     // orders are smaller than this
inline constexpr u32 kTifImmediate = 0;         // seconds to live; 0 is immediate or cancel
inline constexpr u32 kTifMarketHours = 99'998;  // day
inline constexpr u32 kTifSystemHours = 99'999;
inline constexpr std::size_t kMessageBytesMax = 80;  // Replaced

// ---- inbound: client to venue --------------------------------------------------------------------

struct EnterOrder {
    static constexpr char kType = 'O';
    static constexpr std::size_t kLength = 49;
    static constexpr std::size_t kLengthMin = 48;  // before customer type was added
    Token token;
    char side = 'B';  // B buy, S sell, T sell short, E sell short exempt
    u32 qty = 0;
    Symbol symbol;
    u32 px = 0;
    u32 tif = kTifMarketHours;
    Firm firm;
    char display = 'Y';
    char capacity = 'P';
    char iso = 'N';
    u32 qty_min = 0;
    char cross = 'N';
    char customer = ' ';  // NUL: absent, the 48-byte form

    static constexpr void fields(auto& m, auto&& f) {
        f("token", m.token), f("side", m.side), f("qty", m.qty), f("symbol", m.symbol), f("px", m.px);
        f("tif", m.tif), f("firm", m.firm), f("display", m.display), f("capacity", m.capacity), f("iso", m.iso);
        f("qty_min", m.qty_min), f("cross", m.cross), f.optional("customer", m.customer);
    }
};

struct ReplaceOrder {
    static constexpr char kType = 'U';
    static constexpr std::size_t kLength = 47;
    Token prev_token;
    Token token;
    u32 qty = 0;  // total of the chain, executed shares included
    u32 px = 0;
    u32 tif = kTifMarketHours;
    char display = 'Y';
    char iso = 'N';
    u32 qty_min = 0;

    static constexpr void fields(auto& m, auto&& f) {
        f("prev_token", m.prev_token), f("token", m.token), f("qty", m.qty), f("px", m.px), f("tif", m.tif);
        f("display", m.display), f("iso", m.iso), f("qty_min", m.qty_min);
    }
};

struct CancelOrder {
    static constexpr char kType = 'X';
    static constexpr std::size_t kLength = 19;
    Token token;
    u32 qty = 0;  // the new intended total; 0 cancels all

    static constexpr void fields(auto& m, auto&& f) { f("token", m.token), f("qty", m.qty); }
};

struct ModifyOrder {
    static constexpr char kType = 'M';
    static constexpr std::size_t kLength = 20;
    Token token;
    char side = 'B';
    u32 qty = 0;

    static constexpr void fields(auto& m, auto&& f) { f("token", m.token), f("side", m.side), f("qty", m.qty); }
};

struct TradeNow {  // newer revisions
    static constexpr char kType = 'N';
    static constexpr std::size_t kLength = 15;
    Token token;

    static constexpr void fields(auto& m, auto&& f) { f("token", m.token); }
};

// Exact lengths: an order with bytes that we do not understand must not be obeyed.
using Inbound = Messages<Longer::Refused, EnterOrder, ReplaceOrder, CancelOrder, ModifyOrder, TradeNow>;

// ---- outbound: venue to client -------------------------------------------------------------------

struct SystemEvent {
    static constexpr char kType = 'S';
    static constexpr std::size_t kLength = 10;
    u64 ts = 0;
    char event = 'S';  // S start, E end of day

    static constexpr void fields(auto& m, auto&& f) { f("ts", m.ts), f("event", m.event); }
};

// The venue's view of an order: the common part of Accepted and Replaced.
struct OrderTerms {
    u64 ts = 0;
    Token token;  // Replaced: the replacement
    char side = 'B';
    u32 qty = 0;  // Replaced: shares outstanding
    Symbol symbol;
    u32 px = 0;
    u32 tif = kTifMarketHours;
    Firm firm;
    char display = 'Y';
    u64 order_id = 0;  // equals ITCH's
    char capacity = 'P';
    char iso = 'N';
    u32 qty_min = 0;
    char cross = 'N';
    char state = 'L';  // L live, D dead: accepted and cancelled at once, nothing follows

    static constexpr void terms(auto& m, auto&& f) {
        f("ts", m.ts), f("token", m.token), f("side", m.side), f("qty", m.qty), f("symbol", m.symbol), f("px", m.px);
        f("tif", m.tif), f("firm", m.firm), f("display", m.display), f("order_id", m.order_id);
        f("capacity", m.capacity), f("iso", m.iso), f("qty_min", m.qty_min), f("cross", m.cross), f("state", m.state);
    }
};

struct Accepted : OrderTerms {
    static constexpr char kType = 'A';
    static constexpr std::size_t kLength = 66;
    char bbo_weight = ' ';

    static constexpr void fields(auto& m, auto&& f) { terms(m, f), f("bbo_weight", m.bbo_weight); }
};

struct Replaced : OrderTerms {
    static constexpr char kType = 'U';
    static constexpr std::size_t kLength = 80;
    Token prev_token;
    char bbo_weight = ' ';

    static constexpr void fields(auto& m, auto&& f) {
        terms(m, f), f("prev_token", m.prev_token), f("bbo_weight", m.bbo_weight);
    }
};

struct Canceled {
    static constexpr char kType = 'C';
    static constexpr std::size_t kLength = 28;
    u64 ts = 0;
    Token token;
    u32 qty = 0;  // taken away now
    char reason = 'U';

    static constexpr void fields(auto& m, auto&& f) {
        f("ts", m.ts), f("token", m.token), f("qty", m.qty), f("reason", m.reason);
    }
};

struct AiqCanceled {  // self-match prevention
    static constexpr char kType = 'D';
    static constexpr std::size_t kLength = 38;
    static constexpr std::size_t kLengthMin = 37;  // before the strategy was added
    u64 ts = 0;
    Token token;
    u32 qty = 0;
    char reason = 'Q';
    u32 qty_prevented = 0;
    u32 px = 0;
    char liquidity = ' ';
    char strategy = '\0';  // NUL: absent

    static constexpr void fields(auto& m, auto&& f) {
        f("ts", m.ts), f("token", m.token), f("qty", m.qty), f("reason", m.reason);
        f("qty_prevented", m.qty_prevented), f("px", m.px), f("liquidity", m.liquidity);
        f.optional("strategy", m.strategy);
    }
};

// The common part of every execution.
struct Execution {
    u64 ts = 0;
    Token token;
    u32 qty = 0;
    u32 px = 0;
    char liquidity = 'A';  // A added, R removed, ...
    u64 match_id = 0;      // equals ITCH's

    static constexpr void execution(auto& m, auto&& f) {
        f("ts", m.ts), f("token", m.token), f("qty", m.qty), f("px", m.px);
        f("liquidity", m.liquidity), f("match_id", m.match_id);
    }
};

struct Executed : Execution {
    static constexpr char kType = 'E';
    static constexpr std::size_t kLength = 40;

    static constexpr void fields(auto& m, auto&& f) { execution(m, f); }
};

struct ExecutedWithReferencePrice : Execution {
    static constexpr char kType = 'G';
    static constexpr std::size_t kLength = 45;
    u32 reference_px = 0;
    char reference_kind = ' ';

    static constexpr void fields(auto& m, auto&& f) {
        execution(m, f), f("reference_px", m.reference_px), f("reference_kind", m.reference_kind);
    }
};

struct TradeCorrection : Execution {  // dropped from newer revisions
    static constexpr char kType = 'F';
    static constexpr std::size_t kLength = 41;
    char reason = ' ';

    static constexpr void fields(auto& m, auto&& f) { execution(m, f), f("reason", m.reason); }
};

struct BrokenTrade {
    static constexpr char kType = 'B';
    static constexpr std::size_t kLength = 32;
    u64 ts = 0;
    Token token;
    u64 match_id = 0;
    char reason = 'E';  // E erroneous, C consent, S supervisory, X external

    static constexpr void fields(auto& m, auto&& f) {
        f("ts", m.ts), f("token", m.token), f("match_id", m.match_id), f("reason", m.reason);
    }
};

struct Rejected {
    static constexpr char kType = 'J';
    static constexpr std::size_t kLength = 24;
    u64 ts = 0;
    Token token;
    char reason = 'O';

    static constexpr void fields(auto& m, auto&& f) { f("ts", m.ts), f("token", m.token), f("reason", m.reason); }
};

// A message that only names an order.
template <char kLetter>
struct Notice {
    static constexpr char kType = kLetter;
    static constexpr std::size_t kLength = 23;
    u64 ts = 0;
    Token token;

    static constexpr void fields(auto& m, auto&& f) { f("ts", m.ts), f("token", m.token); }
};
using CancelPending = Notice<'P'>;
using CancelReject = Notice<'I'>;
using TradeNowDone = Notice<'N'>;

struct PriorityUpdate {
    static constexpr char kType = 'T';
    static constexpr std::size_t kLength = 36;
    u64 ts = 0;
    Token token;
    u32 px = 0;
    char display = 'Y';
    u64 order_id = 0;

    static constexpr void fields(auto& m, auto&& f) {
        f("ts", m.ts), f("token", m.token), f("px", m.px), f("display", m.display), f("order_id", m.order_id);
    }
};

struct Modified {
    static constexpr char kType = 'M';
    static constexpr std::size_t kLength = 28;
    u64 ts = 0;
    Token token;
    char side = 'B';
    u32 qty = 0;  // shares outstanding

    static constexpr void fields(auto& m, auto&& f) {
        f("ts", m.ts), f("token", m.token), f("side", m.side), f("qty", m.qty);
    }
};

using Outbound = Messages<Longer::Accepted, SystemEvent, Accepted, Replaced, Canceled, AiqCanceled, Executed,
                          ExecutedWithReferencePrice, TradeCorrection, BrokenTrade, Rejected, CancelPending,
                          CancelReject, TradeNowDone, PriorityUpdate, Modified>;

// `std::visit` the answer: a message, or `Undecodable` which says why not.
inline Inbound::Any decode_inbound(Bytes message) { return Inbound::decode(message); }
inline Outbound::Any decode_outbound(Bytes message) { return Outbound::decode(message); }

}  // namespace openbell::ouch42
