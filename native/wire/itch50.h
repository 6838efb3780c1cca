// NASDAQ TotalView-ITCH 5.0: all 23 messages, both directions.
//
// Every message begins with the same 11 bytes:
//
//  0      1        3          5           11
//  | type | locate | tracking | timestamp | ...
//
// Times are ns since midnight of the exchange's day, px in 1e-4, px8 in 1e-8, quantities in shares.
// Readers skip unknown types and accept longer messages of known ones, because the feed grows.
// Layouts: TotalView-ITCH 5.0, section 1 (message formats).
#pragma once

#include "wire/layout.h"

namespace openbell::itch50 {

using Symbol = Alpha<8>;
using Mpid = Alpha<4>;
inline constexpr std::size_t kMessageBytesMax = 50;  // NetOrderImbalance
inline constexpr std::size_t kHeadBytes = 11;

struct Head {
    u16 locate = 0;    // index of the instrument for the day; 0 where none is meant
    u16 tracking = 0;  // internal to Nasdaq: carried, not interpreted
    u64 ts = 0;

    static constexpr void head(auto& m, auto&& f) {
        f("locate", m.locate), f("tracking", m.tracking), f.be48("ts", m.ts);
    }
};

struct SystemEvent : Head {
    static constexpr char kType = 'S';
    static constexpr std::size_t kLength = 12;
    char event = 'O';  // O S Q M E C: messages, system, market start; market, system, messages end

    static constexpr void fields(auto& m, auto&& f) { head(m, f), f("event", m.event); }
};

struct StockDirectory : Head {
    static constexpr char kType = 'R';
    static constexpr std::size_t kLength = 39;
    Symbol symbol;
    char market = 'Q';
    char financial_status = 'N';
    u32 round_lot = 100;
    char round_lots_only = 'N';
    char classification = 'C';
    Alpha<2> sub_type{"Z"};
    char authenticity = 'P';  // P live, T test
    char short_sale_threshold = 'N';
    char ipo = 'N';
    char luld_tier = '1';
    char etp = 'N';
    u32 etp_leverage = 0;
    char inverse = 'N';

    static constexpr void fields(auto& m, auto&& f) {
        head(m, f), f("symbol", m.symbol), f("market", m.market), f("financial_status", m.financial_status);
        f("round_lot", m.round_lot), f("round_lots_only", m.round_lots_only), f("classification", m.classification);
        f("sub_type", m.sub_type), f("authenticity", m.authenticity), f("short_sale_threshold", m.short_sale_threshold);
        f("ipo", m.ipo), f("luld_tier", m.luld_tier), f("etp", m.etp), f("etp_leverage", m.etp_leverage);
        f("inverse", m.inverse);
    }
};

struct TradingAction : Head {
    static constexpr char kType = 'H';
    static constexpr std::size_t kLength = 25;
    Symbol symbol;
    char state = 'T';  // H halted, P paused, Q quotation only, T trading
    char reserved = ' ';
    Alpha<4> reason;

    static constexpr void fields(auto& m, auto&& f) {
        head(m, f), f("symbol", m.symbol), f("state", m.state), f("reserved", m.reserved), f("reason", m.reason);
    }
};

struct RegSho : Head {
    static constexpr char kType = 'Y';
    static constexpr std::size_t kLength = 20;
    Symbol symbol;
    char action = '0';

    static constexpr void fields(auto& m, auto&& f) { head(m, f), f("symbol", m.symbol), f("action", m.action); }
};

struct ParticipantPosition : Head {
    static constexpr char kType = 'L';
    static constexpr std::size_t kLength = 26;
    Mpid mpid;
    Symbol symbol;
    char primary = 'N';
    char mode = 'N';
    char state = 'A';

    static constexpr void fields(auto& m, auto&& f) {
        head(m, f), f("mpid", m.mpid), f("symbol", m.symbol), f("primary", m.primary);
        f("mode", m.mode), f("state", m.state);
    }
};

struct MwcbLevels : Head {
    static constexpr char kType = 'V';
    static constexpr std::size_t kLength = 35;
    u64 level1_px8 = 0;
    u64 level2_px8 = 0;
    u64 level3_px8 = 0;

