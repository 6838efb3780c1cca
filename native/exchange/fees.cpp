#include "exchange/fees.h"

#include <string>

#include "error.h"

namespace openbell::exchange {

u32 fee_tier(const FeeRules& rules, i64 volume) {
    u32 tier = 0;
    for (u32 t = 0; t < rules.tiers.size(); ++t)
        if (volume >= rules.tiers[t].volume_min) tier = t;
    return tier;
}

FeeTerms terms_of(const FeeRules& rules, u32 tier, Liquidity liquidity) {
    const FeeTier& rates = rules.tiers.at(tier);
    const i64 per_share = rates.per_share.at(std::size_t(liquidity));
    if (rules.value_below_px <= 0) return {per_share, 0, 0, rules.charge_min, rules.charge_max};
    const i64 per_value = rates.per_value.at(std::size_t(liquidity));
    return {per_share, per_value, rules.value_below_px, rules.charge_min, rules.charge_max};
}

i64 fee(const FeeRules& rules, u32 tier, Liquidity liquidity, i64 px, i64 qty) {
    constexpr MoneyScale kPricesIn1e4{1, 1};
    if (const auto amount = fee_of(terms_of(rules, tier, liquidity), kPricesIn1e4, px, qty)) return *amount;
    throw Error(ErrorKind::Invariant, "expected a fee within 64 bits, found more for " + std::to_string(qty) +
                                          " shares at " + std::to_string(px) + "; lower qty_max or the rate");
}

}  // namespace openbell::exchange
