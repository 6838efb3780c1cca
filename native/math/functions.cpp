#include "math/functions.h"

namespace openbell {
namespace {

const void* address_of(double (*function)(double)) { return reinterpret_cast<const void*>(function); }
const void* address_of(double (*function)(double, double)) { return reinterpret_cast<const void*>(function); }

constexpr const char* kOne = "f64(f64)";
constexpr const char* kTwo = "f64(f64,f64)";

const MathFunction kFunctions[] = {
    {"ob_exp", address_of(ob_exp), kOne},
    {"ob_expm1", address_of(ob_expm1), kOne},
    {"ob_log", address_of(ob_log), kOne},
    {"ob_log1p", address_of(ob_log1p), kOne},
    {"ob_log2", address_of(ob_log2), kOne},
    {"ob_log10", address_of(ob_log10), kOne},
    {"ob_pow", address_of(ob_pow), kTwo},
    {"ob_sqrt", address_of(ob_sqrt), kOne},
    {"ob_hypot", address_of(ob_hypot), kTwo},
    {"ob_fmod", address_of(ob_fmod), kTwo},
    {"ob_sin", address_of(ob_sin), kOne},
    {"ob_cos", address_of(ob_cos), kOne},
    {"ob_tan", address_of(ob_tan), kOne},
    {"ob_asin", address_of(ob_asin), kOne},
    {"ob_acos", address_of(ob_acos), kOne},
    {"ob_atan", address_of(ob_atan), kOne},
    {"ob_atan2", address_of(ob_atan2), kTwo},
    {"ob_sinh", address_of(ob_sinh), kOne},
    {"ob_cosh", address_of(ob_cosh), kOne},
    {"ob_tanh", address_of(ob_tanh), kOne},
    {"ob_erf", address_of(ob_erf), kOne},
    {"ob_erfc", address_of(ob_erfc), kOne},
    {"ob_normal_cdf", address_of(ob_normal_cdf), kOne},
    {"ob_normal_pdf", address_of(ob_normal_pdf), kOne},
    {"ob_floor", address_of(ob_floor), kOne},
    {"ob_ceil", address_of(ob_ceil), kOne},
    {"ob_trunc", address_of(ob_trunc), kOne},
    {"ob_isfinite", reinterpret_cast<const void*>(ob_isfinite), "i64(f64)"},
};

}  // namespace

std::span<const MathFunction> math_functions() { return kFunctions; }

}  // namespace openbell
