// An array that is taken once, whole, and touched only where it is used. A large one asks for huge pages: random
// accesses to many megabytes of small pages spend more on finding the page than on the memory.
#pragma once

#include <sys/mman.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

#include "records.h"

namespace openbell {

// Asks for the line of memory at `at`, to be read and written soon. GCC takes a function that does nothing else for one
// without effect, and leaves out calls of it; the empty statement is an effect.
inline void prefetch_line(const void* at) {
    __builtin_prefetch(at, 1);
    asm volatile("");
}

template <class T>
class BigArray {
  public:
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_default_constructible_v<T>);

    explicit BigArray(std::size_t count) : items_(take(count * sizeof(T)), Release{}) {}

    T& operator[](std::size_t i) { return items_.get()[i]; }
    const T& operator[](std::size_t i) const { return items_.get()[i]; }

  private:
    static constexpr std::size_t kLine = 64;
    static constexpr std::size_t kHugePage = std::size_t(1) << 21;
    struct Release {
        void operator()(T* items) const { std::free(items); }
    };

    static T* take(std::size_t bytes) {
        const std::size_t unit = bytes < kHugePage ? kLine : kHugePage;
        void* memory = std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit);
        if (!memory) throw std::bad_alloc();
        if (unit == kHugePage) (void)::madvise(memory, bytes, MADV_HUGEPAGE);  // without, it is only slower
        return static_cast<T*>(memory);
    }

    std::unique_ptr<T, Release> items_;
};

}  // namespace openbell
