// What Python sees of `risk`.
#include "risk/risk.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>

#include <array>
#include <optional>

#include "bindings/orders.h"

namespace nb = nanobind;

namespace openbell {
namespace {

using Four = std::array<i64, 4>;

Exposure exposure_of(const Four& e) { return {e[0], e[1], e[2], e[3]}; }

nb::tuple check(const Risk& risk, nb::bytes order, i64 leaves_after, std::optional<nb::bytes> instrument, Four touch,
                bool book_valid, TradingState trading, Four account, Four strategy, u32 repeat) {
    const auto candidate = orders::record_from<Order>(order);
    Instrument known{};
    if (instrument) known = orders::record_from<Instrument>(*instrument);
    const Touch reference{touch[0], touch[1], touch[2], touch[3]};
    const RiskView view{instrument ? &known : nullptr, reference, book_valid, trading, exposure_of(account),
                        exposure_of(strategy)};
    Risk::Verdict v{};
    for (u32 i = 0; i < repeat; ++i) {
        v = risk.check(candidate, leaves_after, view);
        asm volatile("" : : "m"(v) : "memory");  // every repetition is made: the bench times them
    }
    return nb::make_tuple(v.reason, v.limit, v.observed);
}

}  // namespace

void bind_risk(nb::module_& m) {
    nb::class_<Risk>(m, "Risk", "Pre-trade checks; touch is (bid_px, bid_qty, ask_px, ask_qty).")
        .def(nb::init<u32, u32>(), nb::arg("strategies_max"), nb::arg("instruments_max"))
        .def("set_limits", [](Risk& r, nb::bytes limits) { return r.set_limits(orders::record_from<Limits>(limits)); })
        .def("arm", &Risk::arm)
        .def("kill", &Risk::kill)
        .def("release_kill", &Risk::release_kill)
        .def_prop_ro("armed", &Risk::armed)
        .def_prop_ro("killed", &Risk::killed)
        .def("has_limits", &Risk::has_limits, nb::arg("strategy"), nb::arg("instrument"))
        .def("limits_version", &Risk::limits_version, nb::arg("strategy"), nb::arg("instrument"))
        .def("check", &check, nb::arg("order"), nb::arg("leaves_after"), nb::arg("instrument").none(), nb::arg("touch"),
             nb::arg("book_valid"), nb::arg("trading"), nb::arg("account"), nb::arg("strategy"), nb::arg("repeat") = 1,
             "(Reason, limit, observed); exposures are (position, open_buy, open_sell, orders)")
        .def("save", &orders::save<Risk>)
        .def("load", &orders::load<Risk>);
}

}  // namespace openbell
