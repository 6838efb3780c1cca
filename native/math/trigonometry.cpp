// Sine, cosine and tangent: Taylor's series on an eighth of a turn, its leading terms in pairs.
#include "math/angles.h"
#include "math/functions.h"

namespace openbell::math {
namespace {

Pair sine(Pair r) {
    const double h = r.hi, z = h * h;
    const double tail = series(z, {-1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800,
                                   -1.0 / 1307674368000, 1.0 / 355687428096000});
    return quick_sum(h, h * z * tail + r.lo * (1.0 - 0.5 * z));
}

Pair cosine(Pair r) {
    const double h = r.hi;
    const Pair square = product(h, h);
    const double z = square.hi;
    const double tail = series(z, {1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600,
                                   -1.0 / 87178291200, 1.0 / 20922789888000});
    const Pair two_terms = quick_sum(1.0, -0.5 * z);
    return quick_sum(two_terms.hi, two_terms.lo + (z * z * tail - 0.5 * square.lo - h * r.lo));
}

// Of the angle plus so many quarters of a turn.
double sine_of(Angle angle, int quarters) {
    quarters += angle.quarters;
    const double value = (quarters & 1) != 0 ? cosine(angle.rest).hi : sine(angle.rest).hi;
    return (quarters & 2) != 0 ? -value : value;
}

}  // namespace
}  // namespace openbell::math

using namespace openbell::math;

double ob_sin(double x) {
    if (!is_finite(x)) return kNaN;
    if (magnitude(x) < 0x1p-27) return x;
    return sine_of(reduced_angle(x), 0);
}

double ob_cos(double x) { return is_finite(x) ? sine_of(reduced_angle(x), 1) : kNaN; }

double ob_tan(double x) {
    if (!is_finite(x)) return kNaN;
    if (magnitude(x) < 0x1p-27) return x;
    const Angle angle = reduced_angle(x);
    const Pair s = sine(angle.rest), c = cosine(angle.rest);
    return (angle.quarters & 1) != 0 ? -(c / s).hi : (s / c).hi;
}
