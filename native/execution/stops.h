// Stop orders that the engine holds, because no venue here has them: each waits until the market reaches its price,
// then it becomes an ordinary order. A trailing one follows the market with its price, never back.
//
// What it became stays known under the stop's own id until that order has ended.
#pragma once

#include <algorithm>
#include <vector>

#include "oms/live_order.h"
#include "state.h"

namespace openbell {

struct Stop {
    Intent intent;  // what it becomes
    u64 id;         // that the strategy knows it by; never sent
    u64 order;      // what it became, 0 while it waits
    i64 stop_px;    // moves with a trail
    u64 is_elected;
};
static_assert(sizeof(Stop) == 160);

// The market is at `px`, which this stop watches.
inline void watch(Stop& stop, i64 px) {
    const bool is_buy = stop.intent.side == u8(Side::Buy);
    if (stop.intent.trail > 0) {
        const i64 behind = is_buy ? px + stop.intent.trail : px - stop.intent.trail;
        const bool is_nearer = is_buy ? behind < stop.stop_px : behind > stop.stop_px;
        if (stop.stop_px == 0 || is_nearer) stop.stop_px = behind;
    }
    if (stop.stop_px != 0 && (is_buy ? px >= stop.stop_px : px <= stop.stop_px)) stop.is_elected = 1;
}

class Stops {
  public:
    static constexpr std::size_t kStopsMax = 256;

    Stops() { stops_.reserve(kStopsMax); }

    bool empty() const { return stops_.empty(); }
    bool is_full() const { return stops_.size() == kStopsMax; }
    Stop& add(const Intent& intent, u64 id) { return stops_.emplace_back(Stop{intent, id, 0, intent.stop_px, 0}); }
    const Stop* find(u64 id) const {
        const auto found = std::ranges::find(stops_, id, &Stop::id);
        return found == stops_.end() ? nullptr : &*found;
    }
    void forget_order(u64 order) {
        std::erase_if(stops_, [&](const Stop& s) { return s.order == order; });
    }
    // In the order in which they were asked for.
    template <class F>
    void for_each(F&& f) {
        for (Stop& stop : stops_) f(stop);
    }
    template <class F>
    void erase_if(F&& is_over) {
        std::erase_if(stops_, is_over);
    }
    const std::vector<Stop>& all() const { return stops_; }

    void save(StateWriter& out) const {
        out.put(u64(stops_.size()));
        for (const Stop& stop : stops_) out.put(stop);
    }
    void load(StateReader& in) {
        stops_.clear();
        const u64 count = in.get<u64>();
        if (count > kStopsMax) throw Error(ErrorKind::Snapshot, "stops snapshot: more than the engine holds");
        for (u64 n = count; n > 0; --n) stops_.push_back(in.get<Stop>());
    }

  private:
    std::vector<Stop> stops_;
};

}  // namespace openbell
