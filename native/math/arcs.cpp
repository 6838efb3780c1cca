// The inverses of tangent, sine and cosine, all as the angle of a right triangle. Reduction by a table of atan(i/32):
// Gal, Computing elementary functions: a new approach for achieving high accuracy and good performance (1986), with
// the quotient in pairs.
#include "math/cores.h"
#include "math/functions.h"

namespace openbell::math {

Pair arc_of(Pair side, Pair base) {
    const double i = nearest_whole(32 * (side.hi / base.hi));
    const double c = i / 32;
    // tan(a - b) = (tan a - tan b) / (1 + tan a tan b)
    const Pair t = i == 0 ? side / base : (side - base * c) / (base + side * c);
    const double h = t.hi, z = h * h;
    const double tail = series(z, {-1.0 / 3, 1.0 / 5, -1.0 / 7, 1.0 / 9, -1.0 / 11, 1.0 / 13});
    const Pair from = kAtan[int(i)];
    const Pair total = quick_sum(from.hi, h);
    return quick_sum(total.hi, total.lo + (from.lo + (t.lo + h * z * tail)));
}

namespace {

// The angle of a point in the first quadrant, from the base to the side.
Pair quadrant_angle(Pair side, Pair base) {
    return side.hi <= base.hi ? arc_of(side, base) : kHalfPi - arc_of(base, side);
}

// atan2 of finite y and x, not both 0, y not negative.
double upper_angle(double y, double x) {
    const double a = magnitude(x);
    const bool is_left = x < 0;
    // Both by one power of two, so that the larger lies between 1 and 4 and no product under- or overflows.
    const double larger = y > a ? y : a;
    const double first = larger < 0x1p-900 ? 0x1p200 : 1.0;
    const double second = power_of_2(-exponent(larger * first) / 2);
    const double third = power_of_2(-exponent(larger * first * second));
    const double side = y * first * second * third, base = a * first * second * third;
    if (side < base * 0x1p-60) return is_left ? kPi.hi : y / a;
    if (base < side * 0x1p-60) return kHalfPi.hi;
    const Pair angle = quadrant_angle({side, 0}, {base, 0});
    return is_left ? (kPi - angle).hi : angle.hi;
}

// sqrt(1 - a^2)
Pair leg(double a) { return root(sum(1.0, -a) * sum(1.0, a)); }

}  // namespace
}  // namespace openbell::math

using namespace openbell::math;

double ob_atan(double x) {
    const double a = magnitude(x);
    if (is_nan(x)) return kNaN;
    if (a < 0x1p-27) return x;
    if (a > 0x1p60) return with_sign_of(kHalfPi.hi, x);
    return with_sign_of(quadrant_angle({a, 0}, {1, 0}).hi, x);
}

double ob_atan2(double y, double x) {
    if (is_nan(x) || is_nan(y)) return kNaN;
    const bool is_left = std::bit_cast<openbell::i64>(x) < 0;
    const double a = magnitude(y);
    if (a == 0) return with_sign_of(is_left ? kPi.hi : 0.0, y);
    if (a == kInfinity && magnitude(x) == kInfinity)
        return with_sign_of(is_left ? scaled(kHalfPi * 1.5, 1).hi : kHalfPi.hi / 2, y);
    if (a == kInfinity) return with_sign_of(kHalfPi.hi, y);
    if (magnitude(x) == kInfinity) return with_sign_of(is_left ? kPi.hi : 0.0, y);
    return with_sign_of(upper_angle(a, x), y);
}

double ob_asin(double x) {
    const double a = magnitude(x);
    if (!(a <= 1)) return kNaN;
    if (a < 0x1p-27) return x;
    return with_sign_of(a == 1 ? kHalfPi.hi : quadrant_angle({a, 0}, leg(a)).hi, x);
}

double ob_acos(double x) {
    const double a = magnitude(x);
    if (!(a <= 1)) return kNaN;
    if (a == 1) return x > 0 ? 0.0 : kPi.hi;
    if (a < 0x1p-60) return kHalfPi.hi;
    const Pair angle = quadrant_angle(leg(a), {a, 0});
    return x < 0 ? (kPi - angle).hi : angle.hi;
}
