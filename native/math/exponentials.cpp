// e^x and what is made of it. Reduction by a table of 2^(j/64): Tang, Table-driven implementation of the exponential
// function in IEEE floating-point arithmetic (ACM Transactions on Mathematical Software 15, 1989), carried in pairs.
#include "math/cores.h"
#include "math/functions.h"

namespace openbell::math {
namespace {

// e^r - 1 - r for |r| < 2^-7.5, by Taylor.
double exp_tail(double r) { return r * r * series(r, {1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720}); }

}  // namespace

ReducedExp reduced_exp(Pair x) {
    const double steps = nearest_whole(x.hi * kExpStepsInOne);
    Pair r = sum(x.hi - steps * kExpStep[0], -steps * kExpStep[1]);
    r = sum(r.hi, r.lo + (x.lo - steps * kExpStep[2]));
    return {i64(steps), sum(r.hi, r.lo + exp_tail(r.hi))};
}

Scaled exp_of(Pair x) {
    const ReducedExp reduced = reduced_exp(x);
    const Pair power = kPowerOf2[reduced.steps & 63];
    const Pair more = product(power.hi, reduced.above_one.hi);
    const Pair total = quick_sum(power.hi, more.hi);
    const double lo =
        total.lo + (power.lo + (more.lo + power.hi * reduced.above_one.lo + power.lo * reduced.above_one.hi));
    return {quick_sum(total.hi, lo), int(reduced.steps >> 6)};
}

Pair expm1_of(Pair x) {
    const ReducedExp reduced = reduced_exp(x);
    if (reduced.steps == 0) return reduced.above_one;
    return exp_of(x).pair() - Pair{1.0, 0.0};
}

}  // namespace openbell::math

using namespace openbell::math;

double ob_exp(double x) {
    if (is_nan(x)) return kNaN;
    if (x > 709.8) return kInfinity;
    if (x < -745.2) return 0.0;
    // As reduced_exp and exp_of, in single doubles: what is lost is 2^-7 of a last place.
    const double steps = nearest_whole(x * kExpStepsInOne);
    const double r = (x - steps * kExpStep[0]) - steps * kExpStep[1];
    const Pair power = kPowerOf2[openbell::i64(steps) & 63];
    const double value = power.hi + (power.lo + power.hi * (r + exp_tail(r)));
    return times_power_of_2(value, int(openbell::i64(steps) >> 6));
}

double ob_expm1(double x) {
    if (is_nan(x)) return kNaN;
    if (x > 709.8) return kInfinity;
    if (x < -60) return -1.0;
    if (magnitude(x) < 0x1p-54) return x;
    return x < 600 ? expm1_of({x, 0}).hi : exp_of({x, 0}).rounded();
}

// (e^x - e^-x) / 2 from e^x - 1, which is exact for small x.
double ob_sinh(double x) {
    const double a = magnitude(x);
    if (is_nan(x)) return kNaN;
    if (a > 711) return with_sign_of(kInfinity, x);
    if (a < 0x1p-27) return x;
    if (a > 50) {
        Scaled half = exp_of({a, 0});
        half.power -= 1;
        return with_sign_of(half.rounded(), x);
    }
    const Pair grown = expm1_of({a, 0});
    return with_sign_of(scaled(grown + grown / (grown + Pair{1.0, 0.0}), 0.5).hi, x);
}

double ob_cosh(double x) {
    const double a = magnitude(x);
    if (is_nan(x)) return kNaN;
    if (a > 711) return kInfinity;
    Scaled half = exp_of({a, 0});
    if (a > 50) {
        half.power -= 1;
        return half.rounded();
    }
    const Pair power = half.pair();
    return scaled(power + Pair{1.0, 0.0} / power, 0.5).hi;
}

double ob_tanh(double x) {
    const double a = magnitude(x);
    if (is_nan(x)) return kNaN;
    if (a > 25) return with_sign_of(1.0, x);
    if (a < 0x1p-27) return x;
    const Pair grown = expm1_of({2 * a, 0});
    return with_sign_of((grown / (grown + Pair{2.0, 0.0})).hi, x);
}
