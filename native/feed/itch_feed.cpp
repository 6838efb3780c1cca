#include "feed/itch_feed.h"

#include <algorithm>
#include <limits>

namespace openbell {

namespace {

using namespace itch50;

constexpr u64 kQtyMax = u64(std::numeric_limits<i64>::max());
constexpr i64 kTick = 100;  // 0.01 at 4 decimals
constexpr u8 kPxDecimals = 4;

constexpr u8 side_flag(char side) { return side == 'B' ? kBuy : u8(0); }

constexpr u64 packed(std::string_view chars) {
    u64 out = 0;
    for (std::size_t i = chars.size(); i-- > 0;) out = out << 8 | u8(chars[i]);
    return out;
}

constexpr TradingState state_of(char state) {
    switch (state) {
        case 'H': return TradingState::Halted;
        case 'P': return TradingState::Paused;
        case 'Q': return TradingState::QuoteOnly;
        case 'T': return TradingState::Trading;
        default: return TradingState::Unknown;
    }
}

constexpr TradingState phase_of(char event) {
    switch (event) {
        case 'Q': return TradingState::Trading;
        case 'M': return TradingState::Closed;
        default: return TradingState::Unknown;
    }
}

constexpr i64 sign_of(char direction) { return direction == 'B' ? 1 : direction == 'S' ? -1 : 0; }

template <std::size_t N>
void put_text(char (&field)[N], std::string_view s) {
    std::copy_n(s.data(), std::min(s.size(), N), field);
}

// What a record says besides its head.
struct Body {
    Type type;
    u8 flags = 0;
    u64 order_id = 0;
    i64 px = 0;
    i64 qty = 0;
    u64 ref = 0;
};

// The table of the header, row by row.
Body body_of(const AddOrder& m) { return {Type::BookAdd, side_flag(m.side), m.order_id, m.px, m.qty, 0}; }
Body body_of(const AddOrderMpid& m) { return {Type::BookAdd, side_flag(m.side), m.order_id, m.px, m.qty, 0}; }
Body body_of(const OrderExecuted& m) {
    return {Type::BookExecute, kAtOrderPx | kPrintable, m.order_id, 0, m.qty, m.match_id};
}
Body body_of(const OrderExecutedWithPrice& m) {
    return {Type::BookExecute, m.printable == 'Y' ? kPrintable : u8(0), m.order_id, m.px, m.qty, m.match_id};
}
Body body_of(const OrderCancel& m) { return {Type::BookCancel, 0, m.order_id, 0, m.qty, 0}; }
Body body_of(const OrderDelete& m) { return {Type::BookCancel, kWhole, m.order_id, 0, 0, 0}; }
Body body_of(const OrderReplace& m) { return {Type::BookModify, 0, m.order_id, m.px, m.qty, m.new_order_id}; }
Body body_of(const Trade& m) {
    return {Type::Trade, u8(kPrintable | side_flag(m.side)), m.order_id, m.px, m.qty, m.match_id};
}
Body body_of(const CrossTrade& m) {
    return {Type::Trade, kPrintable, packed({&m.cross, 1}), m.px, i64(m.qty), m.match_id};
}
Body body_of(const BrokenTrade& m) { return {Type::TradeBust, 0, 0, 0, 0, m.match_id}; }
Body body_of(const TradingAction& m) { return {Type::Status, 0, packed(m.reason.raw()), 0, 0, u64(state_of(m.state))}; }
Body body_of(const SystemEvent& m) { return {Type::Status, 0, packed({&m.event, 1}), 0, 0, u64(phase_of(m.event))}; }
Body body_of(const NetOrderImbalance& m) {
    const char chars[] = {m.direction, m.cross, m.variation};
    return {Type::Imbalance, 0, packed({chars, 3}), m.reference_px, sign_of(m.direction) * i64(m.imbalance_qty),
            m.paired_qty};
}

// Eight-byte quantities may exceed what a record holds.
bool is_representable(const auto&) { return true; }
bool is_representable(const CrossTrade& m) { return m.qty <= kQtyMax; }
bool is_representable(const NetOrderImbalance& m) { return m.imbalance_qty <= kQtyMax; }

template <class M>
concept MakesRecord = requires(const M& m) { body_of(m); };

}  // namespace

ItchFeed::ItchFeed(std::vector<std::string> symbols, i64 midnight_ns, u16 venue)
    : symbols_(std::move(symbols)), ids_(kLocates, kNoInstrument), midnight_ns_(midnight_ns), venue_(venue) {
    std::sort(symbols_.begin(), symbols_.end());
}

void ItchFeed::start_day(i64 midnight_ns) {
    midnight_ns_ = midnight_ns;
    std::fill(ids_.begin(), ids_.end(), kNoInstrument);
}

Emitted ItchFeed::on_message(Bytes message, Market& out) {
    ++counters_.messages;
    Emitted emitted = Emitted::None;
    const Undecoded why = itch50::visit(message, [&]<class M>(const M& m) {
        if constexpr (std::is_same_v<M, StockDirectory>) {
            emitted = announce(m);
        } else if constexpr (MakesRecord<M>) {
            constexpr bool kOfMarket = std::is_same_v<M, SystemEvent>;
            const u32 id = kOfMarket ? kNoInstrument : ids_[m.locate];
            if (!kOfMarket && id == kNoInstrument) {
                ++counters_.unsubscribed;
                return;
            }
            if (!is_representable(m)) {
                ++counters_.malformed;
                return;
            }
            const Body b = body_of(m);
            out = {u8(b.type), b.flags, m.tracking, id, midnight_ns_ + i64(m.ts), b.order_id, b.px, b.qty, b.ref};
            ++counters_.markets;
            emitted = Emitted::Market;
        } else {
            ++counters_.ignored;
        }
    });
    if (why == Undecoded::UnknownType) ++counters_.unknown;
    if (why == Undecoded::TooShort || why == Undecoded::Empty) ++counters_.malformed;
    return emitted;
}

Emitted ItchFeed::announce(const StockDirectory& m) {
    const std::string_view symbol = m.symbol.trimmed();
    if (!is_subscribed(symbol)) {
        ++counters_.unsubscribed;
        return Emitted::None;
    }
    ++counters_.instruments;
    instrument_ = {};
    instrument_.type = u8(Type::Instrument);
    instrument_.venue = venue_;
    instrument_.instrument = kNoInstrument;
    instrument_.ts_event = midnight_ns_ + i64(m.ts);
    put_text(instrument_.symbol, symbol);
    put_text(instrument_.currency, "USD");
    instrument_.locate = m.locate;
    instrument_.px_decimals = kPxDecimals;
    instrument_.tick = kTick;
    instrument_.lot = 1;
    instrument_.multiplier = 1;
    instrument_.valid_from = midnight_ns_;
    put_text(instrument_.calendar, "XNAS");
    return Emitted::Instrument;
}

bool ItchFeed::is_subscribed(std::string_view symbol) const {
    return symbols_.empty() || std::binary_search(symbols_.begin(), symbols_.end(), symbol);
}

}  // namespace openbell
