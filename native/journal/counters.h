// Named counters in shared memory: one process adds, any process reads, nobody waits.
//
// The file: magic 8, count 8 at 0; then kCountersMax slots of 64 bytes: name 56 (NUL-padded), value 8.
#pragma once

#include <atomic>
#include <string_view>
#include <vector>

#include "journal/mapping.h"

namespace openbell {

inline constexpr std::size_t kCountersMax = 1023;
inline constexpr std::size_t kCounterNameMax = 55;

// Adds and sets with relaxed stores: a counter orders nothing. One writer per counter.
class Counter {
  public:
    Counter() = default;
    explicit Counter(std::atomic<u64>* value) : value_(value) {}
    void add(u64 n = 1) { value_->store(value_->load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
    void set(u64 n) { value_->store(n, std::memory_order_relaxed); }
    u64 get() const { return value_->load(std::memory_order_relaxed); }

  private:
    std::atomic<u64>* value_ = nullptr;  // partner: the relaxed loads of whoever reads the page
};

class Counters {
  public:
    // Creates the file, or takes over an existing one with its values. One process names counters.
    static Counters open(const std::string& path);
    static Counters attach(const std::string& path);  // read only

    // The counter of that name, made at first sight. Throws Capacity. At start, never on the hot path.
    Counter counter(std::string_view name);
    std::vector<std::pair<std::string, u64>> read() const;

  private:
    struct Slot {
        char name[kCounterNameMax + 1];
        std::atomic<u64> value;
    };
    static_assert(sizeof(Slot) == 64);
    struct Page {
        char magic[8];
        std::atomic<u64> count;  // release after a slot is named; acquire by readers
        u8 pad[48];
        Slot slots[kCountersMax];
    };
    static_assert(sizeof(Page) == 64 * (kCountersMax + 1));
    explicit Counters(Mapping mapping) : mapping_(std::move(mapping)) {}
    Page& page() const { return *reinterpret_cast<Page*>(mapping_.data()); }

    Mapping mapping_;
};

}  // namespace openbell
