// Functions whose result is exact or correctly rounded.
#include <utility>

#include "math/functions.h"
#include "math/pair.h"

using namespace openbell::math;
using openbell::i64;
using openbell::u64;

// IEEE 754 wants it correctly rounded of every processor; without errno it is one instruction.
double ob_sqrt(double x) { return x >= 0 ? __builtin_sqrt(x) : x == 0 ? x : kNaN; }

i64 ob_isfinite(double x) { return is_finite(x); }

// From 2^52 on every double is whole.
double ob_trunc(double x) {
    if (is_nan(x)) return kNaN;
    return magnitude(x) < 0x1p52 ? with_sign_of(double(i64(x)), x) : x;
}

double ob_floor(double x) {
    const double whole = ob_trunc(x);
    return whole - double(whole > x);
}

double ob_ceil(double x) {
    const double whole = ob_trunc(x);
    return is_nan(x) ? kNaN : with_sign_of(whole + double(whole < x), x);
}

// The sum of the squares in a pair, scaled so that nothing under- or overflows.
double ob_hypot(double x, double y) {
    double a = magnitude(x), b = magnitude(y);
    if (a == kInfinity || b == kInfinity) return kInfinity;
    if (is_nan(a) || is_nan(b)) return kNaN;
    if (a < b) std::swap(a, b);
    if (b == 0 || a > b * 0x1p60) return a;
    const double scale = a > 0x1p500 ? 0x1p-600 : b < 0x1p-400 ? 0x1p600 : 1.0;
    a *= scale;
    b *= scale;
    return root(product(a, a) + product(b, b)).hi / scale;
}

namespace {

// x = mantissa * 2^(exponent - 1074), the exponent not negative.
struct Whole {
    u64 mantissa;
    int exponent;
};

Whole whole_of(double x) {
    const u64 bits = std::bit_cast<u64>(x);
    const int biased = int(bits >> 52);
    const u64 fraction = bits & ((u64{1} << 52) - 1);
    return biased == 0 ? Whole{fraction, 0} : Whole{fraction | (u64{1} << 52), biased - 1};
}

}  // namespace

// Long division in integers, eleven bits at a time: exact. At most 187 steps.
double ob_fmod(double x, double y) {
    const double a = magnitude(x), b = magnitude(y);
    if (!is_finite(a) || is_nan(b) || b == 0) return kNaN;
    if (a < b) return x;
    const Whole divisor = whole_of(b);
    auto [rest, exponent_left] = whole_of(a);
    exponent_left -= divisor.exponent;
    rest %= divisor.mantissa;
    while (exponent_left > 0 && rest != 0) {
        const int step = exponent_left < 11 ? exponent_left : 11;
        rest = (rest << step) % divisor.mantissa;
        exponent_left -= step;
    }
    // rest < 2^53, so that the product is exact or a multiple of the smallest double
    const double whole = double(i64(rest));
    const int power = divisor.exponent - 1074;
    return with_sign_of(power < -1022 ? whole * power_of_2(power + 200) * power_of_2(-200) : whole * power_of_2(power),
                        x);
}
