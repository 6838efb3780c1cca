// What Python sees of `execution`.
#include <nanobind/nanobind.h>
#include <nanobind/stl/tuple.h>

#include "bindings/orders.h"
#include "execution/quoter.h"

namespace nb = nanobind;

namespace openbell {
namespace {

nb::bytes reconcile(Quoter& quoter, u16 strategy, u32 instrument, const Oms& oms) {
    Order out[Quoter::kCommandsMax];
    return orders::bytes_of(out, quoter.reconcile(strategy, instrument, oms, out));
}

void aim(Quoter& quoter, u16 strategy, u32 instrument, std::tuple<Side, i64, i64> aim, u64 tag, bool may_grow,
         const Oms& oms) {
    const auto& [side, px, qty] = aim;
    quoter.aim(strategy, instrument, {side, px, qty}, tag, may_grow, oms);
}

nb::list active(const Quoter& quoter) {
    nb::list pairs;
    quoter.for_each_active([&](u16 strategy, u32 instrument) { pairs.append(nb::make_tuple(strategy, instrument)); });
    return pairs;
}

}  // namespace

void bind_execution(nb::module_& m) {
    nb::class_<Quoter>(m, "Quoter", "Two-sided targets to the fewest commands; records go in and out as bytes.")
        .def(nb::init<u32, u32>(), nb::arg("strategies_max"), nb::arg("instruments_max"))
        .def("set_target",
             [](Quoter& q, nb::bytes intent) { return q.set_target(orders::record_from<Intent>(intent)); })
        .def("pull", nb::overload_cast<u16>(&Quoter::pull), nb::arg("strategy"))
        .def("aim", &aim, nb::arg("strategy"), nb::arg("instrument"), nb::arg("aim"), nb::arg("tag"),
             nb::arg("may_grow"), nb::arg("oms"), "`aim`: (side, px, qty); qty 0 = no order")
        .def("pull_all", &Quoter::pull_all)
        .def("reconcile", &reconcile, nb::arg("strategy"), nb::arg("instrument"), nb::arg("oms"))
        .def("on_order_opened", &Quoter::on_order_opened)
        .def("on_refused", &Quoter::on_refused)
        .def("on_order_closed",
             [](Quoter& q, nb::bytes order) { q.on_order_closed(orders::record_from<LiveOrder>(order)); })
        .def("forget_refusals", &Quoter::forget_refusals)
        .def("active", &active)
        .def("order_of", &Quoter::order_of)
        .def("save", &orders::save<Quoter>)
        .def("load", &orders::load<Quoter>);
}

}  // namespace openbell
