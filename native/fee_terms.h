// What a fill costs: the arithmetic of every schedule, the exchange's own and the one a node is told.
//
// Amounts are in 1e-4 of the instrument's currency, rounded half away from zero, as a venue bills them; a negative one
// is a rebate, paid to us.
#pragma once

#include <optional>

#include "money.h"

namespace openbell {

struct FeeTerms {
    i64 per_lot = 0;         // 1e-6 of the currency
    i64 per_value = 0;       // 1e-6 of the value: bps x 100
    i64 value_below_px = 0;  // above 0: fills below this price pay per_value alone, others per_lot alone; 0: both
    i64 charge_min = 0;      // of one fill that is charged; a rebate has no least
    i64 charge_max = 0;      // of charge and rebate; 0: none

    bool operator==(const FeeTerms&) const = default;
};

// Of one fill; `value` is the scale of its price and quantity to 1e-4 of its own currency. None: 64 bits cannot hold
// it.
std::optional<i64> fee_of(const FeeTerms& terms, const MoneyScale& value, i64 px, i64 qty);

}  // namespace openbell
