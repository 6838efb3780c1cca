#include "research/market_pass.h"

#include <algorithm>
#include <cstring>

#include "engine/engine.h"
#include "research/intervals.h"

namespace openbell {
namespace {

constexpr std::size_t kPrefetchMax = 8;  // records of a frame
constexpr u8 kLostMessages = 1;
constexpr u8 kContradicted = 2;

// A cross has no aggressor; the feed's table (feed/itch_feed.h) puts the character of the cross there.
bool is_cross(const Market& trade) {
    constexpr std::string_view kCrosses = "OCHI";
    return !(trade.flags & kBuy) && trade.order_id < 128 && kCrosses.find(char(trade.order_id)) != kCrosses.npos;
}

// Above the mid a buyer, below it a seller. Lee and Ready (1991), without their delay of 5 s: both are of one feed.
int quote_rule(i64 px, const Touch& touch) {
    if (touch.bid_qty == 0 || touch.ask_qty == 0) return 0;
    const i128 twice = i128(2) * px - (i128(touch.bid_px) + touch.ask_px);
    return twice > 0 ? 1 : twice < 0 ? -1 : 0;
}

}  // namespace

MarketPass::MarketPass(const PassConfig& config)
    : reader_(config.tape_dir),
      books_(config.instruments_max, config.orders_max),
      states_(config.instruments_max),
      clock_(config.clock),
      sign_rule_(config.sign_rule),
      late_ns_(late_after(config.end_ns)),
      feeds_(source::kOrderEntry) {
    for (State& state : states_) state.is_wanted = config.instruments.empty();
    for (u32 id : config.instruments)
        if (id < states_.size()) states_[id].is_wanted = true;
    for (u32 id : config.prints_without_side)
        if (id < states_.size()) states_[id].has_sided_prints = false;
    look_ahead();
}

// One frame ahead, so that the memory of its orders is on its way while this one is applied.
void MarketPass::look_ahead() {
    ahead_ = reader_.next();
    if (!ahead_) return reader_.expect_end();
    if (reader_.mapping() != ahead_lies_in_) {
        current_lies_in_ = std::move(ahead_lies_in_);
        ahead_lies_in_ = reader_.mapping();
    }
    if (ahead_.header->record_size != sizeof(Market)) return;
    for (std::size_t i = 0; i < std::min(kPrefetchMax, ahead_.count()); ++i) books_.prefetch(ahead_.as<Market>(i));
}

bool MarketPass::step(MarketSink& sink) {
    const FrameView frame = ahead_;
    if (!frame || frame.header->ts_seq >= late_ns_) return false;
    look_ahead();
    seq_ = frame.header->seq;
    if (frame.header->record_size == sizeof(Market)) {
        for (std::size_t i = 0; i < frame.count(); ++i) {
            const auto& record = frame.as<Market>(i);
            const bool is_told = clock_ == PassClock::Event && record.ts_event != 0;
            on_market(record, is_told ? record.ts_event : frame.header->ts_recv, sink);
        }
    } else {
        for (std::size_t i = 0; i < frame.count(); ++i) on_large(frame, i);
    }
    sink.on_frame_end();
    return true;
}

void MarketPass::on_market(const Market& record, i64 ts, MarketSink& sink) {
    const u32 id = record.instrument;
    if (id >= states_.size() || !states_[id].is_wanted) return;
    const Type type = Type(record.type);
    if (type > Type::Trade) return;
    sink.on_time(ts);
    if (type == Type::Trade) return on_trade(record, ts, sink);
    if (type == Type::BookClear) return clear(id, record.flags);
    const bool was_valid = books_.is_valid(id);
    const Touch before = was_valid ? books_.touch(id) : Touch{};
    const BookChange change = books_.apply(record);
    if (change.fault != BookChange::Ok) return on_fault(id, change.fault);
    if (type == Type::BookExecute && record.flags & kPrintable)
        print(record, ts, change.px, change.qty, change.resting_side == Side::Buy ? -1 : 1, before, sink);
    const bool is_news = change.touched && !(record.flags & kSnapshot) && !(before == books_.touch(id));
    if (was_valid && is_news) sink.on_touch(id, ts, before, books_.touch(id));
}

void MarketPass::on_trade(const Market& record, i64 ts, MarketSink& sink) {
    if (!(record.flags & kPrintable)) return;
    const u32 id = record.instrument;
    std::optional<int> told;
    if (states_[id].has_sided_prints) told = record.flags & kBuy ? -1 : 1;
    if (is_cross(record)) told = 0;
    print(record, ts, record.px, record.qty, told, books_.is_valid(id) ? books_.touch(id) : Touch{}, sink);
}

void MarketPass::print(const Market& record, i64 ts, i64 px, i64 qty, std::optional<int> told, const Touch& touch,
                       MarketSink& sink) {
    State& state = states_[record.instrument];
    if (state.has_traded && px != state.last_px) state.tick = px > state.last_px ? 1 : -1;
    state.last_px = px;
    state.has_traded = true;
    const bool must_infer = !told || (sign_rule_ == SignRule::LeeReady && *told != 0);
    const int quoted = must_infer ? quote_rule(px, touch) : 0;
    const int inferred = quoted != 0 ? quoted : state.tick;
    sink.on_print(record.instrument, ts, {px, qty, must_infer ? inferred : *told});
}

// ---- what makes a book invalid, and valid again ------------------------------------------------------

void MarketPass::on_fault(u32 id, BookChange::Fault fault) {
    if (fault == BookChange::Full)
        throw Error(ErrorKind::Capacity,
                    "books: expected room for the orders of the tape, found their table full at seq " +
                        std::to_string(seq_) + "; raise book_orders_max");
    if (fault == BookChange::NoInstrument) return;  // before its Instrument record
    states_[id].broken |= kContradicted;
    if (faults_++ == 0) first_fault_seq_ = seq_;
}

// Valid again once the feed has recovered. A snapshot ends what was lost only when it is complete.
void MarketPass::clear(u32 id, u8 flags) {
    if (!books_.has(id)) return;
    Market record{};
    record.type = u8(Type::BookClear);
    record.instrument = id;
    books_.apply(record);
    states_[id].broken &= flags & kSnapshot ? kLostMessages : u8(0);
}

void MarketPass::on_large(const FrameView& frame, std::size_t i) {
    switch (frame.type_at(i)) {
        case Type::Instrument: return introduce(frame.as<Instrument>(i), frame.header->source);
        case Type::Gap: return on_gap(frame.as<Control>(i), true);
        case Type::Recovered: return on_gap(frame.as<Control>(i), false);
        case Type::Connected: return on_session(frame.as<Control>(i));
        default: return;
    }
}

void MarketPass::introduce(const Instrument& record, u16 feed) {
    if (record.instrument >= states_.size() || !states_[record.instrument].is_wanted) return;
    State& state = states_[record.instrument];
    state.feed = feed;
    if (books_.has(record.instrument)) return;  // said again
    books_.add_instrument(record.instrument, record.venue);
    const bool is_rebuilding = feed < feeds_.size() && feeds_[feed].is_rebuilding;
    books_.set_valid(record.instrument, !is_rebuilding);
    state.broken = is_rebuilding ? kLostMessages : u8(0);
}

void MarketPass::on_gap(const Control& record, bool is_open) {
    if (record.source >= feeds_.size()) return;
    const bool is_lost = is_open && record.code != 0;
    const bool is_rebuilt = !is_open && record.code == kFromSnapshot;
    bool& is_rebuilding = feeds_[record.source].is_rebuilding;
    is_rebuilding = (is_open && record.code == kGapRebuilt) || (is_rebuilding && !is_rebuilt);
    for (u32 id = 0; id < states_.size(); ++id) {
        if (!books_.has(id) || states_[id].feed != record.source) continue;
        if (record.instrument != kNoInstrument && record.instrument != id) continue;
        if (is_lost) states_[id].broken |= kLostMessages;
        if (is_rebuilt) states_[id].broken &= u8(~kLostMessages);
        books_.set_valid(id, !is_open && !states_[id].broken);
    }
}

// Another session of a feed is another day: the old books are gone.
void MarketPass::on_session(const Control& record) {
    if (record.source >= feeds_.size()) return;
    const std::string name(record.text, ::strnlen(record.text, sizeof record.text));
    Feed& feed = feeds_[record.source];
    const bool is_another = !feed.session.empty() && feed.session != name;
    if (feed.session != name) feed = {name, false};
    if (!is_another) return;
    for (u32 id = 0; id < states_.size(); ++id) {
        if (!books_.has(id) || states_[id].feed != record.source) continue;
        clear(id, 0);
        books_.set_valid(id, true);
    }
}

}  // namespace openbell
