// The Rng port: luck that is a function of a seed, the same on every machine. SplitMix64, after G. L. Steele,
// D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators" (2014).
//
// The real side of the port is the seed: drawn from the system when the configuration gives none, and
// journalled in Started, so that a replay draws the same numbers.
#pragma once

#include "state.h"

namespace openbell {

class SplitMix64 {
  public:
    explicit SplitMix64(u64 state = 0) : state_(state) {}

    u64 next() {
        u64 z = state_ += 0x9E37'79B9'7F4A'7C15;
        z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9;
        z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EB;
        return z ^ (z >> 31);
    }
    double uniform() { return double(next() >> 11) * 0x1.0p-53; }  // 53 bits in [0, 1)
    u64 below(u64 n) { return next() % n; }                        // n far below 2^64: the bias is n / 2^64
    u64 state() const { return state_; }

    void save(StateWriter& out) const { out.put(state_); }
    void load(StateReader& in) { state_ = in.get<u64>(); }

  private:
    u64 state_;
};

}  // namespace openbell