    static constexpr void fields(auto& m, auto&& f) {
        head(m, f), f("level1_px8", m.level1_px8), f("level2_px8", m.level2_px8), f("level3_px8", m.level3_px8);
    }
};

struct MwcbStatus : Head {
    static constexpr char kType = 'W';
    static constexpr std::size_t kLength = 12;
    char level = '1';

    static constexpr void fields(auto& m, auto&& f) { head(m, f), f("level", m.level); }
};

struct IpoQuoting : Head {
    static constexpr char kType = 'K';
    static constexpr std::size_t kLength = 28;
    Symbol symbol;
    u32 release_s = 0;  // SECONDS since midnight; 0 when cancelled
    char qualifier = 'A';
    u32 px = 0;

    static constexpr void fields(auto& m, auto&& f) {
        head(m, f), f("symbol", m.symbol), f("release_s", m.release_s), f("qualifier", m.qualifier), f("px", m.px);
    }
};

struct LuldCollar : Head {
    static constexpr char kType = 'J';
    static constexpr std::size_t kLength = 35;
    Symbol symbol;
    u32 reference_px = 0;
    u32 upper_px = 0;
    u32 lower_px = 0;
    u32 extensions = 0;

    static constexpr void fields(auto& m, auto&& f) {
        head(m, f), f("symbol", m.symbol), f("reference_px", m.reference_px), f("upper_px", m.upper_px);
        f("lower_px", m.lower_px), f("extensions", m.extensions);
    }
};

struct OperationalHalt : Head {
    static constexpr char kType = 'h';
    static constexpr std::size_t kLength = 21;
    Symbol symbol;
    char market = 'Q';
    char action = 'T';

    static constexpr void fields(auto& m, auto&& f) {
        head(m, f), f("symbol", m.symbol), f("market", m.market), f("action", m.action);
    }
};

struct AddOrder : Head {
    static constexpr char kType = 'A';
    static constexpr std::size_t kLength = 36;
    u64 order_id = 0;
    char side = 'B';
    u32 qty = 0;
    Symbol symbol;
    u32 px = 0;

    static constexpr void fields(auto& m, auto&& f) {
        head(m, f), f("order_id", m.order_id), f("side", m.side), f("qty", m.qty);
        f("symbol", m.symbol), f("px", m.px);
    }
};

struct AddOrderMpid : Head {
    static constexpr char kType = 'F';
    static constexpr std::size_t kLength = 40;
    u64 order_id = 0;
    char side = 'B';
    u32 qty = 0;
    Symbol symbol;
    u32 px = 0;
    Mpid mpid;

    static constexpr void fields(auto& m, auto&& f) { AddOrder::fields(m, f), f("mpid", m.mpid); }
};

struct OrderExecuted : Head {
    static constexpr char kType = 'E';
    static constexpr std::size_t kLength = 31;
    u64 order_id = 0;
    u32 qty = 0;
    u64 match_id = 0;

    static constexpr void fields(auto& m, auto&& f) {
        head(m, f), f("order_id", m.order_id), f("qty", m.qty), f("match_id", m.match_id);
    }
};

struct OrderExecutedWithPrice : Head {
    static constexpr char kType = 'C';
    static constexpr std::size_t kLength = 36;
    u64 order_id = 0;
    u32 qty = 0;
    u64 match_id = 0;
    char printable = 'Y';  // N: counted later in a cross
    u32 px = 0;

    static constexpr void fields(auto& m, auto&& f) {
        OrderExecuted::fields(m, f), f("printable", m.printable), f("px", m.px);
    }
};

struct OrderCancel : Head {
    static constexpr char kType = 'X';
    static constexpr std::size_t kLength = 23;
    u64 order_id = 0;
    u32 qty = 0;  // taken away

    static constexpr void fields(auto& m, auto&& f) { head(m, f), f("order_id", m.order_id), f("qty", m.qty); }
};

struct OrderDelete : Head {
    static constexpr char kType = 'D';
    static constexpr std::size_t kLength = 19;
    u64 order_id = 0;

    static constexpr void fields(auto& m, auto&& f) { head(m, f), f("order_id", m.order_id); }
};

struct OrderReplace : Head {
    static constexpr char kType = 'U';
    static constexpr std::size_t kLength = 35;
    u64 order_id = 0;  // the original
    u64 new_order_id = 0;
    u32 qty = 0;  // the NEW total
    u32 px = 0;

