#include "node/feed_frames.h"

#include <algorithm>

#include "node/control.h"

namespace openbell {

FeedFrames::FeedFrames(const Config& config, ItchFeed& feed, Driver& driver, const Engine& engine, Clock& clock)
    : config_(config), feed_(feed), driver_(driver), engine_(engine), clock_(clock) {}

void FeedFrames::assign_known() {
    for (u32 id = 0; id < engine_.instruments(); ++id) {
        const Instrument& known = *engine_.instrument(id);
        if (known.venue == config_.venue) feed_.assign(known);
    }
}

void FeedFrames::start_day(i64 midnight_ns, const Control& trading_day) {
    feed_.start_day(midnight_ns);
    if (trading_day.type == u8(Type::TradingDay)) driver_.submit_one(source::kNode, trading_day);
}

// In the engine's books, or in the frame that is being filled.
bool FeedFrames::holds(u32 instrument, u64 order_id) const {
    if (engine_.books().find(instrument, order_id) != Books::kNone) return true;
    const auto* const records = reinterpret_cast<const Market*>(frame_ + 1);
    return std::any_of(records, records + count_, [&](const Market& r) {
        return r.instrument == instrument && ((r.type == u8(Type::BookAdd) && r.order_id == order_id) ||
                                              (r.type == u8(Type::BookModify) && r.ref == order_id));
    });
}

// ---- what is said of the feed ----------------------------------------------------------------------

Control FeedFrames::control(Type type, u64 from, u64 to, u32 code) const {
    Control out = make_control(type, clock_.now_ns(), config_.source, code);
    out.values[0] = i64(from);
    out.values[1] = i64(to);
    return out;
}

void FeedFrames::connected(std::string_view session) {
    driver_.submit_one(source::kNode, make_control(Type::Connected, clock_.now_ns(), config_.source, 0, session));
}

void FeedFrames::ended(u64 next_seq) {
    driver_.submit_one(source::kNode, control(Type::Disconnected, next_seq, next_seq, kFeedEnded));
}

void FeedFrames::gap(u64 from, u64 to, u32 code) {
    driver_.submit_one(source::kNode, control(Type::Gap, from, to, code));
}

void FeedFrames::recovered(u64 next_seq) {
    driver_.submit_one(source::kNode, control(Type::Recovered, next_seq, next_seq, 0));
}

// ---- live ------------------------------------------------------------------------------------------

// Messages are decoded straight into the journal's tail.
void FeedFrames::add(const Delivery& delivery) {
    feed_.checks().end_snapshot();
    delivery.for_each([&](u64 number, Bytes message) { take(number, message, delivery.ts_recv, 0); });
    flush(delivery.end() - 1, delivery.ts_recv);
}

void FeedFrames::take(u64 number, Bytes message, i64 ts_recv, u8 flags) {
    if (frame_ == nullptr) frame_ = driver_.open(config_.source, sizeof(Market));
    Market* const records = reinterpret_cast<Market*>(frame_ + 1) + count_;
    const Emitted emitted = feed_.on_message(message, records);
    if (emitted == Emitted::Instrument) {
        flush(number == kUnnumbered ? kUnnumbered : number - 1, ts_recv);
        return introduce(feed_.instrument(), number, ts_recv);
    }
    for (Market& record : std::span(records, std::size_t(emitted))) record.flags |= flags;
    count_ += u32(emitted);
    if (feed_.checks().has_quarantined()) [[unlikely]]
        put_aside(feed_.checks().take_quarantined(), number, ts_recv);
    else if (count_ >= kRecordsPerFrame) [[unlikely]]
        flush(number, ts_recv);
}

// After what else its message has caused.
void FeedFrames::put_aside(const Quarantined& record, u64 number, i64 ts_recv) {
    flush(number, ts_recv);
    FrameHeader* in = driver_.open(config_.source, sizeof record);
    std::memcpy(in + 1, &record, sizeof record);
    in->source_seq = number;
    in->ts_recv = ts_recv;
    driver_.submit(in, 1);
}

void FeedFrames::flush(u64 number, i64 ts_recv) {
    if (frame_ == nullptr) return;
    FrameHeader* frame = frame_;
    const u32 count = count_;
    frame_ = nullptr;
    count_ = 0;
    if (count == 0) return driver_.abandon(frame);
    frame->source_seq = number;
    frame->ts_recv = ts_recv;
    driver_.submit(frame, count);
}

// One symbol is one asset on every venue; its number is one more than the id of the instrument that was first.
u32 FeedFrames::asset_of(std::string_view symbol, u32 id) const {
    for (u32 other = 0; other < engine_.instruments(); ++other)
        if (symbol_of(*engine_.instrument(other)) == symbol) return engine_.instrument(other)->asset;
    return id + 1;
}

// Ids are dense and given at first sight; one symbol too many is refused, the rest of the feed goes on.
void FeedFrames::introduce(Instrument instrument, u64 number, i64 ts_recv) {
    const std::string_view symbol = symbol_of(instrument);
    const u32 known = engine_.find_instrument(config_.venue, symbol);
    instrument.instrument = known != kNoInstrument ? known : engine_.instruments();
    if (instrument.instrument >= config_.instruments_max) {
        ++instruments_refused_;
        return;
    }
    instrument.asset = asset_of(symbol, instrument.instrument);
    feed_.assign(instrument);
    FrameHeader* in = driver_.open(config_.source, sizeof(Instrument));
    std::memcpy(in + 1, &instrument, sizeof instrument);
    in->source_seq = number;
    in->ts_recv = ts_recv;
    driver_.submit(in, 1);
}

// ---- snapshots -------------------------------------------------------------------------------------

void FeedFrames::begin_rebuild() {
    feed_.checks().begin_snapshot();
    gap(0, 0, kGapRebuilt);
    for (u32 id = 0; id < engine_.instruments(); ++id) {
        if (engine_.instrument(id)->venue != config_.venue) continue;
        Market clear{};
        clear.type = u8(Type::BookClear);
        clear.flags = kSnapshot;
        clear.instrument = id;
        clear.ts_event = clock_.now_ns();
        put(clear);
    }
    flush_snapshot();
}

void FeedFrames::add_snapshot(Bytes message) {
    take(kUnnumbered, message, 0, kSnapshot);
    if (count_ >= kSnapshotRecordsPerFrame) flush_snapshot();
}

void FeedFrames::put(const Market& record) {
    if (frame_ == nullptr) frame_ = driver_.open(config_.source, sizeof(Market));
    reinterpret_cast<Market*>(frame_ + 1)[count_] = record;
    if (++count_ == kSnapshotRecordsPerFrame) flush_snapshot();
}

// Both records are one frame, so that nobody sees the books valid between them; its number is where a restart goes on.
void FeedFrames::end_rebuild(u64 next_seq, u64 gap_to) {
    FrameHeader* in = driver_.open(config_.source, sizeof(Control));
    auto* records = reinterpret_cast<Control*>(in + 1);
    u32 count = 0;
    records[count++] = control(Type::Recovered, next_seq, next_seq, kFromSnapshot);
    if (gap_to > next_seq) records[count++] = control(Type::Gap, next_seq, gap_to, 0);
    in->source_seq = next_seq - 1;
    driver_.submit(in, count);
}

}  // namespace openbell
