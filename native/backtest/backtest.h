// A tape through the same driver and engine as live: only the clock, the feed and the route differ.
//
// Events are merged by (arrival time, class, order of the source). At one instant the venue's own book
// moves first, then commands reach it, then on our side timers, reports and market data, as live.
//
// What happens at the venue is known to nobody before its feed or its reports have brought it. So where reports take
// no less time than the feed, the venue is asked one feed latency late, in the same order and with the times it would
// have had: then the engine's books are the venue's, and one book is kept instead of two.
#pragma once

#include "backtest/tape_feed.h"
#include "backtest/venue_route.h"
#include "node/arrival.h"
#include "node/driver.h"

namespace openbell {

class Backtest {
  public:
    struct Config {
        std::string tape_dir;
        VenueLatency latency;
        i64 until_ns = std::numeric_limits<i64>::max();
        bool shares_books = false;
    };
    Backtest(const Config& config, Driver& driver, const Engine& engine, SimClock& clock, VenueRoute& route);

    // Events after the tape's last: what is in flight arrives, and is answered, but not for ever.
    static constexpr u64 kAfterTapeMax = 1 << 16;

    // Runs at most `events_max` events; false when the tape and everything in flight are used up, or kAfterTapeMax.
    bool run(u64 events_max);
    // False: it ended because strategies went on and on after the tape.
    bool is_at_rest() const { return after_tape_ <= kAfterTapeMax; }
    u64 tape_frames() const { return tape_frames_; }
    u64 tape_records() const { return tape_records_; }
    i64 first_ns() const { return first_ns_; }

  private:
    enum class Next { End, VenueTape, VenueCommand, Timer, Report, Tape };
    bool is_over() const;
    Next next(i64& when) const;
    void step(Next what, i64 when);
    bool is_ours_next(i64 when) const;
    void submit_reports();
    void submit_tape();

    Config config_;
    Driver& driver_;
    const Engine& engine_;
    SimClock& clock_;
    VenueRoute& route_;
    TapeFeed tape_;
    i64 venue_late_ns_;   // how much later than it happens the venue is asked
    i64 venue_ns_ = 0;    // of its last record
    u64 after_tape_ = 0;  // events
    u64 tape_frames_ = 0;
    u64 tape_records_ = 0;
    i64 first_ns_ = 0;
};

}  // namespace openbell
