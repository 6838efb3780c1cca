// openbell.math: elementary functions with the same bits on every machine (law 13), for the core, interpreted and
// compiled strategies alike. Nothing here calls libm. Promises, sources and errors: docs/math.md.
//
// They never fail: what has no value is NaN, what is too large is infinite. Who called them with finite arguments
// and finds a result that is not finite raises.
#pragma once

#include <span>

#include "integers.h"

extern "C" {
double ob_exp(double x);
double ob_expm1(double x);
double ob_log(double x);
double ob_log1p(double x);
double ob_log2(double x);
double ob_log10(double x);
double ob_pow(double x, double y);
double ob_sqrt(double x);
double ob_hypot(double x, double y);
double ob_fmod(double x, double y);
double ob_sin(double x);
double ob_cos(double x);
double ob_tan(double x);
double ob_asin(double x);
double ob_acos(double x);
double ob_atan(double x);
double ob_atan2(double y, double x);
double ob_sinh(double x);
double ob_cosh(double x);
double ob_tanh(double x);
double ob_erf(double x);
double ob_erfc(double x);
double ob_normal_cdf(double x);
double ob_normal_pdf(double x);
double ob_floor(double x);
double ob_ceil(double x);
double ob_trunc(double x);
openbell::i64 ob_isfinite(double x);
}

namespace openbell {

struct MathFunction {
    const char* name;
    const void* address;
    const char* signature;  // "f64(f64)": result and arguments
};

// All of them, in the order above.
std::span<const MathFunction> math_functions();

}  // namespace openbell
