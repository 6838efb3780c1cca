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

    // to_money_up(px, qty) <= limit, for a limit below kMoneyMax; up(units) <= limit.
    bool fits(i64 px, i64 qty, i64 limit) const { return units_fit(i128(px) * qty, limit); }
    bool units_fit(i128 units, i64 limit) const {
        if (is_one()) return units <= limit;
        if (!is_known()) return false;
        if (is_short(units) && is_short(den)) return i128(i64(units)) * num <= i128(limit) * i64(den);
        i128 product, most;
        if (__builtin_mul_overflow(units, i128(num), &product)) return false;
        return __builtin_mul_overflow(i128(limit), den, &most) ? limit > 0 : product <= most;
    }

  private:
    static bool is_short(i128 v) { return v == i64(v); }

    i64 worth(i128 units, bool is_up) const {
        if (is_one()) return clamp_money(units);
        if (!is_known()) return is_up ? kMoneyMax : kMoneyMin;
        i128 product;
        if (__builtin_mul_overflow(units, i128(num), &product)) return units > 0 ? kMoneyMax : kMoneyMin;
        if (is_short(product) && is_short(den)) return divided(i64(product), i64(den), is_up);
        return clamp_money(divided(product, den, is_up));
    }
    template <class Int>
    static Int divided(Int v, Int by, bool is_up) {
        const Int rest = v % by;  // of the sign of v
        return v / by + (is_up ? Int(rest > 0) : -Int(rest < 0));
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
