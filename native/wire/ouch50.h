// NASDAQ OUCH 5.0: order entry, both directions. Carried by SoupBinTCP: inbound in `U`, outbound in `S`.
//
// Prices are in 1e-4 (kMarketPx: market, crosses only), quantities in shares, times in ns since midnight of
// the exchange's day. An order is named by `user_ref`, which rises strictly through the day on a port; almost
// every message ends in options (wire/ouch50_options.h). Layouts and codes: OUCH 5.0, inbound and outbound
// message tables, of 2023 and later.
#pragma once

#include "wire/ouch50_codes.h"
#include "wire/ouch50_options.h"

namespace openbell::ouch50 {

using ClOrdId = Alpha<14>;  // letters, digits, spaces; the venue does not look at it
using Symbol = Alpha<8>;
using Firm = Alpha<4>;

inline constexpr u64 kPxMax = 1'999'999'900;  // 199,999.9900
inline constexpr u64 kMarketPx = 0x7FFF'FFFF;
inline constexpr u64 kMarketCrossPx = 2'000'000'000;  // the other way to say market
inline constexpr u32 kQtyLimit = 1'000'000;           // orders, and the executions of a chain, are smaller than this
inline constexpr std::size_t kMessageBytesMax = 66 + Options::kBytesMax;  // Replaced

// ---- inbound: client to venue --------------------------------------------------------------------

struct EnterOrder {
    static constexpr char kType = 'O';
    static constexpr std::size_t kLength = 45;
    static constexpr auto kOptions = TagSet(
        Tag::Firm, Tag::QtyMin, Tag::CustomerType, Tag::MaxFloor, Tag::PriceType, Tag::PegOffset, Tag::DiscretionPx,
        Tag::DiscretionPriceType, Tag::PostOnly, Tag::RandomReserves, Tag::DiscretionPegOffset, Tag::ExpireTime,
        Tag::TradeNow, Tag::HandleInst, Tag::GroupId, Tag::SharesLocated, Tag::LocateBroker, Tag::UserRefIndex);
    u32 user_ref = 0;
    char side = 'B';  // B buy, S sell, T sell short, E sell short exempt
    u32 qty = 0;
    Symbol symbol;
    u64 px = 0;
    char tif = tif::kDay;
    char display = 'Y';   // Y visible, N hidden, A attributable
    char capacity = 'P';  // A agency, P principal, R riskless, O other
    char iso = 'N';       // intermarket sweep
    char cross = cross::kContinuous;
    ClOrdId cl_ord_id;
    Options options;

    static constexpr void fields(auto& m, auto&& f) {
        f("user_ref", m.user_ref), f("side", m.side), f("qty", m.qty), f("symbol", m.symbol), f("px", m.px);
        f("tif", m.tif), f("display", m.display), f("capacity", m.capacity), f("iso", m.iso), f("cross", m.cross);
        f("cl_ord_id", m.cl_ord_id);
    }
};

struct ReplaceOrder {
    static constexpr char kType = 'U';
    static constexpr std::size_t kLength = 38;
    // Firm, customer type and group are inherited.
    static constexpr auto kOptions =
        TagSet(Tag::QtyMin, Tag::MaxFloor, Tag::PriceType, Tag::PegOffset, Tag::DiscretionPx, Tag::PostOnly,
               Tag::DiscretionPriceType, Tag::DiscretionPegOffset, Tag::TradeNow, Tag::HandleInst, Tag::RandomReserves,
               Tag::ExpireTime, Tag::SharesLocated, Tag::LocateBroker, Tag::UserRefIndex, Tag::Side);
    u32 prev_user_ref = 0;
    u32 user_ref = 0;
    u32 qty = 0;  // total of the chain, executed shares included
    u64 px = 0;
    char tif = tif::kDay;
    char display = 'Y';
    char iso = 'N';
    ClOrdId cl_ord_id;
    Options options;

    static constexpr void fields(auto& m, auto&& f) {
        f("prev_user_ref", m.prev_user_ref), f("user_ref", m.user_ref), f("qty", m.qty), f("px", m.px);
        f("tif", m.tif), f("display", m.display), f("iso", m.iso), f("cl_ord_id", m.cl_ord_id);
    }
};

struct CancelOrder {
    static constexpr char kType = 'X';
    static constexpr std::size_t kLength = 9;
    u32 user_ref = 0;
    u32 qty = 0;  // the new intended total; 0 cancels all
    OptionalOptions options;

    static constexpr void fields(auto& m, auto&& f) { f("user_ref", m.user_ref), f("qty", m.qty); }
};

struct ModifyOrder {
    static constexpr char kType = 'M';
    static constexpr std::size_t kLength = 10;
    u32 user_ref = 0;
    char side = 'B';  // changes among S, T and E only
    u32 qty = 0;      // as in CancelOrder; may not grow
    OptionalOptions options;

