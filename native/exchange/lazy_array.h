// An array of fixed size that begins as zero bytes: the kernel gives its pages when they are touched, so a large limit
// costs nothing until it is used, and nothing is allocated afterwards.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>

#include "error.h"

namespace openbell::exchange {

template <class T>
class LazyArray {
  public:
    // `setting` sizes it; it is named when there is no memory.
    LazyArray(std::size_t size, const char* setting)
        : items_(static_cast<T*>(std::calloc(size, sizeof(T)))), size_(size) {
        if (!items_)
            throw Error(ErrorKind::Capacity, "expected memory for " + std::to_string(size) + " x " +
                                                 std::to_string(sizeof(T)) + " bytes, found less; lower [limits] " +
                                                 setting);
    }
    std::size_t size() const { return size_; }
    T& operator[](std::size_t n) { return items_[n]; }
    const T& operator[](std::size_t n) const { return items_[n]; }

  private:
    static_assert(std::is_trivially_copyable_v<T>);
    struct Free {
        void operator()(T* items) const { std::free(static_cast<void*>(items)); }
    };
    std::unique_ptr<T[], Free> items_;
    std::size_t size_;
};

}  // namespace openbell::exchange
