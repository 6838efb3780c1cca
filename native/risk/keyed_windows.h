// How often each of very many things happened within a window, in fixed memory: windows in sets of four, by key.
//
// Where a set is full of what still counts, a newcomer takes the place of the rarest and inherits its count (Metwally
// et al., Space-Saving, 2005): it may count too much, never too little. With fewer things than places in a window,
// which is the ordinary case by far, every count is exact.
#pragma once

#include <array>
#include <vector>

#include "oms/slot_index.h"
#include "risk/window.h"
#include "state.h"

namespace openbell {

class KeyedWindows {
  public:
    static constexpr u32 kSets = 1024, kWays = 4;

    KeyedWindows() : keys_(kSets), windows_(std::size_t(kSets) * kWays) {}

    // `key` is a hash of what is counted and of the window's length; 0 means no key.
    u32 count(u64 key, i64 now) const {
        const Set& set = keys_[set_of(key)];
        for (u32 way = 0; way < kWays; ++way)
            if (set[way] == key) return window(key, way).count(now);
        return window(key, rarest(key, now)).count(now);
    }
    // Returns the count with this one.
    u32 add(u64 key, i64 now, i64 window_ns) {
        Set& set = keys_[set_of(key)];
        u32 way = 0;
        while (way < kWays && set[way] != key) ++way;
        const bool is_new = way == kWays;
        if (is_new) way = rarest(key, now);
        Window& counted = windows_[set_of(key) * kWays + way];
        if (is_new) {
            const u32 inherited = counted.count(now);
            set[way] = key;
            counted = {};
            counted.set_length(window_ns);
            counted.add(now, inherited);
        }
        counted.add(now);
        return counted.count(now);
    }

    void save(StateWriter& w) const {
        u64 used = 0;
        for (const Set& set : keys_)
            for (u64 key : set) used += key != 0;
        w.put(used);
        for (u32 i = 0; i < windows_.size(); ++i) {
            if (keys_[i / kWays][i % kWays] == 0) continue;
            w.put(u64(i));
            w.put(keys_[i / kWays][i % kWays]);
            w.put(windows_[i]);
        }
    }
    void load(StateReader& r) {
        std::fill(keys_.begin(), keys_.end(), Set{});
        std::fill(windows_.begin(), windows_.end(), Window{});
        for (u64 n = r.get<u64>(); n > 0; --n) {
            const u64 i = r.get<u64>() % windows_.size();
            keys_[i / kWays][i % kWays] = r.get<u64>();
            windows_[i] = r.get<Window>();
        }
    }

  private:
    friend class RiskBench;
    using Set = std::array<u64, kWays>;

    // The place of the set that counts the least; an empty one counts nothing.
    u32 rarest(u64 key, i64 now) const {
        u32 chosen = 0;
        for (u32 way = 1; way < kWays; ++way)
            if (window(key, way).count(now) < window(key, chosen).count(now)) chosen = way;
        return chosen;
    }
    static std::size_t set_of(u64 key) { return mix_id(key) % kSets; }
    const Window& window(u64 key, u32 way) const { return windows_[set_of(key) * kWays + way]; }

    std::vector<Set> keys_;
    std::vector<Window> windows_;
};

}  // namespace openbell
