// What several functions are made of, to about 2^-65 of the result and not yet rounded to a double.
#pragma once

#include "math/tables.h"

namespace openbell::math {

// e^x = 2^(steps / 64) * (1 + above_one). With few steps the small part is kept by itself, for e^x - 1.
struct ReducedExp {
    i64 steps;
    Pair above_one;
};

// value * 2^power, value from 0.99 to 2.
struct Scaled {
    Pair value;
    int power;

    double rounded() const { return times_power_of_2(value.hi, power); }
    Pair pair() const { return scaled(value, power_of_2(power)); }  // -900 < power < 1023
};

ReducedExp reduced_exp(Pair x);     // |x| < 800
Scaled exp_of(Pair x);              // |x| < 800
Pair expm1_of(Pair x);              // |x| < 600
Pair log_of(Pair x);                // x finite, above 0
Pair arc_of(Pair side, Pair base);  // atan(side / base), 0 <= side <= base, base from 2^-60 to 2^60

}  // namespace openbell::math
