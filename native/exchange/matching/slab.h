// Things of one kind in memory that is taken once and touched only when used. Index 0 is none. What is free is a list
// through `next`, last in first out: what left last is still in the cache.
#pragma once

#include "big_array.h"

namespace openbell::exchange {

template <class T>
class Slab {
  public:
    explicit Slab(std::size_t capacity) : items_(capacity + 1), capacity_(u32(capacity)) {}

    T& operator[](u32 index) { return items_[index]; }
    const T& operator[](u32 index) const { return items_[index]; }
    u32 capacity() const { return capacity_; }
    bool full() const { return free_ == 0 && used_ == capacity_; }
    // Indices above were never taken.
    u32 used() const { return used_; }
    u32 first_free() const { return free_; }

    // Not when full. The item is as its last owner left it.
    u32 take() {
        if (free_ == 0) return ++used_;
        const u32 index = free_;
        free_ = items_[index].next;
        prefetch(free_);  // for who takes the next
        return index;
    }
    // Asks for the memory of one that will be written soon.
    void prefetch(u32 index) const { __builtin_prefetch(&items_[index], 1); }
    void give(u32 index) {
        items_[index].next = free_;
        free_ = index;
    }
    void reset(u32 used, u32 first_free) {
        used_ = used;
        free_ = first_free;
    }

  private:
    BigArray<T> items_;
    u32 capacity_;
    u32 used_ = 0;
    u32 free_ = 0;
};

}  // namespace openbell::exchange
