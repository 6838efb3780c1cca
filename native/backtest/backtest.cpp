#include "backtest/backtest.h"

namespace openbell {
namespace {

constexpr i64 kNever = std::numeric_limits<i64>::max();
constexpr u32 kReportsPerFrame = 256;
constexpr std::size_t kPrefetchMax = 4;  // records of one frame

// Two books far larger than the cache: a seventh of a backtest was waiting for their tables.
void prefetch(const Books& books, const FrameView& frame) {
    if (!frame || frame.header->record_size != sizeof(Market)) return;
    for (std::size_t i = 0; i < std::min(kPrefetchMax, frame.count()); ++i) books.prefetch(frame.as<Market>(i));
}

}  // namespace

Backtest::Backtest(const Config& config, Driver& driver, const Engine& engine, SimClock& clock, VenueRoute& route)
    : config_(config),
      driver_(driver),
      engine_(engine),
      clock_(clock),
      route_(route),
      venue_tape_(config.tape_dir),
      tape_(config.tape_dir),
      at_venue_(venue_tape_.next()),
      at_engine_(tape_.next()) {
    if (!at_venue_)
        throw Error(ErrorKind::Journal, "tape " + config.tape_dir + ": expected frames, found none; import one");
    first_ns_ = at_venue_.header->ts_recv;
}

bool Backtest::run(u64 events_max) {
    for (u64 n = 0; n < events_max; ++n) {
        i64 when = 0;
        const Next what = next(when);
        if (what == Next::End) return false;
        step(what, when);
    }
    return true;
}

// The earliest event; at one instant the order of the enumeration decides.
Backtest::Next Backtest::next(i64& when) const {
    const auto time_of = [&](const FrameView& frame, i64 delay) {
        if (!frame || frame.header->ts_recv > config_.until_ns) return kNever;
        return frame.header->ts_recv + delay;
    };
    Next what = Next::End;
    when = kNever;
    const auto consider = [&](Next candidate, i64 time) {
        if (time < when) {
            when = time;
            what = candidate;
        }
    };
    consider(Next::VenueTape, time_of(at_venue_, 0));
    consider(Next::VenueCommand, route_.next_command());
    const i64 tape = time_of(at_engine_, config_.latency.feed_ns);
    // Timers beyond the end of the tape stay armed: the day is over.
    const i64 timer = engine_.next_deadline();
    if (tape != kNever || timer <= driver_.now_ns()) consider(Next::Timer, std::max(timer, driver_.now_ns()));
    consider(Next::Report, route_.next_report());
    consider(Next::Tape, tape);
    return what;
}

void Backtest::step(Next what, i64 when) {
    switch (what) {
        case Next::VenueTape:
            prefetch(engine_.books(), at_venue_);  // the engine is next to see it
            route_.on_market(at_venue_, when);
            at_venue_ = venue_tape_.next();
            prefetch(route_.books(), at_venue_);  // needed after the engine's turn
            return;
        case Next::VenueCommand: return route_.deliver_command();
        case Next::Timer: clock_.advance_to(when); return driver_.fire_timers(when);
        case Next::Report: clock_.advance_to(when); return submit_reports();
        case Next::Tape: clock_.advance_to(when); return submit_tape();
        case Next::End: return;
    }
}

void Backtest::submit_reports() {
    FrameHeader* in = driver_.open(source::kOrderEntry, sizeof(Report));
    const u32 count = route_.take_due_reports({reinterpret_cast<Report*>(in + 1), kReportsPerFrame});
    in->source_seq = route_.delivered();
    driver_.submit(in, count);
}

void Backtest::submit_tape() {
    driver_.submit_mapped(arrival_of(*at_engine_.header, config_.latency.feed_ns), at_engine_.records);
    ++tape_frames_;
    tape_records_ += at_engine_.count();
    at_engine_ = tape_.next();
}

}  // namespace openbell
