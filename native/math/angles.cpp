#include "math/angles.h"

namespace openbell::math {
namespace {

constexpr double kLarge = 0x1p17;  // pi/2 in three parts is not enough from here on

// By subtraction of pi/2 in three parts, the first two exact: Cody and Waite, Software Manual for the Elementary
// Functions (1980).
Angle subtracted(double x) {
    const double n = nearest_whole(x * kQuarterTurnsInOne);
    Pair r = sum(x - n * kQuarterTurn[0], -n * kQuarterTurn[1]);
    r = sum(r.hi, r.lo - n * kQuarterTurn[2]);
    return {int(n) & 3, r};
}

// `fraction` * 2^-128, to 106 bits.
Pair to_pair(u128 fraction) {
    if (fraction == 0) return {};
    const u64 top = u64(fraction >> 64);
    const int zeros = top != 0 ? std::countl_zero(top) : 64 + std::countl_zero(u64(fraction));
    const u128 normal = fraction << zeros;
    const double first = double(i64(normal >> 75)) * 0x1p-53;
    const double second = double(i64(u64(normal >> 22) & ((u64{1} << 53) - 1))) * 0x1p-106;
    return scaled(quick_sum(first, second), power_of_2(-zeros));
}

// By a product with those 192 bits of 2/pi that matter: Payne and Hanek, Radian reduction for trigonometric functions
// (ACM SIGNUM Newsletter 18, 1983), in integers. x is normal and above 1/2.
Angle multiplied(double x) {
    const u64 bits = std::bit_cast<u64>(x);
    const u64 mantissa = (bits & ((u64{1} << 52) - 1)) | (u64{1} << 52);
    const int first = exponent(x) - 52 - 2 + 64;  // bit of the table that weighs 2 when multiplied
    const int word = first / 64, shift = first % 64;
    u64 part[3];
    for (int i = 0; i < 3; ++i)
        part[i] = u64((((u128(kTwoOverPi[word + i]) << 64) | kTwoOverPi[word + i + 1]) << shift) >> 64);

    const u128 middle = u128(mantissa) * part[1];
    const u64 low = u64(u128(mantissa) * part[2] >> 64);
    const u128 turned = (u128(mantissa * part[0]) << 64) + middle + low;  // modulo 4 quarter turns, in 2^-126
    const u128 fraction = turned << 2;
    const bool is_above_half = fraction >> 127 != 0;
    const Pair rest = to_pair(is_above_half ? -fraction : fraction) * kHalfPi;
    return {int(u64(turned >> 126) + is_above_half) & 3, is_above_half ? -rest : rest};
}

}  // namespace

Angle reduced_angle(double x) {
    const double a = magnitude(x);
    if (a < 0x1.921fbp-1) return {0, {x, 0}};
    if (a < kLarge) {
        const Angle angle = subtracted(x);
        if (magnitude(angle.rest.hi) > 0x1p-30) return angle;  // closer to a multiple, more bits of pi are needed
    }
    const Angle angle = multiplied(a);
    return x < 0 ? Angle{-angle.quarters & 3, -angle.rest} : angle;
}

}  // namespace openbell::math
