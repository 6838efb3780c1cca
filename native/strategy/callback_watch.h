// Ends callbacks of interpreted strategies that run over their time budget: a thread beside the trading thread that
// sees a callback go on for too long and sends the trading thread a signal, on which Python raises (budget.py).
//
// The budget is time, so what it ends is no function of the frames: the halt is journalled, and whoever plays the
// journal again takes it from there (`IntentSource::expect`).
#pragma once

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "integers.h"

namespace openbell {

class CallbackWatch {
  public:
    static constexpr int kLooks = 4;  // a callback ends between one budget and a quarter more

    // Signals the thread that makes it.
    CallbackWatch(i64 budget_ns, int signal);
    ~CallbackWatch();

    // Around every callback, on the trading thread.
    void begin() { turn_.store(turn_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
    void end() { begin(); }
    // Whether the callback that runs is over its budget.
    bool is_condemned() const {
        return condemned_.load(std::memory_order_relaxed) == turn_.load(std::memory_order_relaxed);
    }
    bool is_running() const { return turn_.load(std::memory_order_relaxed) % 2 == 1; }
    i64 budget_ns() const { return budget_ns_; }

  private:
    void watch();

    const i64 budget_ns_;
    const int signal_;
    const pthread_t trading_;
    std::atomic<u64> turn_{0};       // odd while a callback runs; stored by the trading thread
    std::atomic<u64> condemned_{0};  // the turn that is over its budget; stored by `watch`. 0: none, as no turn is
    std::mutex mutex_;
    std::condition_variable stopped_;
    bool stop_ = false;  // under mutex_
    std::thread thread_;
};

}  // namespace openbell
