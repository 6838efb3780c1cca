#include "strategy/callback_watch.h"

#include <signal.h>

#include <chrono>

namespace openbell {

CallbackWatch::CallbackWatch(i64 budget_ns, int signal)
    : budget_ns_(budget_ns), signal_(signal), trading_(pthread_self()), thread_([this] { watch(); }) {
    turn_.store(2, std::memory_order_relaxed);  // even, and never what `condemned_` begins with
}

CallbackWatch::~CallbackWatch() {
    {
        const std::lock_guard hold(mutex_);
        stop_ = true;
    }
    stopped_.notify_one();
    thread_.join();
}

void CallbackWatch::watch() {
    u64 seen = 0;
    int looks = 0;
    std::unique_lock hold(mutex_);
    while (!stopped_.wait_for(hold, std::chrono::nanoseconds(budget_ns_ / kLooks), [this] { return stop_; })) {
        const u64 turn = turn_.load(std::memory_order_relaxed);
        looks = turn == seen && turn % 2 == 1 ? looks + 1 : 0;
        seen = turn;
        if (looks == 0 || looks % kLooks != 0) continue;  // again after every further budget: it may have been caught
        condemned_.store(turn, std::memory_order_relaxed);
        pthread_kill(trading_, signal_);
    }
}

}  // namespace openbell
