#include "feed/itch_feed.h"

#include <algorithm>

#include "feed/itch_records.h"

namespace openbell {

namespace {

using namespace itch50;

constexpr i64 kTick = 100;  // 0.01 at 4 decimals, where no other is configured: the feed says none
constexpr u8 kPxDecimals = 4;

// Where a message names its instrument; those of the market carry nothing there.
constexpr std::size_t kLocateEnd = 3;
constexpr bool is_of_instrument(char type) {
    return type != SystemEvent::kType && type != MwcbLevels::kType && type != MwcbStatus::kType;
}

// What is looked at of a message that is not among the rows; a cross that did not take place has neither shares nor
// a price.
constexpr u8 look_of(const auto&) { return 0; }
constexpr u8 look_of(const AddOrderMpid&) { return EdgeChecks::kOfOrder; }
constexpr u8 look_of(const CrossTrade& m) { return m.qty > 0 ? EdgeChecks::kOfPrint : u8(0); }

template <std::size_t N>
void put_text(char (&field)[N], std::string_view s) {
    std::copy_n(s.data(), std::min(s.size(), N), field);
}

Market record_of(const Body& b, const Head& head, u32 id, i64 midnight_ns) {
    return {u8(b.type), b.flags, head.tracking, id, midnight_ns + i64(head.ts), b.order_id, b.px, b.qty, b.ref};
}

}  // namespace

ItchFeed::ItchFeed(std::vector<std::string> symbols, i64 midnight_ns, u16 venue, const EdgeConfig& checks)
    : symbols_(std::move(symbols)),
      ids_(kLocates, kNoInstrument),
      names_(kLocates),
      checks_(checks),
      midnight_ns_(midnight_ns),
      venue_(venue) {
    std::sort(symbols_.begin(), symbols_.end());
    for (const char type : checks.types) {
        is_left_out_[u8(type)] = true;
        rows_[u8(type)] = {};
    }
}

void ItchFeed::start_day(i64 midnight_ns) {
    midnight_ns_ = midnight_ns;
    std::fill(ids_.begin(), ids_.end(), kNoInstrument);
    checks_.start_session();
}

void ItchFeed::assign(const Instrument& instrument) {
    const auto locate = u16(instrument.locate);
    ids_[locate] = instrument.instrument;
    names_[locate] = Symbol({instrument.symbol, strnlen(instrument.symbol, sizeof instrument.symbol)});
    checks_.assign(instrument.instrument, names_[locate].trimmed());
}

Emitted ItchFeed::on_message(Bytes message, Market* out) {
    ++counters_.messages;
    const OrderRow& row = rows_[message.empty() ? 0 : message[0]];
    return message.size() >= row.length ? on_order(row, message, out) : on_other(message, out);
}

Framed ItchFeed::on_framed(Bytes data, std::span<Market> out) {
    Framed done;
    ByteReader in(data);
    while (done.records + kRecordsPerMessageMax <= out.size()) {
        const Bytes message = in.take(in.be16());
        if (in.failed()) break;
        done.bytes = data.size() - in.remaining();
        const Emitted emitted = on_message(message, &out[done.records]);
        if (emitted == Emitted::Instrument) {
            done.has_instrument = true;
            break;
        }
        done.records += std::size_t(emitted);
        done.has_quarantined = checks_.has_quarantined();
        if (done.has_quarantined) [[unlikely]]
            break;
    }
    return done;
}

Emitted ItchFeed::on_order(const OrderRow& row, Bytes message, Market* out) {
    const CheckedBytes checked(message);
    const u32 id = ids_[checked.be16(1)];
    if (id == kNoInstrument) {
        ++counters_.unsubscribed;
        return Emitted::None;
    }
    read_order(row, checked, id, midnight_ns_, *out);
    if (const u8 doubt = checks_.doubt(*out, row.look)) [[unlikely]]
        return judged(doubt, row.look, message, out, 1);
    ++counters_.markets;
    return Emitted::Market;
}

Emitted ItchFeed::judged(u8 doubt, u8 look, Bytes message, Market* out, std::size_t count) {
    count = checks_.judge(doubt, look, message, counters_.messages, out, count);
    counters_.markets += count;
    return Emitted(count);
}

// A message that cannot be read concerns the instrument that it names, or any where it ends before.
Emitted ItchFeed::on_cut(Bytes message, Market* out) {
    ++counters_.malformed;
    const CheckedBytes at(message);
    u32 id = kNoInstrument;
    if (message.size() >= kLocateEnd && is_of_instrument(char(message[0]))) {
        id = ids_[at.be16(1)];
        if (id == kNoInstrument) return Emitted::None;
    }
    const i64 ts = message.size() >= kOrderIdAt ? midnight_ns_ + i64(at.be64(kTrackingAt) & 0xFFFF'FFFF'FFFF) : 0;
    const std::size_t count = checks_.judge_malformed(message, counters_.messages, id, ts, out);
    counters_.markets += count;
    return Emitted(count);
}

Emitted ItchFeed::on_other(Bytes message, Market* out) {
    if (!message.empty() && is_left_out_[message[0]]) {
        checks_.count_filtered();
        return Emitted::None;
    }
    Emitted emitted = Emitted::None;
    const Undecoded why = itch50::visit(message, [&]<class M>(const M& m) {
        if constexpr (std::is_same_v<M, StockDirectory>)
            emitted = announce(m);
        else if constexpr (MakesRecord<M>)  // the others came here because they are cut
            emitted = emit(m, message, out);
    });
    if (why == Undecoded::UnknownType) ++counters_.unknown;
    return why == Undecoded::TooShort || why == Undecoded::Empty ? on_cut(message, out) : emitted;
}

template <class M>
Emitted ItchFeed::emit(const M& m, Bytes message, Market* out) {
    const u32 id = is_of_market<M> ? kNoInstrument : instrument_of(m);
    if (!is_of_market<M> && id == kNoInstrument) {
        ++counters_.unsubscribed;
        return Emitted::None;
    }
    if (!is_representable(m)) return on_cut(message, out);
    out[0] = record_of(body_of(m, midnight_ns_), m, id, midnight_ns_);
    std::size_t count = 1;
    if constexpr (MakesTwo<M>) out[count++] = record_of(second_body_of(m), m, id, midnight_ns_);
    const u8 look = look_of(m);
    const u8 doubt = look ? checks_.doubt(out[0], look) : checks_.doubt_clock(out[0].ts_event);
    if (doubt) return judged(doubt, look, message, out, count);
    counters_.markets += count;
    return Emitted(count);
}

// IPO Quoting Period Update carries locate 0 and names its stock by symbol only; it is rare.
template <class M>
u32 ItchFeed::instrument_of(const M& m) const {
    if constexpr (std::is_same_v<M, IpoQuoting>) {
        if (m.locate == 0)
            for (std::size_t locate = 0; locate < kLocates; ++locate)
                if (ids_[locate] != kNoInstrument && names_[locate] == m.symbol) return ids_[locate];
    }
    return ids_[m.locate];
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
    const i64 tick = checks_.limits_of(symbol).tick;
    instrument_.tick = tick ? tick : kTick;
    instrument_.lot = 1;
    instrument_.multiplier = 1;
    instrument_.valid_from = midnight_ns_;
    put_text(instrument_.calendar, "XNAS");
    instrument_.round_lot = m.round_lot;
    instrument_.etp_leverage = m.etp_leverage;
    const char listing[] = {m.market,
                            m.financial_status,
                            m.round_lots_only,
                            m.classification,
                            m.sub_type.chars[0],
                            m.sub_type.chars[1],
                            m.authenticity,
                            m.short_sale_threshold,
                            m.ipo,
                            m.luld_tier,
                            m.etp,
                            m.inverse};
    put_text(instrument_.listing, {listing, sizeof listing});
    return Emitted::Instrument;
}

bool ItchFeed::is_subscribed(std::string_view symbol) const {
    return symbols_.empty() || std::binary_search(symbols_.begin(), symbols_.end(), symbol);
}

}  // namespace openbell
