// The library's own calls, as who is loaded before it reaches them.
#pragma once

#include <dlfcn.h>

namespace openbell::faults {

// The next function of that name after this library.
template <class Function>
Function* next_of(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// Stands before the call of that name: `OPENBELL_NEXT(fsync)(fd)` is the library's.
#define OPENBELL_NEXT(name) (openbell::faults::next_##name())
#define OPENBELL_DECLARE(result, name, ...)                             \
    namespace openbell::faults {                                        \
    inline auto* next_##name() {                                        \
        static auto* const found = next_of<result(__VA_ARGS__)>(#name); \
        return found;                                                   \
    }                                                                   \
    }

}  // namespace openbell::faults
