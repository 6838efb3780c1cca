// What Python sees of `risk`.
#include "risk/risk.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>

#include <array>
#include <optional>

#include "bindings/orders.h"
#include "money.h"

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

// Sums of price x quantity are wider than 64 bits.
i128 wide(const nb::int_& value) {
    const i64 high = nb::cast<i64>(value >> nb::int_(64));
    return i128(u128(u64(high)) << 64 | nb::cast<u64>(value & nb::int_(~u64(0))));
}

void bind_money(nb::module_& m) {
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

}  // namespace

void bind_risk(nb::module_& m) {
    bind_money(m);
    nb::class_<Risk>(m, "Risk", "Pre-trade checks; touch is (bid_px, bid_qty, ask_px, ask_qty).")
        .def(nb::init<u32, u32>(), nb::arg("strategies_max"), nb::arg("instruments_max"))
        .def("set_limits", [](Risk& r, nb::bytes limits) { return r.set_limits(orders::record_from<Limits>(limits)); })
        .def(
            "arm",
            [](Risk& r, ArmState state, u16 strategy, u32 instrument, bool after_kill) {
                r.arming().arm({strategy, instrument}, state, after_kill);
            },
            nb::arg("state"), nb::arg("strategy") = kNoStrategy, nb::arg("instrument") = kNoInstrument,
            nb::arg("after_kill") = false)
        .def(
            "kill",
            [](Risk& r, KillLevel level, u16 strategy, u32 instrument) {
                r.arming().kill({strategy, instrument}, level);
            },
            nb::arg("level"), nb::arg("strategy") = kNoStrategy, nb::arg("instrument") = kNoInstrument)
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
