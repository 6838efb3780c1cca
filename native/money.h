// Money: what a quantity of an instrument is worth at a price, in 1e-4 of the node's base currency.
//
// Exact integers until the last step, which rounds against us: `up` for what we may owe, bind or lose, `down` for
// what we have or have won. Beyond int64 both saturate. A comparison with a limit (`fits`) divides by nothing.
#pragma once

#include <limits>
#include <utility>

#include "records.h"

namespace openbell {

inline constexpr i64 kRateOne = 100'000'000;  // a Conversion of the base currency itself
inline constexpr i64 kMoneyMax = std::numeric_limits<i64>::max();
inline constexpr i64 kMoneyMin = std::numeric_limits<i64>::min();

// What 64 bits cannot hold is the most, or the least, there is.
constexpr i64 clamp_money(i128 v) { return v > kMoneyMax ? kMoneyMax : v < kMoneyMin ? kMoneyMin : i64(v); }

// money = px x qty x num / den in lowest terms, px and qty in the instrument's units.
struct MoneyScale {
    i128 den = 1;
    i64 num = 0;

    // False: its currency has no rate. Then nothing fits and everything is worth the most, or the least.
    bool is_known() const { return num > 0; }
    bool is_one() const { return num == 1 && den == 1; }

    i64 up(i128 units) const { return worth(units, true); }
    i64 down(i128 units) const { return worth(units, false); }
    i64 to_money_up(i64 px, i64 qty) const { return up(i128(px) * qty); }

    // to_money_up(px, qty) <= limit, for a limit below kMoneyMax.
    bool fits(i64 px, i64 qty, i64 limit) const {
        const i128 units = i128(px) * qty;
        if (is_one()) return units <= limit;
        i128 worth, most;
        if (!is_known() || __builtin_mul_overflow(units, i128(num), &worth)) return false;
        return __builtin_mul_overflow(i128(limit), den, &most) ? limit > 0 : worth <= most;
    }

  private:
    i64 worth(i128 units, bool is_up) const {
        i128 product;
        if (!is_known()) return is_up ? kMoneyMax : kMoneyMin;
        if (__builtin_mul_overflow(units, i128(num), &product)) return units > 0 ? kMoneyMax : kMoneyMin;
        if (den != 1) {
            const i128 rest = product % den;
            product /= den;  // toward zero
            product += is_up ? rest > 0 : -i128(rest < 0);
        }
        return clamp_money(product);
    }
};

// Of an instrument whose currency is worth `rate` in 1e-8 of the base currency. Unknown when there is no rate, the
// record says no multiplier, or no int64 and 28 decimals can hold it.
inline MoneyScale money_scale_of(const Instrument& instrument, i64 rate) {
    constexpr int kDecimalsMax = 28, kRateDecimals = 8;
    const int decimals = instrument.px_decimals + instrument.qty_decimals;
    if (rate <= 0 || instrument.multiplier <= 0 || decimals > kDecimalsMax) return {};
    i128 num = i128(instrument.multiplier) * rate;
    i128 den = 1;
    for (int i = kMoneyDecimals; i < decimals + kRateDecimals; ++i) den *= 10;
    i128 common = den;
    for (i128 rest = num; rest != 0;) common = std::exchange(rest, common % rest);
    num /= common;
    if (num > std::numeric_limits<i64>::max()) return {};
    return {den / common, i64(num)};
}

}  // namespace openbell
