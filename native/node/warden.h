// The warden: a thread without locks that closes the order sockets when a kill is asked for and the
// trading thread does not answer (law 11). It needs neither Python nor the engine to be healthy.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "journal/counters.h"
#include "journal/kill_cell.h"
#include "net/poller.h"
#include "net/ports.h"

namespace openbell {

class Warden {
  public:
    static constexpr i64 kLookEveryNs = 1'000'000;
    static constexpr i64 kPatienceNs = 50'000'000;  // for the trading thread to acknowledge a kill

    // `ports` are shut from this thread; their shutdown() is safe from any thread. `acted` is this thread's own
    // counter, 1 while a kill is in force on which it acted: readers learn it although the trading thread hangs.
    // `trading` is where the trading thread waits: it is woken when the cell's bell rings.
    Warden(const KillCell& cell, std::vector<StreamPort*> ports, Counter acted, Poller& trading);
    ~Warden();
    bool has_acted() const { return has_acted_.load(std::memory_order_acquire); }

  private:
    void watch();

    const KillCell& cell_;
    std::vector<StreamPort*> ports_;
    Counter acted_;
    Poller& trading_;
    std::atomic<bool> stop_{false};       // stored by the destructor, loaded by `watch`
    std::atomic<bool> has_acted_{false};  // stored by `watch`, loaded by the trading thread
    std::thread thread_;
};

}  // namespace openbell
