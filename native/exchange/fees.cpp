#include "exchange/fees.h"

#include <algorithm>
#include <limits>
#include <string>

#include "error.h"

namespace openbell::exchange {
namespace {

Error too_much(i64 px, i64 qty) {
    return Error(ErrorKind::Invariant, "expected a fee within 64 bits, found more for " + std::to_string(qty) +
                                           " shares at " + std::to_string(px) + "; lower qty_max or the rate");
}

i128 divided_half_away(i128 amount, i128 by) {
    const i128 half = by / 2;
    return (amount < 0 ? amount - half : amount + half) / by;
}

// An account's charge in 1e-4, before bounds.
i128 amount_of(i64 px, i64 qty, i64 rate, bool is_by_value) {
    constexpr i128 kShareUnits = 100, kValueUnits = 1'000'000;  // 1e-6 to 1e-4; 1e-4 x 1e-6 to 1e-4
    if (!is_by_value) return divided_half_away(i128(qty) * rate, kShareUnits);
    i128 amount = 0;
    if (__builtin_mul_overflow(i128(px) * qty, i128(rate), &amount)) throw too_much(px, qty);
    return divided_half_away(amount, kValueUnits);
}

}  // namespace

u32 fee_tier(const FeeRules& rules, i64 volume) {
    u32 tier = 0;
    for (u32 t = 0; t < rules.tiers.size(); ++t)
        if (volume >= rules.tiers[t].volume_min) tier = t;
    return tier;
}

i64 fee(const FeeRules& rules, u32 tier, Liquidity liquidity, i64 px, i64 qty) {
    const bool is_by_value = px < rules.value_below_px;
    const FeeTier& rates = rules.tiers.at(tier);
    const i64 rate = (is_by_value ? rates.per_value : rates.per_share).at(std::size_t(liquidity));
    i128 amount = amount_of(px, qty, rate, is_by_value);
    if (rate > 0) amount = std::max<i128>(amount, rules.charge_min);
    if (rules.charge_max > 0) amount = std::clamp<i128>(amount, -i128(rules.charge_max), rules.charge_max);
    if (amount > std::numeric_limits<i64>::max() || amount < std::numeric_limits<i64>::min()) throw too_much(px, qty);
    return i64(amount);
}

}  // namespace openbell::exchange
