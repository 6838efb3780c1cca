// Angles to less than an eighth of a turn.
#pragma once

#include "math/tables.h"

namespace openbell::math {

// x = quarters * pi/2 + rest, quarters modulo 4, |rest| <= pi/4.
struct Angle {
    int quarters;
    Pair rest;
};

Angle reduced_angle(double x);  // finite

}  // namespace openbell::math
