#include "exchange/day/circuit_breaker.h"

namespace openbell::exchange {

std::array<i64, kBreakerLevels> CircuitBreaker::levels() const {
    constexpr i64 kBps = 10'000;
    std::array<i64, kBreakerLevels> out{};
    for (std::size_t l = 0; l < kBreakerLevels; ++l)
        out[l] = i64(i128(close_) * (kBps - rules_->decline_bps[l]) / kBps);
    return out;
}

std::optional<BreakerHalt> CircuitBreaker::on_index(i64 value, i64 now) {
    u8 level = 0;
    for (i64 at : levels())
        if (value <= at) ++level;
    if (level <= breached_) return {};
    breached_ = level;
    if (level == kBreakerLevels) return BreakerHalt{level, BreakerHalt::kRestOfDay};
    if (now - midnight_ns_ >= rules_->last_halt_ns) return {};
    return BreakerHalt{level, now + rules_->halt_ns};
}

}  // namespace openbell::exchange
