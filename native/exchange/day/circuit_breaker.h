// The market-wide circuit breaker: a fall of the index halts the whole venue. Sans I/O; the owner feeds an index.
//
// Each level halts once a day. The first two halt for a while, and no more shortly before the close; the third ends the
// day. Index values are in any unit, the same throughout (ITCH V tells them with 8 decimals).
#pragma once

#include <array>
#include <limits>
#include <optional>

#include "state.h"

namespace openbell::exchange {

inline constexpr std::size_t kBreakerLevels = 3;

struct BreakerRules {
    std::array<i64, kBreakerLevels> decline_bps{700, 1'300, 2'000};
    i64 halt_ns = 900'000'000'000;
    i64 last_halt_ns = (15 * 60 + 25) * 60'000'000'000;  // since midnight: from then on only the last level halts
};

struct BreakerHalt {
    u8 level = 0;  // 1 to 3, as ITCH W tells it
    i64 until = 0;
    static constexpr i64 kRestOfDay = std::numeric_limits<i64>::max();
};

class CircuitBreaker {
  public:
    // `index_close`: of the day before, positive.
    CircuitBreaker(const BreakerRules& rules, i64 index_close, i64 midnight_ns)
        : rules_(&rules), close_(index_close), midnight_ns_(midnight_ns) {}

    // The index at each level (ITCH V), rounded down: at or below it the level is breached.
    std::array<i64, kBreakerLevels> levels() const;
    // The halt that this value demands; a fall through several levels at once counts as the deepest.
    std::optional<BreakerHalt> on_index(i64 value, i64 now);

    u8 breached() const { return breached_; }

    void save(StateWriter& out) const { out.put(breached_); }
    void load(StateReader& in) { breached_ = in.get<u8>(); }

  private:
    const BreakerRules* rules_;
    i64 close_;
    i64 midnight_ns_;
    u8 breached_ = 0;  // the deepest level of today
};

}  // namespace openbell::exchange
