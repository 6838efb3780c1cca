// Threads on both sides of what processes share in memory, under the thread sanitizer: `make stress`.
//
// Each target is one race of the system, as hard as it can be run, and says what was wrong or nothing. What both sides
// share lies at one address (one_mapping.cpp), because the sanitizer tells memory by its address.
#pragma once

#include <string>

#include "integers.h"

namespace openbell::stress {

struct Plan {
    u64 rounds;
    u64 seed;
    std::string folder;  // empty, of this target
};

// What was done, in words. Throw Error when a promise was broken.
std::string run_ring(const Plan&);
std::string run_journal(const Plan&);
std::string run_kill_cell(const Plan&);
std::string run_counters(const Plan&);

[[noreturn]] void broken(const std::string& what, u64 expected, u64 found);

}  // namespace openbell::stress
