// Arithmetic of pairs: a number of about 106 bits as the sum of two doubles, without fused multiply-add, so that
// every machine computes the same bits. Dekker, A floating-point technique for extending the available precision
// (Numerische Mathematik 18, 1971); Knuth, The Art of Computer Programming, volume 2, 4.2.2.
#pragma once

#include <bit>
#include <cfloat>
#include <cstddef>
#include <limits>

#include "integers.h"

#ifdef __FAST_MATH__
#error "openbell.math promises bits; it cannot be compiled with -ffast-math"
#endif

namespace openbell::math {

static_assert(std::numeric_limits<double>::is_iec559 && FLT_EVAL_METHOD == 0, "IEEE doubles, rounded at every step");

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// hi is the double nearest to the sum.
struct Pair {
    double hi = 0;
    double lo = 0;
};

constexpr Pair operator-(Pair a) { return {-a.hi, -a.lo}; }

// c[0] + c[1] x + c[2] x^2 ... by Horner's rule.
template <std::size_t n>
constexpr double series(double x, const double (&c)[n]) {
    double value = c[n - 1];
    for (std::size_t i = n - 1; i-- > 0;) value = c[i] + x * value;
    return value;
}

// a + b, exactly. |a| >= |b|, or a is 0.
constexpr Pair quick_sum(double a, double b) {
    const double sum = a + b;
    return {sum, b - (sum - a)};
}

// a + b, exactly.
constexpr Pair sum(double a, double b) {
    const double total = a + b;
    const double of_b = total - a;
    return {total, (a - (total - of_b)) + (b - of_b)};
}

// The 26 leading bits of a double.
constexpr double leading(double x) { return std::bit_cast<double>(std::bit_cast<u64>(x) & ~u64{0x7ffffff}); }

// a * b, exactly but for 2^-107 of it, where nothing underflows.
constexpr Pair product(double a, double b) {
    const double a_hi = leading(a), a_lo = a - a_hi;
    const double b_hi = leading(b), b_lo = b - b_hi;
    const double whole = a * b;
    return {whole, ((a_hi * b_hi - whole) + a_hi * b_lo + a_lo * b_hi) + a_lo * b_lo};
}

constexpr Pair operator+(Pair a, Pair b) {
    const Pair total = sum(a.hi, b.hi);
    return quick_sum(total.hi, total.lo + (a.lo + b.lo));
}

constexpr Pair operator-(Pair a, Pair b) { return a + -b; }

constexpr Pair operator*(Pair a, Pair b) {
    const Pair whole = product(a.hi, b.hi);
    return quick_sum(whole.hi, whole.lo + (a.hi * b.lo + a.lo * b.hi));
}

constexpr Pair operator*(Pair a, double b) {
    const Pair whole = product(a.hi, b);
    return quick_sum(whole.hi, whole.lo + a.lo * b);
}

// Times a power of two: exact.
constexpr Pair scaled(Pair a, double power) { return {a.hi * power, a.lo * power}; }

constexpr Pair operator/(Pair a, Pair b) {
    const double quotient = a.hi / b.hi;
    const Pair back = product(quotient, b.hi);
    return quick_sum(quotient, (((a.hi - back.hi) - back.lo) + (a.lo - quotient * b.lo)) / b.hi);
}

// Square root of a positive number. The processor's own is correctly rounded (IEEE 754, 5.4.1).
inline Pair root(Pair a) {
    const double nearly = __builtin_sqrt(a.hi);
    const Pair back = product(nearly, nearly);
    return quick_sum(nearly, (((a.hi - back.hi) - back.lo) + a.lo) / (2 * nearly));
}

constexpr double magnitude(double x) { return std::bit_cast<double>(std::bit_cast<u64>(x) & ~(u64{1} << 63)); }
constexpr double with_sign_of(double x, double sign) {
    return std::bit_cast<double>(std::bit_cast<u64>(magnitude(x)) | (std::bit_cast<u64>(sign) & (u64{1} << 63)));
}
constexpr bool is_finite(double x) { return magnitude(x) < kInfinity; }
constexpr bool is_nan(double x) { return x != x; }

// Of a normal number: floor(log2 |x|).
constexpr int exponent(double x) { return int(std::bit_cast<u64>(x) >> 52 & 0x7ff) - 1023; }

// 2^k, -1022 <= k <= 1023.
constexpr double power_of_2(int k) { return std::bit_cast<double>(u64(1023 + k) << 52); }

// x * 2^k, rounded once more only where it is subnormal. -1200 <= k <= 1100.
constexpr double times_power_of_2(double x, int k) {
    if (k > 1023) return x * power_of_2(k - 100) * power_of_2(100);
    if (k < -1022) return x * power_of_2(k + 200) * power_of_2(-200);
    return x * power_of_2(k);
}

// The whole number nearest to x, |x| < 2^51.
constexpr double nearest_whole(double x) { return (x + 0x1.8p52) - 0x1.8p52; }

}  // namespace openbell::math
