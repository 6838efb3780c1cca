// Who has something to do next: numbers with a time each, the earliest first and of equal times the lower number.
// A binary heap that knows where everybody stands, so that a time may change either way.
#pragma once

#include <limits>
#include <utility>
#include <vector>

#include "records.h"

namespace openbell::exchange {

class DueQueue {
  public:
    static constexpr i64 kNever = std::numeric_limits<i64>::max();

    explicit DueQueue(u32 count) : at_(count, kNever), heap_(count), place_(count) {
        for (u32 n = 0; n < count; ++n) heap_[n] = place_[n] = n;
    }

    i64 next_at() const { return at_[heap_.front()]; }
    u32 next() const { return heap_.front(); }

    void set(u32 number, i64 at) {
        if (at_[number] == at) return;
        at_[number] = at;
        rise(place_[number]);
        sink(place_[number]);
    }

  private:
    bool before(u32 a, u32 b) const { return at_[a] != at_[b] ? at_[a] < at_[b] : a < b; }
    void swap(std::size_t a, std::size_t b) {
        std::swap(heap_[a], heap_[b]);
        place_[heap_[a]] = u32(a);
        place_[heap_[b]] = u32(b);
    }
    void rise(std::size_t n) {
        for (; n > 0 && before(heap_[n], heap_[(n - 1) / 2]); n = (n - 1) / 2) swap(n, (n - 1) / 2);
    }
    void sink(std::size_t n) {
        for (;;) {
            std::size_t least = n;
            for (std::size_t child = 2 * n + 1; child <= 2 * n + 2 && child < heap_.size(); ++child)
                if (before(heap_[child], heap_[least])) least = child;
            if (least == n) return;
            swap(n, least);
            n = least;
        }
    }

    std::vector<i64> at_;     // by number
    std::vector<u32> heap_;   // numbers
    std::vector<u32> place_;  // by number: where in the heap
};

}  // namespace openbell::exchange
