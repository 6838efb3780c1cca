// The mid of an instrument some time ago: nine samples, each the mid in force when an eighth of the window ended.
//
// The reference is between eight and nine eighths of the window old. Before it has run that long, it is the oldest
// mid known.
#pragma once

#include "book/books.h"
#include "risk/window.h"

namespace openbell {

class DriftHistory {
  public:
    void set_length(i64 window_ns) {
        if (width_ == Window::width_of(window_ns)) return;
        *this = {};
        width_ = Window::width_of(window_ns);
    }
    bool is_kept() const { return width_ != 0; }

    // With one side of the book empty, the other is the mid; with both, the last one stays.
    void on_touch(const Touch& touch, i64 now) {
        const i64 bid = touch.bid_qty > 0 ? touch.bid_px : 0;
        const i64 ask = touch.ask_qty > 0 ? touch.ask_px : 0;
        const i64 twice = bid > 0 && ask > 0 ? bid + ask : 2 * (bid > 0 ? bid : ask);
        if (twice <= 0) return;
        advance(now);
        last_ = twice;
    }
    // Twice the mid, in px units; 0: there never was one.
    i64 twice_mid_ago(i64 now) const {
        const i64 steps = now < start_ + width_ ? 0 : (now - start_) / width_;
        u64 at = head_ + u64(steps);  // meaningful while it is one of them
        for (i64 i = steps; i < i64(kSamples); ++i, ++at) {
            const i64 sample = samples_[at < kSamples ? at : at - kSamples];
            if (sample > 0) return sample;
        }
        return last_;
    }

  private:
    static constexpr u32 kSamples = Window::kParts + 1;

    void advance(i64 now) {
        if (now < start_ + width_) return;
        const i64 steps = (now - start_) / width_;
        for (i64 i = 0; i < (steps < kSamples ? steps : kSamples); ++i) {
            samples_[head_] = last_;
            head_ = (head_ + 1) % kSamples;
        }
        start_ = now - now % width_;
    }

    i64 width_ = 0;
    i64 start_ = 0;               // of the bucket that goes on
    i64 last_ = 0;                // twice the mid in force
    i64 samples_[kSamples] = {};  // twice the mid when a bucket ended; 0 = none was known
    u64 head_ = 0;                // the oldest
};

}  // namespace openbell
