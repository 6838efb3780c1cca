// A strategy in a process of its own: a follower of the journal that calls it, and sends what it says to the trading
// thread by a ring. It decides nothing about orders: execution, risk and the gate are the trading thread's.
#pragma once

#include "clock.h"
#include "node/follower.h"
#include "node/own_process.h"
#include "strategy/link.h"

namespace openbell {

class StrategyProcess final : private OwnProcess {
  public:
    struct Config {
        std::string journal_dir;
        std::string hot_dir;
        EngineCapacity capacity;
        u16 strategy = 0;
        std::string source;    // its hash, for the journal
        bool is_busy = false;  // spin instead of sleeping between looks, where there are cores for it
        u32 spinners = 2;      // threads of the node that do so
    };

    // Takes the lock of its cell. Throws Config while another process holds it.
    StrategyProcess(const Config& config, StrategyHost& host);
    // Starts from a snapshot instead of the first frame. Before `run`.
    void load(Bytes state) { follower_.load(state); }
    // Until a signal asks it to stop (node/live.h).
    void run();

  private:
    bool is_meant(const Control& begins) const override;
    void say(const FrameView& at, const Decision& words) override;
    void ask_to_begin();
    u64 take();

    const Config config_;
    WallClock clock_;
    Follower follower_;
    StrategyCell cell_;
    Ring ring_;
    StrategyBell bell_;
    const i64 born_ns_;  // tells this process from others of the same number
    i64 asked_ns_ = 0;
    const bool spins_;  // for ever
};

}  // namespace openbell
