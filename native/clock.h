// The Clock port: where time comes from. The engine itself is only ever told the time.
#pragma once

#include <time.h>

#include <algorithm>
#include <exception>
#include <functional>

#include "records.h"

namespace openbell {

struct Clock {
    virtual ~Clock() = default;
    virtual i64 now_ns() = 0;  // ns since the Unix epoch, UTC; never goes back
    // One round of waiting for another thread or process, without sleeping.
    virtual void relax() { __builtin_ia32_pause(); }
};

// The monotonic clock plus an offset to the wall that is measured once, at construction (law 4). A step of
// the wall clock therefore moves nothing here; it shows as `measured_offset_ns() - offset_ns()`, which the
// node makes a ClockOffset event of.
class WallClock final : public Clock {
  public:
    WallClock() : offset_ns_(measured_offset_ns()) {}

    i64 now_ns() override {
        const i64 now = read(CLOCK_MONOTONIC) + offset_ns_;
        return last_ns_ = now > last_ns_ ? now : last_ns_;
    }
    i64 offset_ns() const { return offset_ns_; }
    // Time was there already: where the wall was set back meanwhile it goes on from there, and never stands still.
    void go_on_from(i64 last_ns) { offset_ns_ = std::max(offset_ns_, last_ns - read(CLOCK_MONOTONIC)); }

    // Wall minus monotonic now. The narrowest of a few brackets, so that a preemption between the two
    // readings does not become part of the offset.
    static i64 measured_offset_ns() {
        i64 offset = 0, narrowest = INT64_MAX;
        for (int i = 0; i < kOffsetSamples; ++i) {
            const i64 before = read(CLOCK_MONOTONIC);
            const i64 wall = read(CLOCK_REALTIME);
            const i64 width = read(CLOCK_MONOTONIC) - before;
            if (width < narrowest) {
                narrowest = width;
                offset = wall - (before + width / 2);
            }
        }
        return offset;
    }

  private:
    static constexpr int kOffsetSamples = 8;
    static i64 read(clockid_t id) {
        timespec t{};
        ::clock_gettime(id, &t);
        return i64(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
    }

    i64 offset_ns_;
    i64 last_ns_ = 0;
};

// A simulated process dies here: nothing after this point happens to it.
struct SimulatedDeath : std::exception {
    const char* what() const noexcept override { return "simulated death of the process"; }
};

// Time that stands still until it is moved. Whoever waits in a loop is alone in its thread: the others get their turn
// by `on_relax`.
class SimClock final : public Clock {
  public:
    explicit SimClock(i64 start_ns = 0) : now_ns_(start_ns) {}
    i64 now_ns() override {
        if (looks_left_ != 0 && --looks_left_ == 0) throw SimulatedDeath();
        return now_ns_;
    }
    void relax() override {
        advance(kRelaxNs);
        if (on_relax) on_relax();
    }
    void advance(i64 ns) { now_ns_ += ns > 0 ? ns : 0; }
    void advance_to(i64 ns) { now_ns_ = ns > now_ns_ ? ns : now_ns_; }
    // The n-th look at the clock from now is the last thing its process does; 0: none is.
    void die_at_look(u64 n) { looks_left_ = n; }

    std::function<void()> on_relax;

  private:
    static constexpr i64 kRelaxNs = 20'000;
    i64 now_ns_;
    u64 looks_left_ = 0;
};

}  // namespace openbell
