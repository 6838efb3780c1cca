#include "fee_terms.h"

#include <algorithm>

namespace openbell {
namespace {

constexpr i128 kRateUnits = 1'000'000;  // rates are in 1e-6
constexpr i128 kAmountUnits = 10'000;   // amounts in 1e-4

i128 divided_half_away(i128 amount, i128 by) {
    const i128 half = by / 2;
    return (amount < 0 ? amount - half : amount + half) / by;
}

}  // namespace

std::optional<i64> fee_of(const FeeTerms& terms, const MoneyScale& value, i64 px, i64 qty) {
    const bool is_split = terms.value_below_px > 0;
    const i64 per_lot = is_split && px < terms.value_below_px ? 0 : terms.per_lot;
    const i64 per_value = is_split && px >= terms.value_below_px ? 0 : terms.per_value;

    // (qty x per_lot x 1e4 x den + px x qty x num x per_value) / (1e6 x den): rounded once.
    const i128 den = per_value != 0 ? value.den : 1;
    i128 lots = i128(qty) * per_lot, by_value = 0;
    if (__builtin_mul_overflow(lots, kAmountUnits * den, &lots)) return {};
    if (per_value != 0) {
        if (!value.is_known() || __builtin_mul_overflow(i128(px) * qty, i128(value.num) * per_value, &by_value))
            return {};
    }
    i128 amount = 0;
    if (__builtin_add_overflow(lots, by_value, &amount)) return {};
    const bool is_charge = amount > 0;
    amount = divided_half_away(amount, kRateUnits * den);

    if (is_charge) amount = std::max<i128>(amount, terms.charge_min);
    if (terms.charge_max > 0) amount = std::clamp<i128>(amount, -i128(terms.charge_max), terms.charge_max);
    if (amount > kMoneyMax || amount < kMoneyMin) return {};
    return i64(amount);
}

}  // namespace openbell