    static constexpr void fields(auto& m, auto&& f) {
        head(m, f), f("order_id", m.order_id), f("new_order_id", m.new_order_id), f("qty", m.qty), f("px", m.px);
    }
};

struct Trade : Head {
    static constexpr char kType = 'P';
    static constexpr std::size_t kLength = 44;
    u64 order_id = 0;  // always 0 since 2010
    char side = 'B';   // always B since 2014-07-14
    u32 qty = 0;
    Symbol symbol;
    u32 px = 0;
    u64 match_id = 0;

    static constexpr void fields(auto& m, auto&& f) { AddOrder::fields(m, f), f("match_id", m.match_id); }
};

struct CrossTrade : Head {
    static constexpr char kType = 'Q';
    static constexpr std::size_t kLength = 40;
    u64 qty = 0;  // EIGHT bytes; may be 0
    Symbol symbol;
    u32 px = 0;
    u64 match_id = 0;
    char cross = 'O';  // O opening, C closing, H IPO or halt, I intraday

    static constexpr void fields(auto& m, auto&& f) {
        head(m, f), f("qty", m.qty), f("symbol", m.symbol), f("px", m.px);
        f("match_id", m.match_id), f("cross", m.cross);
    }
};

struct BrokenTrade : Head {
    static constexpr char kType = 'B';
    static constexpr std::size_t kLength = 19;
    u64 match_id = 0;

    static constexpr void fields(auto& m, auto&& f) { head(m, f), f("match_id", m.match_id); }
};

struct NetOrderImbalance : Head {
    static constexpr char kType = 'I';
    static constexpr std::size_t kLength = 50;
    u64 paired_qty = 0;
    u64 imbalance_qty = 0;
    char direction = 'N';  // B buy, S sell, N none, O insufficient orders, P paused
    Symbol symbol;
    u32 far_px = 0;
    u32 near_px = 0;
    u32 reference_px = 0;
    char cross = 'O';
    char variation = ' ';

    static constexpr void fields(auto& m, auto&& f) {
        head(m, f), f("paired_qty", m.paired_qty), f("imbalance_qty", m.imbalance_qty);
        f("direction", m.direction), f("symbol", m.symbol), f("far_px", m.far_px), f("near_px", m.near_px);
        f("reference_px", m.reference_px), f("cross", m.cross), f("variation", m.variation);
    }
};

struct RetailInterest : Head {
    static constexpr char kType = 'N';
    static constexpr std::size_t kLength = 20;
    Symbol symbol;
    char interest = 'N';

    static constexpr void fields(auto& m, auto&& f) { head(m, f), f("symbol", m.symbol), f("interest", m.interest); }
};

struct DirectListing : Head {
    static constexpr char kType = 'O';
    static constexpr std::size_t kLength = 48;
    Symbol symbol;
    char open_eligible = 'N';
    u32 min_px = 0;
    u32 max_px = 0;
    u32 near_px = 0;
    u64 near_ts = 0;
    u32 lower_px = 0;
    u32 upper_px = 0;

    static constexpr void fields(auto& m, auto&& f) {
        head(m, f), f("symbol", m.symbol), f("open_eligible", m.open_eligible), f("min_px", m.min_px);
        f("max_px", m.max_px), f("near_px", m.near_px), f("near_ts", m.near_ts);
        f("lower_px", m.lower_px), f("upper_px", m.upper_px);
    }
};

using All = Messages<Longer::Accepted, SystemEvent, StockDirectory, TradingAction, RegSho, ParticipantPosition,
                     MwcbLevels, MwcbStatus, IpoQuoting, LuldCollar, OperationalHalt, AddOrder, AddOrderMpid,
                     OrderExecuted, OrderExecutedWithPrice, OrderCancel, OrderDelete, OrderReplace, Trade, CrossTrade,
                     BrokenTrade, NetOrderImbalance, RetailInterest, DirectListing>;

// Calls `f` with the message; UnknownType and TooShort are the caller's to count and skip.
template <class F>
Undecoded visit(Bytes message, F&& f) {
    return All::visit(message, f);
}

}  // namespace openbell::itch50
