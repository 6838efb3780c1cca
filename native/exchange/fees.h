// What a fill costs at this exchange: which terms of its table hold. Rules: docs/rulebook.md, Fees; arithmetic:
// fee_terms.h.
//
// The table is the one of the day: who loads it has chosen by date.
#pragma once

#include <array>
#include <vector>

#include "fee_terms.h"

namespace openbell::exchange {

// Why a fill is charged what it is charged, and what reports say of it. Mid: a peg to the middle of the market.
enum class Liquidity : u8 { Maker = 0, HiddenMaker, MidMaker, Taker, MidTaker, Opening, Closing, Reopening };
inline constexpr std::size_t kLiquidities = 8;

// For accounts that traded at least `volume_min` shares in the days before.
struct FeeTier {
    i64 volume_min = 0;
    std::array<i64, kLiquidities> per_share{};  // 1e-6 of the currency, by Liquidity
    std::array<i64, kLiquidities> per_value{};  // 1e-6 of px x qty, for prices below `value_below_px`
};

struct FeeRules {
    std::vector<FeeTier> tiers{{}};  // ascending, the first from 0
    i64 value_below_px = 0;          // 0: every price is charged per share
    i64 charge_min = 0;              // of one fill that is charged; a rebate has no least
    i64 charge_max = 0;              // of charge and rebate; 0: none
};

u32 fee_tier(const FeeRules& rules, i64 volume);

// What a member is told, and computes its own fees from.
FeeTerms terms_of(const FeeRules& rules, u32 tier, Liquidity liquidity);

// Of one fill. Throws Invariant where 64 bits cannot hold it.
i64 fee(const FeeRules& rules, u32 tier, Liquidity liquidity, i64 px, i64 qty);

}  // namespace openbell::exchange
