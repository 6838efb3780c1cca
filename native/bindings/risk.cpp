// What Python sees of `risk`.
#include "money.h"

#include <nanobind/nanobind.h>

#include "bindings/orders.h"

namespace nb = nanobind;

namespace openbell {
void bind_risk_bench(nb::module_& m);  // risk_bench.cpp

namespace {

// Sums of price x quantity are wider than 64 bits.
i128 wide(const nb::int_& value) {
    const i64 high = nb::cast<i64>(value >> nb::int_(64));
    return i128(u128(u64(high)) << 64 | nb::cast<u64>(value & nb::int_(~u64(0))));
}

}  // namespace

void bind_risk(nb::module_& m) {
    bind_risk_bench(m);
    nb::class_<MoneyScale>(m, "MoneyScale", "Money of price units x quantity units, in 1e-4 of the base currency.")
        .def(
            "__init__",
            [](MoneyScale* self, const nb::bytes& instrument, i64 rate) {
                new (self) MoneyScale(money_scale_of(orders::record_from<Instrument>(instrument), rate));
            },
            nb::arg("instrument"), nb::arg("rate"))
        .def_prop_ro("is_known", &MoneyScale::is_known)
        .def_prop_ro("num", [](const MoneyScale& s) { return s.num; })
        .def_prop_ro("den", [](const MoneyScale& s) { return orders::int_of(s.den); })
        .def(
            "up", [](const MoneyScale& s, const nb::int_& units) { return s.up(wide(units)); }, nb::arg("units"))
        .def(
            "down", [](const MoneyScale& s, const nb::int_& units) { return s.down(wide(units)); }, nb::arg("units"))
        .def("to_money_up", &MoneyScale::to_money_up, nb::arg("px"), nb::arg("qty"))
        .def("fits", &MoneyScale::fits, nb::arg("px"), nb::arg("qty"), nb::arg("limit"));
}

}  // namespace openbell
