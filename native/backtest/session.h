// One backtest: everything a node is made of, with a tape for a feed and the virtual venue for a venue.
#pragma once

#include "backtest/backtest.h"

namespace openbell {

class BacktestSession {
  public:
    struct Config {
        std::string tape_dir;
        std::string journal_dir;
        VenueLatency latency;
        EngineCapacity capacity;
        GateLimits gate;
        Presets presets;
        u16 node = 0;
        u64 segment_bytes = kSegmentBytesDefault;
        i64 until_ns = std::numeric_limits<i64>::max();
        // The venue keeps a book of its own even where the engine's would do: the same, slower. For tests.
        bool has_two_books = false;
    };

    BacktestSession(const Config& config, IntentSource& strategies);
    BacktestSession(const BacktestSession&) = delete;  // its parts know each other
    BacktestSession& operator=(const BacktestSession&) = delete;

    // A control record of ours, as the node's configuration or an operator would give it.
    void submit(Bytes record, u16 source);
    bool run(u64 events_max) { return backtest_.run(events_max); }
    void close() { journal_.close(); }

    const Engine& engine() const { return engine_; }
    const Driver& driver() const { return driver_; }
    const Backtest& backtest() const { return backtest_; }
    u32 epoch() const { return journal_.epoch(); }

  private:
    SimClock clock_;
    Engine engine_;
    JournalWriter journal_;
    VirtualVenue venue_;
    VenueRoute route_;
    Gate gate_;
    Driver driver_;
    Backtest backtest_;
};

}  // namespace openbell
