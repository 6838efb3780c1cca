// Logarithms and powers. Reduction by a table of short inverses: Tang, Table-driven implementation of the logarithm
// function in IEEE floating-point arithmetic (ACM Transactions on Mathematical Software 16, 1990), carried in pairs.
#include "math/cores.h"
#include "math/functions.h"

namespace openbell::math {
namespace {

constexpr u64 kSqrtHalfBits = 0x3fe6a09e00000000;  // about sqrt(1/2): where the exponent steps

// log(1 + r) for |r| < 2^-7: r - r^2/2 in pairs, the rest by Taylor.
Pair log_above_one(Pair r) {
    const double h = r.hi;
    const Pair square = product(h, h);
    const double tail = series(h, {1.0 / 3, -1.0 / 4, 1.0 / 5, -1.0 / 6, 1.0 / 7, -1.0 / 8, 1.0 / 9, -1.0 / 10});
    const Pair two_terms = quick_sum(h, -0.5 * square.hi);
    return {two_terms.hi, two_terms.lo + (r.lo - h * r.lo - 0.5 * square.lo + h * square.hi * tail)};
}

}  // namespace

Pair log_of(Pair x) {
    int power = 0;
    if (x.hi < 0x1p-1022) {
        x = scaled(x, 0x1p54);
        power = -54;
    }
    const u64 bits = std::bit_cast<u64>(x.hi);
    const int octaves = int(i64(bits - kSqrtHalfBits) >> 52);
    const double m = std::bit_cast<double>(bits - (u64(i64(octaves)) << 52));  // 0.707 to 1.414
    const double m_lo = octaves < 1000 ? x.lo * power_of_2(-octaves) : 0.0;    // no bit of the result then
    const LogStep& step = kLogSteps[int(m * 128 + 0.5) - kLogStepFirst];

    const double m_leading = leading(m);  // 26 bits times 10 are exact
    Pair r = sum(m_leading * step.inverse - 1.0, (m - m_leading) * step.inverse);
    r = sum(r.hi, r.lo + m_lo * step.inverse);
    const Pair small = log_above_one(r);
    const double n = octaves + power;
    const Pair total = sum(n * kLn2.hi + step.log.hi, small.hi);  // the first exact: multiples of 2^-42
    return quick_sum(total.hi, total.lo + (small.lo + (step.log.lo + n * kLn2.lo)));
}

namespace {

// What all logarithms answer alike; 1 where there is something to compute.
double special_log(double x) {
    if (is_nan(x) || x < 0) return kNaN;
    if (x == 0) return -kInfinity;
    return x == kInfinity ? x : 1.0;
}

bool is_whole(double x) { return magnitude(x) >= 0x1p52 || ob_trunc(x) == x; }
bool is_odd(double whole) { return magnitude(whole) < 0x1p53 && (i64(whole) & 1) == 1; }

// x^y where x or y is 0 or infinite, y != 0. `sign` is that of the result.
double limit_of_pow(double a, double y, double sign) {
    if (a == 1) return 1.0;
    if (magnitude(y) == kInfinity) return (a > 1) == (y > 0) ? kInfinity : 0.0;
    return with_sign_of((a == 0) == (y > 0) ? 0.0 : kInfinity, sign);
}

}  // namespace
}  // namespace openbell::math

using namespace openbell::math;

double ob_log(double x) {
    const double special = special_log(x);
    return special == 1 ? log_of({x, 0}).hi : special;
}

double ob_log2(double x) {
    const double special = special_log(x);
    return special == 1 ? (log_of({x, 0}) * kLog2OfE).hi : special;
}

double ob_log10(double x) {
    const double special = special_log(x);
    return special == 1 ? (log_of({x, 0}) * kLog10OfE).hi : special;
}

double ob_log1p(double x) {
    if (magnitude(x) < 0x1p-54) return x;
    if (x > 0x1p60) return ob_log(x);
    const double special = special_log(1 + x);
    return special == 1 ? log_of(sum(1, x)).hi : special;
}

// IEEE 754, 9.2.1: x^0 = 1^y = 1, even of NaN.
double ob_pow(double x, double y) {
    if (y == 0 || x == 1) return 1.0;
    if (is_nan(x) || is_nan(y)) return kNaN;
    const double a = magnitude(x);
    const bool is_negative = std::bit_cast<openbell::i64>(x) < 0;
    const bool is_flipped = is_negative && is_whole(y) && is_odd(y);
    const double sign = is_flipped ? -1.0 : 1.0;
    if (a == 0 || !is_finite(a) || !is_finite(y)) return limit_of_pow(a, y, sign);
    if (is_negative && !is_whole(y)) return kNaN;

    const Pair log = log_of({a, 0});
    const double about = y * log.hi;
    if (about > 710) return sign * kInfinity;
    if (about < -746) return sign * 0.0;
    if (magnitude(about) < 0x1p-60) return sign;  // also keeps the products of a pair from underflowing
    return sign * exp_of(log * y).rounded();
}
