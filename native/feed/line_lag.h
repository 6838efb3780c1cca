// By how much the later line trails: when each of the last packets first arrived, for whoever brings it again.
//
// A packet finds its place by a hash of its number; a newer one of the same place drives it out and only costs a
// measurement. So a line that trails by more than some hundred packets is not measured but still counted as behind.
#pragma once

#include <algorithm>
#include <array>

#include "records.h"

namespace openbell {

struct Lag {
    u64 count = 0;
    i64 mean_ns = 0;  // moving, over about the last 64
    i64 max_ns = 0;

    void add(i64 ns) {
        mean_ns += count == 0 ? ns : (ns - mean_ns) / kMeanOver;
        max_ns = std::max(max_ns, ns);
        ++count;
    }

  private:
    static constexpr i64 kMeanOver = 64;
};

class LineLag {
  public:
    void first(u64 seq, u8 line, i64 now_ns) { arrivals_[place_of(seq)] = {seq, now_ns, line}; }
    // Into `lag` of `line`, unless this line was the first one, too.
    void again(u64 seq, u8 line, i64 now_ns, Lag& lag) const {
        const Arrival& arrival = arrivals_[place_of(seq)];
        if (arrival.seq == seq && arrival.line != line) lag.add(std::max<i64>(0, now_ns - arrival.ns));
    }

  private:
    struct Arrival {
        u64 seq = 0;
        i64 ns = 0;
        u8 line = 0;
    };
    static constexpr u32 kBits = 9;
    static std::size_t place_of(u64 seq) { return std::size_t(seq * 0x9E37'79B9'7F4A'7C15 >> (64 - kBits)); }

    std::array<Arrival, 1 << kBits> arrivals_{};
};

}  // namespace openbell
