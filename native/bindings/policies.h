// Policies of checks as Python has them: a list by number of the check.
#pragma once

#include <algorithm>
#include <vector>

#include "checks.h"

namespace openbell {

inline std::vector<int> list_of(const CheckPolicies& policies) {
    std::vector<int> out;
    for (std::size_t i = 0; i < kChecks; ++i) out.push_back(int(policies[Check(i)]));
    return out;
}

inline CheckPolicies policies_of(const std::vector<int>& list) {
    CheckPolicies out;
    for (std::size_t i = 0; i < std::min(list.size(), kChecks); ++i) out.set(Check(i), CheckPolicy(list[i]));
    return out;
}

}  // namespace openbell
