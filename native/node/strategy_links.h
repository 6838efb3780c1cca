// The trading thread's side of strategies in processes of their own: takes what they say, journals it as IN frames,
// and halts one whose process is gone or falls behind, so that its quotes are pulled and the others go on.
#pragma once

#include <deque>

#include "node/driver.h"
#include "strategy/link.h"

namespace openbell {

// Codes of a StrategyHalted, beside the host's kOverran.
inline constexpr u32 kProcessGone = 2;    // its process has ended
inline constexpr u32 kProcessBehind = 3;  // it has not taken a frame within its lag_max
inline constexpr u32 kProcessWrong = 4;   // it said what no strategy says

class StrategyLinks {
  public:
    struct Config {
        u16 strategy;
        i64 age_max_ns;      // of an intent when it arrives
        i64 age_max_frames;  // the same, in frames
        i64 lag_max_ns;      // for a frame to be taken
    };
    // What is in the rings is of an earlier epoch, and dropped. `last_seq`: of the journal when this epoch began.
    StrategyLinks(const std::vector<Config>& configs, const std::string& hot_dir, const Engine& engine, u64 last_seq);

    // One frame of each that has said something; whether there was any.
    bool poll(Driver& driver, i64 now_ns);
    // At every tick: who is gone, who is behind.
    void watch(Driver& driver, i64 now_ns);
    // Every one that is on has taken frame `seq`, and what it said about it has been taken.
    bool have_answered(u64 seq) const;

    // At the end of a round: those that sleep are told that there are frames they have not seen.
    void wake();

    int bell_fd() const { return bell_.fd(); }
    void silence_bell() const { bell_.silence(); }

  private:
    struct Link {
        Config config;
        Ring ring;
        StrategyCell cell;
        bool is_on = false;
        u64 marked_seq = 0;  // to be taken by
        i64 marked_ns = 0;   // so long after this
    };

    bool poll(Link& link, Driver& driver, i64 now_ns);
    bool may_begin(const Link& link, const Control& head) const;
    void begin(Link& link, Driver& driver, i64 now_ns);
    void take(Link& link, Driver& driver, i64 now_ns);
    void turn(Link& link, bool is_on);
    void halt(Link& link, Driver& driver, u32 code, std::string_view why, i64 now_ns);

    const Engine& engine_;
    const u64 last_seq_;
    StrategyBell bell_;
    std::deque<Link> links_;
    u64 woken_seq_ = 0;
};

}  // namespace openbell
