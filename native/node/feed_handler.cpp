#include "node/feed_handler.h"

#include "node/control.h"

namespace openbell {

FeedHandler::FeedHandler(const Config& config, DatagramPort& port, ItchFeed& feed, Driver& driver, const Engine& engine,
                         Clock& clock)
    : config_(config),
      port_(port),
      feed_(feed),
      driver_(driver),
      engine_(engine),
      clock_(clock),
      receiver_(config.mold),
      batch_(kBatch) {}

void FeedHandler::start(std::string_view session) {
    for (u32 id = 0; id < engine_.instruments(); ++id) {  // after a restart the directory is not said again
        const Instrument& known = *engine_.instrument(id);
        if (known.venue == config_.venue) feed_.assign(u16(known.locate), id);
    }
    // A configured session is the only one; without, the one we know goes on, or the next one replaces it.
    const std::string_view known = session.empty() ? engine_.feed_session(config_.source) : session;
    receiver_.start(mold::Session(known), engine_.source_seq(config_.source) + 1);
    if (session.empty()) receiver_.allow_switch();
}

void FeedHandler::on_session(const mold::Session& session) {
    const Control control = make_control(Type::Connected, clock_.now_ns(), config_.source, 0, session.trimmed());
    driver_.submit_one(source::kNode, control);
}

std::size_t FeedHandler::poll() {
    const std::size_t n = port_.receive(batch_);
    const i64 now_ns = n ? clock_.now_ns() : 0;
    for (std::size_t i = 0; i < n; ++i) receiver_.on_packet(batch_[i].payload, line::kA, now_ns, *this);
    if (n) send_requests();
    return n;
}

void FeedHandler::tick(i64 now_ns) {
    receiver_.poll(now_ns, *this);
    send_requests();
}

void FeedHandler::send_requests() {
    if (config_.retransmit.port == 0) return;
    while (const auto request = receiver_.take_request()) {
        u8 bytes[mold::kHeaderBytes];
        ByteWriter out(bytes);
        if (mold::write_request(out, *request)) port_.send_to(config_.retransmit, out.written());
    }
}

// Messages are decoded straight into the journal's tail.
void FeedHandler::on_messages(const Delivery& delivery) {
    delivery.for_each([&](u64 number, Bytes message) { take(number, message, delivery.ts_recv); });
    flush(delivery.end() - 1, delivery.ts_recv);
}

void FeedHandler::take(u64 number, Bytes message, i64 ts_recv) {
    if (frame_ == nullptr) frame_ = driver_.open(config_.source, sizeof(Market));
    Market& record = reinterpret_cast<Market*>(frame_ + 1)[count_];
    switch (feed_.on_message(message, record)) {
        case Emitted::Market: ++count_; return;
        case Emitted::Instrument: flush(number - 1, ts_recv); return introduce(feed_.instrument(), number);
        default: return;
    }
}

void FeedHandler::flush(u64 number, i64 ts_recv) {
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

// Ids are dense and given at first sight; one symbol too many is refused, the rest of the feed goes on.
void FeedHandler::introduce(Instrument instrument, u64 number) {
    const std::string_view symbol = symbol_of(instrument);
    const u32 known = engine_.find_instrument(config_.venue, symbol);
    instrument.instrument = known != kNoInstrument ? known : engine_.instruments();
    if (instrument.instrument >= config_.instruments_max) {
        ++instruments_refused_;
        return;
    }
    feed_.assign(u16(instrument.locate), instrument.instrument);
    driver_.submit_one(config_.source, instrument, number);
}

void FeedHandler::say(Type type, u64 from, u64 to, u32 code) {
    Control control = make_control(type, clock_.now_ns(), config_.source, code);
    control.values[0] = i64(from);
    control.values[1] = i64(to);
    driver_.submit_one(source::kNode, control);
}

void FeedHandler::on_gap(u64 from, u64 to) { say(Type::Gap, from, to, 0); }
void FeedHandler::on_recovered(u64 next) { say(Type::Recovered, next, next, 0); }
// The books stay not valid: code 1 says that nobody will fill the gap.
void FeedHandler::on_lost(u64 from, u64 to) { say(Type::Gap, from, to, 1); }

}  // namespace openbell
