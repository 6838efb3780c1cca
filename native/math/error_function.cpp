// The normal distribution. Small arguments by Taylor's series of erf; others by erfc(x) = e^(-x^2) f(x), the smooth
// f as polynomials of a table (Cody, Rational Chebyshev approximations for the error function, Mathematics of
// Computation 23, 1969, splits it in the same way), with x^2 and the product in pairs.
#include "math/cores.h"
#include "math/functions.h"

namespace openbell::math {
namespace {

constexpr double kSeries = 0.5;    // erf by its series below
constexpr double kTiny = 0x1p-30;  // erf is 2x / sqrt(pi) below

// erf(x), kTiny <= |x| < kSeries.
Pair erf_series(Pair x) {
    const double h = x.hi, z = h * h;
    const double tail = series(z, {-1.0 / 3, 1.0 / 10, -1.0 / 42, 1.0 / 216, -1.0 / 1320, 1.0 / 9360, -1.0 / 75600,
                                   1.0 / 685440, -1.0 / 6894720, 1.0 / 76204800, -1.0 / 918086400, 1.0 / 11975040000});
    return kTwoOverSqrtPi * quick_sum(h, x.lo * (1 - z) + h * z * tail);
}

// erfc(x), kSeries <= x < 28, of which `square` is the square.
Scaled erfc_table(Pair x, Pair square) {
    const u64 first = u64(1022) << 3;
    const ErfcStep& step = kErfcSteps[(std::bit_cast<u64>(x.hi) >> 49) - first];
    const double d = (x.hi - step.centre) + x.lo;
    const double tail = d * series(d, step.others);
    const Scaled power = exp_of(-square);
    return {power.value * quick_sum(step.first.hi, step.first.lo + tail), power.power};
}

// 1 - erf(x) or 2 - erfc(-x), rounded once.
double erfc_of(Pair x, Pair square) {
    if (magnitude(x.hi) < kTiny) return 1.0 - kTwoOverSqrtPi.hi * x.hi;
    if (magnitude(x.hi) < kSeries) return (Pair{1.0, 0.0} - erf_series(x)).hi;
    if (x.hi > 0) return erfc_table(x, square).rounded();
    return (Pair{2.0, 0.0} - erfc_table(-x, square).pair()).hi;
}

}  // namespace
}  // namespace openbell::math

using namespace openbell::math;

double ob_erf(double x) {
    const double a = magnitude(x);
    if (is_nan(x)) return kNaN;
    if (a > 6) return with_sign_of(1.0, x);
    if (a < kTiny) return (kTwoOverSqrtPi * (x * 0x1p200)).hi * 0x1p-200;
    if (a < kSeries) return with_sign_of(erf_series({a, 0}).hi, x);
    return with_sign_of((Pair{1.0, 0.0} - erfc_table({a, 0}, product(a, a)).pair()).hi, x);
}

double ob_erfc(double x) {
    if (is_nan(x)) return kNaN;
    if (x > 27.3) return 0.0;
    if (x < -6) return 2.0;
    return erfc_of({x, 0}, product(x, x));
}

// erfc(-x / sqrt 2) / 2, the square of whose argument is x^2 / 2.
double ob_normal_cdf(double x) {
    if (is_nan(x)) return kNaN;
    if (x < -38.6) return 0.0;
    if (x > 8.5) return 1.0;
    if (magnitude(x) < kTiny) return 0.5 + kOneOverSqrtTwoPi.hi * x;
    const Pair at = kSqrtHalf * -x, square = scaled(product(x, x), 0.5);
    if (at.hi < kSeries) return 0.5 * erfc_of(at, square);
    Scaled tail = erfc_table(at, square);
    tail.power -= 1;
    return tail.rounded();
}

double ob_normal_pdf(double x) {
    if (is_nan(x)) return kNaN;
    if (magnitude(x) > 39) return 0.0;
    const Scaled power = exp_of(scaled(product(x, x), -0.5));
    return Scaled{power.value * kOneOverSqrtTwoPi, power.power}.rounded();
}
