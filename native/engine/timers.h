// Armed timers in the order in which they fire: (deadline, strategy, id). Law 4.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "state.h"

namespace openbell {

struct ArmedTimer {
    i64 deadline;
    u64 timer_id;
    u32 strategy;
    u32 pad;
};

class TimerTable {
  public:
    explicit TimerTable(u32 timers_max) : max_(timers_max) { armed_.reserve(timers_max); }

    // Arms or moves the timer; false when the table is full.
    bool arm(u16 strategy, u64 timer_id, i64 deadline) {
        disarm(strategy, timer_id);
        if (armed_.size() == max_) return false;
        const ArmedTimer timer{deadline, timer_id, strategy, 0};
        armed_.insert(std::upper_bound(armed_.begin(), armed_.end(), timer, before), timer);
        return true;
    }
    void disarm(u16 strategy, u64 timer_id) {
        std::erase_if(armed_, [&](const ArmedTimer& t) { return t.strategy == strategy && t.timer_id == timer_id; });
    }
    i64 next_deadline() const { return armed_.empty() ? std::numeric_limits<i64>::max() : armed_.front().deadline; }
    const ArmedTimer* due(i64 now) const { return next_deadline() <= now ? &armed_.front() : nullptr; }

    void save(StateWriter& out) const {
        out.put(u64(armed_.size()));
        for (const ArmedTimer& t : armed_) out.put(t);
    }
    void load(StateReader& in) {
        armed_.clear();
        for (u64 n = in.get<u64>(); n > 0; --n) armed_.push_back(in.get<ArmedTimer>());
    }

  private:
    static bool before(const ArmedTimer& a, const ArmedTimer& b) {
        if (a.deadline != b.deadline) return a.deadline < b.deadline;
        if (a.strategy != b.strategy) return a.strategy < b.strategy;
        return a.timer_id < b.timer_id;
    }
    std::vector<ArmedTimer> armed_;
    std::size_t max_;
};

}  // namespace openbell
