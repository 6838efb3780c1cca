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
      tape_(config.tape_dir),
      venue_late_ns_(config.shares_books ? config.latency.feed_ns : 0),
      first_ns_(tape_.at_venue().header->ts_recv) {}

bool Backtest::run(u64 events_max) {
    for (u64 n = 0; n < events_max; ++n) {
        i64 when = 0;
        const Next what = next(when);
        if (what == Next::End) return false;
        if (what != Next::VenueTape && what != Next::Tape && is_over() && ++after_tape_ > kAfterTapeMax) return false;
        step(what, when);
    }
    return true;
}

// Whether we have had the last frame of the tape.
bool Backtest::is_over() const {
    const FrameView& frame = tape_.at_us();
    return !frame || frame.header->ts_recv > config_.until_ns;
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
    if (const i64 venue = time_of(tape_.at_venue(), 0); venue != kNever)
        consider(Next::VenueTape, std::max(venue, venue_ns_) + venue_late_ns_);  // its time does not go back
    const i64 command = route_.next_command();
    if (command != kNever) consider(Next::VenueCommand, command + venue_late_ns_);
    const i64 tape = time_of(tape_.at_us(), config_.latency.feed_ns);
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
            if (!config_.shares_books) prefetch(engine_.books(), tape_.at_venue());  // the engine is next to see it
            venue_ns_ = when - venue_late_ns_;
            route_.on_market(tape_.at_venue(), venue_ns_);
            tape_.pass_venue();
            prefetch(route_.books(), tape_.at_venue());  // needed after the engine's turn
            if (!is_ours_next(when)) return;
            [[fallthrough]];
        case Next::Tape: clock_.advance_to(when); return submit_tape();
        case Next::VenueCommand: return route_.deliver_command();
        case Next::Timer: clock_.advance_to(when); return driver_.fire_timers(when);
        case Next::Report: clock_.advance_to(when); return submit_reports();
        case Next::End: return;
    }
}

// The venue has just had the frame that reaches us at `when`. Mostly nothing else happens then, and nothing needs to be
// compared again.
bool Backtest::is_ours_next(i64 when) const {
    if (!config_.shares_books) return false;
    const FrameView& next = tape_.at_venue();
    const i64 venue_next = next ? next.header->ts_recv : kNever;
    return std::min(venue_next, route_.next_command()) > when - venue_late_ns_ &&
           std::min(engine_.next_deadline(), route_.next_report()) > when;
}

void Backtest::submit_reports() {
    FrameHeader* in = driver_.open(source::kOrderEntry, sizeof(Report));
    const u32 count = route_.take_due_reports({reinterpret_cast<Report*>(in + 1), kReportsPerFrame});
    in->source_seq = route_.delivered();
    driver_.submit(in, count);
}

void Backtest::submit_tape() {
    const FrameView frame = tape_.at_us();
    driver_.submit_mapped(arrival_of(*frame.header, config_.latency.feed_ns), frame.records);
    ++tape_frames_;
    tape_records_ += frame.count();
    tape_.pass_us();
}

}  // namespace openbell