    static constexpr void fields(auto& m, auto&& f) { f("user_ref", m.user_ref), f("side", m.side), f("qty", m.qty); }
};

struct MassCancel {
    static constexpr char kType = 'C';
    static constexpr std::size_t kLength = 17;
    static constexpr auto kOptions = TagSet(Tag::Side, Tag::GroupId, Tag::UserRefIndex);  // group 0: orders without one
    u32 user_ref = 0;
    Firm firm;
    Symbol symbol;  // blank: all
    Options options;

    static constexpr void fields(auto& m, auto&& f) {
        f("user_ref", m.user_ref), f("firm", m.firm), f("symbol", m.symbol);
    }
};

// A message about all orders of a firm.
template <char kLetter>
struct OrderEntry {
    static constexpr char kType = kLetter;
    static constexpr std::size_t kLength = 9;
    u32 user_ref = 0;
    Firm firm;
    Options options;

    static constexpr void fields(auto& m, auto&& f) { f("user_ref", m.user_ref), f("firm", m.firm); }
};
using DisableOrderEntry = OrderEntry<'D'>;
using EnableOrderEntry = OrderEntry<'E'>;

struct AccountQuery {
    static constexpr char kType = 'Q';
    static constexpr std::size_t kLength = 1;
    OptionalOptions options;

    static constexpr void fields(auto&, auto&&) {}
};

// Exact lengths, both ways: the protocol grows by options, so bytes behind them are damage.
using Inbound = Messages<Longer::Refused, EnterOrder, ReplaceOrder, CancelOrder, ModifyOrder, MassCancel,
                         DisableOrderEntry, EnableOrderEntry, AccountQuery>;

// ---- outbound: venue to client -------------------------------------------------------------------

struct SystemEvent {
    static constexpr char kType = 'S';
    static constexpr std::size_t kLength = 10;
    u64 ts = 0;
    char event = 'S';  // S start, E end of day

    static constexpr void fields(auto& m, auto&& f) { f("ts", m.ts), f("event", m.event); }
};

// The venue's view of an order: the common end of Accepted and Replaced.
struct OrderTerms {
    char side = 'B';
    u32 qty = 0;  // Replaced: shares outstanding
    Symbol symbol;
    u64 px = 0;  // may be better than what was entered
    char tif = tif::kDay;
    char display = 'Y';  // as entered, or Z conformant
    u64 order_id = 0;    // equals ITCH's
    char capacity = 'P';
    char iso = 'N';
    char cross = cross::kContinuous;
    char state = 'L';  // L live, D dead: accepted and cancelled at once, nothing follows
    ClOrdId cl_ord_id;
    Options options;

    static constexpr void terms(auto& m, auto&& f) {
        f("side", m.side), f("qty", m.qty), f("symbol", m.symbol), f("px", m.px), f("tif", m.tif);
        f("display", m.display), f("order_id", m.order_id), f("capacity", m.capacity), f("iso", m.iso);
        f("cross", m.cross), f("state", m.state), f("cl_ord_id", m.cl_ord_id);
    }
};

struct Accepted : OrderTerms {
    static constexpr char kType = 'A';
    static constexpr std::size_t kLength = 62;
    u64 ts = 0;
    u32 user_ref = 0;

    static constexpr void fields(auto& m, auto&& f) { f("ts", m.ts), f("user_ref", m.user_ref), terms(m, f); }
};

struct Replaced : OrderTerms {
    static constexpr char kType = 'U';
    static constexpr std::size_t kLength = 66;
    u64 ts = 0;
    u32 prev_user_ref = 0;
    u32 user_ref = 0;

    static constexpr void fields(auto& m, auto&& f) {
        f("ts", m.ts), f("prev_user_ref", m.prev_user_ref), f("user_ref", m.user_ref), terms(m, f);
    }
};

struct Canceled {
    static constexpr char kType = 'C';
    static constexpr std::size_t kLength = 18;
    u64 ts = 0;
    u32 user_ref = 0;
    u32 qty = 0;  // taken away now
    char reason = 'U';
    OptionalOptions options;

    static constexpr void fields(auto& m, auto&& f) {
        f("ts", m.ts), f("user_ref", m.user_ref), f("qty", m.qty), f("reason", m.reason);
    }
};

struct AiqCanceled {  // self-match prevention
    static constexpr char kType = 'D';
    static constexpr std::size_t kLength = 32;
    u64 ts = 0;
    u32 user_ref = 0;
    u32 qty = 0;  // taken away now
    char reason = 'Q';
    u32 qty_prevented = 0;
    u64 px = 0;  // at which it would have been executed
    char liquidity = 'A';
    char strategy = ' ';
    OptionalOptions options;

    static constexpr void fields(auto& m, auto&& f) {
        f("ts", m.ts), f("user_ref", m.user_ref), f("qty", m.qty), f("reason", m.reason);
        f("qty_prevented", m.qty_prevented), f("px", m.px);
        f("liquidity", m.liquidity), f("strategy", m.strategy);
    }
};

struct Executed {
    static constexpr char kType = 'E';
    static constexpr std::size_t kLength = 34;
    u64 ts = 0;
    u32 user_ref = 0;
    u32 qty = 0;
    u64 px = 0;
    char liquidity = 'A';  // A added, R removed, ...
    u64 match_id = 0;      // of both sides; equals ITCH's
    Options options;

