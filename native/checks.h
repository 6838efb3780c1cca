// What follows when a check fails: one table, for the books and for the edge of every feed.
#pragma once

#include <array>
#include <cstddef>

#include "reasons.h"

namespace openbell {

inline constexpr std::size_t kChecks = 32;  // numbers of Check are below

// How often each check failed.
using CheckCounts = std::array<u64, kChecks>;

class CheckPolicies {
  public:
    // A book that contradicts its feed is not to be traded on; what is only odd is marked.
    constexpr CheckPolicies() {
        using enum Check;
        policies_.fill(CheckPolicy::Mark);
        for (const Check check :
             {UnknownOrder, DuplicateOrder, NegativeQty, OverExecuted, BookFull, OtherKind, Crossed, Malformed})
            set(check, CheckPolicy::Halt);
        for (const Check check : {PxBand, QtyBand}) set(check, CheckPolicy::Drop);
    }

    constexpr CheckPolicy operator[](Check check) const { return policies_[std::size_t(check)]; }
    constexpr void set(Check check, CheckPolicy policy) { policies_[std::size_t(check)] = policy; }
    bool operator==(const CheckPolicies&) const = default;

  private:
    std::array<CheckPolicy, kChecks> policies_{};
};

}  // namespace openbell
