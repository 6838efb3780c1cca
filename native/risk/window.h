// How often something happened within the last while, in fixed memory and without a list of times.
//
// A window is nine buckets of an eighth of its length, on multiples of that eighth of engine time. An event counts for
// at least the window and at most an eighth longer: what is counted this way is never too little.
#pragma once

#include "integers.h"

namespace openbell {

// Which eighth it is now.
class WindowClock {
  public:
    static constexpr u32 kParts = 8;

    i64 width_ns() const { return width_; }  // 0: it never had a length, and nothing was counted
    static i64 width_of(i64 window_ns) { return window_ns < kParts ? 1 : window_ns / kParts; }

  protected:
    bool is_in_newest(i64 now) const { return now < start_ + width_ || width_ == 0; }

    i64 width_ = 0;
    i64 start_ = 0;  // of the newest bucket
};

// Of `Count`: how often, or how much; a sum may be of either sign.
template <class Count>
class WindowOf : public WindowClock {
  public:
    // Empty, from now on of that length; what was counted stays when the length does.
    void set_length(i64 window_ns) {
        if (width_ == width_of(window_ns)) return;
        *this = {};
        width_ = width_of(window_ns);
    }
    Count count(i64 now) const {
        if (is_in_newest(now)) return total_;
        const i64 steps = (now - start_) / width_;
        if (steps > kParts) return 0;
        Count left = total_;
        for (i64 i = 1; i <= steps; ++i) left -= counts_[(head_ + u32(i)) % (kParts + 1)];
        return left;
    }
    // As it was when the last was added; of what is only counted up, never less than `count`.
    Count total() const { return total_; }
    i64 empty_at() const { return start_ + i64(kParts + 1) * width_; }  // from then on nothing counts
    void add(i64 now, Count count = 1) {
        advance(now);
        counts_[head_] += count;
        total_ += count;
    }

  private:
    void advance(i64 now) {
        if (now < start_ + width_) return;
        const i64 steps = now < start_ + 2 * width_ ? 1 : (now - start_) / width_;
        if (steps > kParts) {
            for (Count& c : counts_) c = 0;
            total_ = 0;
            head_ = 0;
            start_ = now - now % width_;
            return;
        }
        for (i64 i = 0; i < steps; ++i) {
            head_ = head_ == kParts ? 0 : head_ + 1;
            total_ -= counts_[head_];
            counts_[head_] = 0;
        }
        start_ += steps * width_;
    }

    Count counts_[kParts + 1] = {};
    Count total_ = 0;
    u32 head_ = 0;  // the newest bucket
    u32 pad_ = 0;
};

using Window = WindowOf<u32>;
using SumWindow = WindowOf<i64>;
static_assert(sizeof(Window) == 64 && sizeof(SumWindow) == 104);

}  // namespace openbell