    static constexpr void fields(auto& m, auto&& f) {
        f("ts", m.ts), f("user_ref", m.user_ref), f("qty", m.qty), f("px", m.px);
        f("liquidity", m.liquidity), f("match_id", m.match_id);
    }
};

struct BrokenTrade {
    static constexpr char kType = 'B';
    static constexpr std::size_t kLength = 36;
    u64 ts = 0;
    u32 user_ref = 0;
    u64 match_id = 0;
    char reason = 'E';  // E erroneous, C consent, S supervisory, X external
    ClOrdId cl_ord_id;
    OptionalOptions options;

    static constexpr void fields(auto& m, auto&& f) {
        f("ts", m.ts), f("user_ref", m.user_ref), f("match_id", m.match_id), f("reason", m.reason);
        f("cl_ord_id", m.cl_ord_id);
    }
};

struct Rejected {  // the user_ref is used up
    static constexpr char kType = 'J';
    static constexpr std::size_t kLength = 29;
    u64 ts = 0;
    u32 user_ref = 0;
    u16 reason = u16(RejectReason::Other);  // RejectReason
    ClOrdId cl_ord_id;
    OptionalOptions options;

    static constexpr void fields(auto& m, auto&& f) {
        f("ts", m.ts), f("user_ref", m.user_ref), f("reason", m.reason), f("cl_ord_id", m.cl_ord_id);
    }
};

// A message that only names an order.
template <char kLetter>
struct Notice {
    static constexpr char kType = kLetter;
    static constexpr std::size_t kLength = 13;
    u64 ts = 0;
    u32 user_ref = 0;
    OptionalOptions options;

    static constexpr void fields(auto& m, auto&& f) { f("ts", m.ts), f("user_ref", m.user_ref); }
};
using CancelPending = Notice<'P'>;
using CancelReject = Notice<'I'>;
using AccountQueryResponse = Notice<'Q'>;  // user_ref: the next free one

struct PriorityUpdate {
    static constexpr char kType = 'T';
    static constexpr std::size_t kLength = 30;
    u64 ts = 0;
    u32 user_ref = 0;
    u64 px = 0;
    char display = 'Y';
    u64 order_id = 0;
    OptionalOptions options;

    static constexpr void fields(auto& m, auto&& f) {
        f("ts", m.ts), f("user_ref", m.user_ref), f("px", m.px), f("display", m.display), f("order_id", m.order_id);
    }
};

struct Modified {
    static constexpr char kType = 'M';
    static constexpr std::size_t kLength = 18;
    u64 ts = 0;
    u32 user_ref = 0;
    char side = 'B';
    u32 qty = 0;  // shares outstanding
    OptionalOptions options;

    static constexpr void fields(auto& m, auto&& f) {
        f("ts", m.ts), f("user_ref", m.user_ref), f("side", m.side), f("qty", m.qty);
    }
};

struct Restated {
    static constexpr char kType = 'R';
    static constexpr std::size_t kLength = 14;
    u64 ts = 0;
    u32 user_ref = 0;
    char reason = 'R';  // R refresh of the display, P displayed price
    Options options;    // displayed quantity and price, the order's number on the feed

    static constexpr void fields(auto& m, auto&& f) { f("ts", m.ts), f("user_ref", m.user_ref), f("reason", m.reason); }
};

struct MassCancelResponse {
    static constexpr char kType = 'X';
    static constexpr std::size_t kLength = 25;
    u64 ts = 0;
    u32 user_ref = 0;
    Firm firm;
    Symbol symbol;
    Options options;

    static constexpr void fields(auto& m, auto&& f) {
        f("ts", m.ts), f("user_ref", m.user_ref), f("firm", m.firm), f("symbol", m.symbol);
    }
};

template <char kLetter>
struct OrderEntryResponse {
    static constexpr char kType = kLetter;
    static constexpr std::size_t kLength = 17;
    u64 ts = 0;
    u32 user_ref = 0;
    Firm firm;
    Options options;

    static constexpr void fields(auto& m, auto&& f) { f("ts", m.ts), f("user_ref", m.user_ref), f("firm", m.firm); }
};
using DisableResponse = OrderEntryResponse<'G'>;
using EnableResponse = OrderEntryResponse<'K'>;

using Outbound = Messages<Longer::Refused, SystemEvent, Accepted, Replaced, Canceled, AiqCanceled, Executed,
                          BrokenTrade, Rejected, CancelPending, CancelReject, AccountQueryResponse, PriorityUpdate,
                          Modified, Restated, MassCancelResponse, DisableResponse, EnableResponse>;

// `std::visit` the answer: a message, or `Undecodable` which says why not.
inline Inbound::Any decode_inbound(Bytes message) { return Inbound::decode(message); }
inline Outbound::Any decode_outbound(Bytes message) { return Outbound::decode(message); }

}  // namespace openbell::ouch50
