// What Python sees of `math`: the functions by name, for openbell.math; and the table that compiled code reads.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "math/functions.h"
#include "math/pair.h"

namespace nb = nanobind;

namespace openbell {
namespace {

// A Python float, or an int of at most 64 bits. No bool, and no other type that happens to have a value.
struct Number {
    double value;
};

}  // namespace
}  // namespace openbell

namespace nanobind::detail {

template <>
struct type_caster<openbell::Number> {
    NB_TYPE_CASTER(openbell::Number, const_name("float"))

    bool from_python(handle source, std::uint8_t, cleanup_list*) noexcept {
        if (PyFloat_Check(source.ptr())) {
            value.value = PyFloat_AS_DOUBLE(source.ptr());
            return true;
        }
        if (!PyLong_CheckExact(source.ptr())) return false;
        int overflow = 0;
        value.value = double(PyLong_AsLongLongAndOverflow(source.ptr(), &overflow));
        return overflow == 0;
    }
};

}  // namespace nanobind::detail

namespace openbell {
namespace {

std::string text_of(double x) { return nb::cast<std::string>(nb::repr(nb::float_(x))); }

[[noreturn]] void refuse(const char* name, const std::string& arguments, const char* expected, double found) {
    throw nb::value_error((std::string(name) + "(" + arguments + "): expected " + expected + ", found " +
                           text_of(found) + "; check the arguments before the call")
                              .c_str());
}

double checked(double result, const char* name, double x) {
    if (!math::is_finite(result) && math::is_finite(x)) refuse(name, text_of(x), "a finite result", result);
    return result;
}

double checked(double result, const char* name, double x, double y) {
    if (!math::is_finite(result) && math::is_finite(x) && math::is_finite(y))
        refuse(name, text_of(x) + ", " + text_of(y), "a finite result", result);
    return result;
}

i64 whole(double result, const char* name, double x) {
    if (!(result >= -0x1p63 && result < 0x1p63)) refuse(name, text_of(x), "an int of 64 bits", result);
    return i64(result);
}

template <double (*function)(double)>
void one(nb::module_& m, const char* name, const char* doc) {
    const char* shown = name + sizeof("math_") - 1;
    m.def(name, [shown](Number x) { return checked(function(x.value), shown, x.value); }, nb::arg("x"), doc);
}

template <double (*function)(double)>
void to_int(nb::module_& m, const char* name, const char* doc) {
    const char* shown = name + sizeof("math_") - 1;
    m.def(name, [shown](Number x) { return whole(function(x.value), shown, x.value); }, nb::arg("x"), doc);
}

template <double (*function)(double, double)>
void two(nb::module_& m, const char* name, const char* first, const char* second, const char* doc) {
    const char* shown = name + sizeof("math_") - 1;
    m.def(
        name, [shown](Number a, Number b) { return checked(function(a.value, b.value), shown, a.value, b.value); },
        nb::arg(first), nb::arg(second), doc);
}

std::vector<std::tuple<std::string, std::uintptr_t, std::string>> table() {
    std::vector<std::tuple<std::string, std::uintptr_t, std::string>> rows;
    for (const MathFunction& f : math_functions())
        rows.emplace_back(f.name, reinterpret_cast<std::uintptr_t>(f.address), f.signature);
    return rows;
}

}  // namespace

void bind_math(nb::module_& m) {
    m.def("math_functions", &table, "Every C function of openbell.math: (name, address, signature).");

    one<ob_exp>(m, "math_exp", "e to the power x.");
    one<ob_expm1>(m, "math_expm1", "e to the power x, minus 1; exact where x is small.");
    one<ob_log>(m, "math_log", "The natural logarithm of x.");
    one<ob_log1p>(m, "math_log1p", "The natural logarithm of 1 + x; exact where x is small.");
    one<ob_log2>(m, "math_log2", "The logarithm of x to base 2.");
    one<ob_log10>(m, "math_log10", "The logarithm of x to base 10.");
    two<ob_pow>(m, "math_pow", "x", "y", "x to the power y.");
    one<ob_sqrt>(m, "math_sqrt", "The square root of x, correctly rounded.");
    two<ob_hypot>(m, "math_hypot", "x", "y", "The square root of x * x + y * y.");
    two<ob_fmod>(m, "math_fmod", "x", "y", "What is left of x after whole multiples of y, with the sign of x; exact.");

    one<ob_sin>(m, "math_sin", "The sine of x radians.");
    one<ob_cos>(m, "math_cos", "The cosine of x radians.");
    one<ob_tan>(m, "math_tan", "The tangent of x radians.");
    one<ob_asin>(m, "math_asin", "The angle in radians whose sine is x, from -pi/2 to pi/2.");
    one<ob_acos>(m, "math_acos", "The angle in radians whose cosine is x, from 0 to pi.");
    one<ob_atan>(m, "math_atan", "The angle in radians whose tangent is x, from -pi/2 to pi/2.");
    two<ob_atan2>(m, "math_atan2", "y", "x", "The angle in radians of the point (x, y), from -pi to pi.");
    one<ob_sinh>(m, "math_sinh", "The hyperbolic sine of x.");
    one<ob_cosh>(m, "math_cosh", "The hyperbolic cosine of x.");
    one<ob_tanh>(m, "math_tanh", "The hyperbolic tangent of x.");

    one<ob_erf>(m, "math_erf", "The error function of x.");
    one<ob_erfc>(m, "math_erfc", "1 minus the error function of x; exact where that is small.");
    one<ob_normal_cdf>(m, "math_normal_cdf", "How likely a standard normal value is at most x.");
    one<ob_normal_pdf>(m, "math_normal_pdf", "The density of the standard normal distribution at x.");

    to_int<ob_floor>(m, "math_floor", "The largest int not above x.");
    to_int<ob_ceil>(m, "math_ceil", "The smallest int not below x.");
    to_int<ob_trunc>(m, "math_trunc", "x without what follows its point, as an int.");
    m.def(
        "math_isfinite", [](Number x) { return math::is_finite(x.value); }, nb::arg("x"), "Neither infinite nor NaN.");
}

}  // namespace openbell
