// How many threads may spin at once.
#pragma once

#include <sched.h>

#include "integers.h"

namespace openbell {

// Processors that this process may run on.
inline u32 cores() {
    cpu_set_t mine;
    return ::sched_getaffinity(0, sizeof mine, &mine) == 0 ? u32(CPU_COUNT(&mine)) : 1;
}

}  // namespace openbell
