// How often each of very many things happened within a window, in fixed memory: windows in sets of four, by key.
//
// Where a set is full of what still counts, a newcomer takes the place of the rarest and inherits its count (Metwally
// et al., Space-Saving, 2005): it may count too much, never too little. With fewer things than places in a window,
// which is the ordinary case by far, every count is exact. What is asked for and is not there costs one line.
#pragma once

#include <algorithm>
#include <vector>

#include "oms/slot_index.h"
#include "risk/window.h"
#include "state.h"

namespace openbell {

class KeyedWindows {
  public:
    static constexpr u32 kSets = 1024, kWays = 4;

    KeyedWindows() : sets_(kSets), windows_(std::size_t(kSets) * kWays) {}

    // `key` is a hash of what is counted and of the window's length; 0 means no key.
    u32 count(u64 key, i64 now) const {
        const Set& set = sets_[set_of(key)];
        for (u32 way = 0; way < kWays; ++way)
            if (set.keys[way] == key) return window(key, way).count(now);
        for (const i64 empty_at : set.empty_at)
            if (now >= empty_at) return 0;
        return window(key, rarest(key, now)).count(now);
    }
    void prefetch(u64 key) const { __builtin_prefetch(&sets_[set_of(key)]); }
    // Returns the count with this one; `by` -1 takes back one that was just added.
    u32 add(u64 key, i64 now, i64 window_ns, u32 by = 1) {
        Set& set = sets_[set_of(key)];
        u32 way = 0;
        while (way < kWays && set.keys[way] != key) ++way;
        const bool is_new = way == kWays;
        if (is_new) way = rarest(key, now);
        Window& counted = windows_[set_of(key) * kWays + way];
        if (is_new) {
            const u32 inherited = counted.count(now);
            set.keys[way] = key;
            counted = {};
            counted.set_length(window_ns);
            counted.add(now, inherited);
        }
        counted.add(now, by);
        set.empty_at[way] = counted.empty_at();
        return counted.count(now);
    }

    void save(StateWriter& w) const {
        u64 used = 0;
        for (const Set& set : sets_)
            for (u64 key : set.keys) used += key != 0;
        w.put(used);
        for (u32 i = 0; i < windows_.size(); ++i) {
            if (sets_[i / kWays].keys[i % kWays] == 0) continue;
            w.put(u64(i));
            w.put(sets_[i / kWays].keys[i % kWays]);
            w.put(windows_[i]);
        }
    }
    void load(StateReader& r) {
        std::fill(sets_.begin(), sets_.end(), Set{});
        std::fill(windows_.begin(), windows_.end(), Window{});
        for (u64 n = r.get<u64>(); n > 0; --n) {
            const u64 i = r.get<u64>() % windows_.size();
            sets_[i / kWays].keys[i % kWays] = r.get<u64>();
            windows_[i] = r.get<Window>();
            sets_[i / kWays].empty_at[i % kWays] = windows_[i].empty_at();
        }
    }

  private:
    friend class RiskBench;
    struct alignas(64) Set {
        u64 keys[kWays];
        i64 empty_at[kWays];  // when its window will count nothing any more
    };

    // The place of the set that counts the least; an empty one counts nothing.
    u32 rarest(u64 key, i64 now) const {
        u32 chosen = 0;
        for (u32 way = 1; way < kWays; ++way)
            if (window(key, way).count(now) < window(key, chosen).count(now)) chosen = way;
        return chosen;
    }
    static std::size_t set_of(u64 key) { return key >> 54; }  // of a hash every bit is as good
    static_assert(kSets == 1 << 10);
    const Window& window(u64 key, u32 way) const { return windows_[set_of(key) * kWays + way]; }

    std::vector<Set> sets_;
    std::vector<Window> windows_;
};

}  // namespace openbell
