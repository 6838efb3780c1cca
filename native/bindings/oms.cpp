// What Python sees of `oms`.
#include "oms/oms.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/tuple.h>

#include "bindings/orders.h"

namespace nb = nanobind;

namespace openbell {
void bind_accounts(nb::module_& m);  // accounts.cpp

namespace {

#define FIELD(name) nb::make_tuple(#name, orders::dtype_of<decltype(LiveOrder::name)>(), offsetof(LiveOrder, name))

nb::tuple live_order_layout() {
    nb::list fields;
    for (nb::tuple f :
         {FIELD(cl_ord_id), FIELD(order_id),        FIELD(instrument),     FIELD(strategy),    FIELD(side),
          FIELD(tif),       FIELD(state),           FIELD(prev_state),     FIELD(pending),     FIELD(unsent),
          FIELD(version),   FIELD(pending_version), FIELD(cancel_version), FIELD(px),          FIELD(qty),
          FIELD(cum_qty),   FIELD(leaves_qty),      FIELD(pending_px),     FIELD(pending_qty), FIELD(created_ns),
          FIELD(tag),       FIELD(in_doubt),        FIELD(flags),          FIELD(terms),       FIELD(session),
          FIELD(expires_s)}) {
        fields.append(f);
    }
    return nb::make_tuple(sizeof(LiveOrder), fields);
}

nb::tuple on_report(Oms& oms, nb::bytes report) {
    auto r = orders::record_from<Report>(report);
    const Applied applied = oms.on_report(r);
    return nb::make_tuple(applied.kind, applied.became_terminal, orders::bytes_of(r));
}

nb::bytes on_resolved(Oms& oms, u8 session, u32 reports_max) {
    std::vector<Report> out(reports_max);
    return orders::bytes_of(out.data(), oms.on_resolved(session, out));
}

nb::object find(const Oms& oms, u64 cl_ord_id) {
    const LiveOrder* o = oms.find(cl_ord_id);
    return o ? nb::object(orders::bytes_of(*o)) : nb::none();
}

nb::bytes live_orders(const Oms& oms) {
    std::vector<LiveOrder> out;
    oms.for_each_live([&](const LiveOrder& o) { out.push_back(o); });
    return orders::bytes_of(out.data(), out.size());
}

nb::dict position(const Oms& oms, u16 strategy, u32 instrument) {
    const Position& p = oms.position(strategy, instrument);
    nb::dict d;
    d["qty"] = p.qty;
    d["buys"] = p.buys;
    d["sells"] = p.sells;
    d["fills"] = p.fills;
    d["cash"] = orders::int_of(p.cash);
    d["cost"] = orders::int_of(p.cost);
    d["realized"] = orders::int_of(p.realized);
    d["fees"] = orders::int_of(p.fees);
    return d;
}

nb::tuple exposure(const Oms& oms, u16 strategy, u32 instrument) {
    const Exposure e = oms.exposure(strategy, instrument);
    return nb::make_tuple(e.position, e.open_buy, e.open_sell, e.orders);
}

nb::dict counters(const Oms& oms) {
    const Oms::Counters& c = oms.counters();
    nb::dict d;
    d["reports"] = c.reports;
    d["applied"] = c.applied;
    d["ignored"] = c.ignored;
    d["unknown"] = c.unknown;
    d["duplicates"] = c.duplicates;
    d["illegal"] = c.illegal;
    d["overfills"] = c.overfills;
    d["beyond_asked"] = c.beyond_asked;
    d["late_fills"] = c.late_fills;
    d["refused_commands"] = c.refused_commands;
    d["stale_starts"] = c.stale_starts;
    return d;
}

}  // namespace

void bind_oms(nb::module_& m) {
    m.def("live_order_layout", &live_order_layout, "(size in bytes, [(field, NumPy dtype, offset)]) of LiveOrder");
    nb::enum_<Applied::Kind>(m, "Applied", nb::is_arithmetic())
        .value("IGNORED", Applied::Ignored)
        .value("DONE", Applied::Done)
        .value("UNKNOWN_ORDER", Applied::UnknownOrder)
        .value("DUPLICATE", Applied::Duplicate)
        .value("ILLEGAL", Applied::Illegal)
        .value("OVERFILL", Applied::Overfill)
        .value("BEYOND_ASKED", Applied::BeyondAsked);
    nb::class_<Oms>(m, "Oms", "Order states, open orders, positions. Records go in and out as bytes.")
        .def(
            "__init__",
            [](Oms* self, u32 orders_max, u32 strategies_max, u32 instruments_max, u32 fills_max) {
                new (self) Oms({orders_max, strategies_max, instruments_max, fills_max});
            },
            nb::arg("orders_max"), nb::arg("strategies_max"), nb::arg("instruments_max"), nb::arg("fills_max") = 0)
        .def("on_started", [](Oms& oms, nb::bytes started) { oms.on_started(orders::record_from<Started>(started)); })
        .def("set_instrument", [](Oms& oms, nb::bytes r) { oms.set_instrument(orders::record_from<Instrument>(r)); })
        .def("set_fee_rate", [](Oms& oms, nb::bytes rate) { oms.set_fee_rate(orders::record_from<Control>(rate)); })
        .def("reserve", &Oms::reserve, nb::arg("strategy"))
        .def("next_id", &Oms::next_id, nb::arg("strategy"), nb::arg("n"))
        .def("claim", &Oms::claim, nb::arg("strategy"), nb::arg("id"))
        .def("doubt_in_flight", &Oms::doubt_in_flight)
        .def("can_open", &Oms::can_open, nb::arg("strategy"))
        .def("on_command", [](Oms& oms, nb::bytes order) { return oms.on_command(orders::record_from<Order>(order)); })
        .def("on_report", &on_report, nb::arg("report"), "(Applied, became_terminal, report as filled in)")
        .def("adjust", [](Oms& oms, nb::bytes by_hand) { return oms.adjust(orders::record_from<Control>(by_hand)); })
        .def("on_resolved", &on_resolved, nb::arg("session"), nb::arg("reports_max") = 1024)
        .def("find", &find, nb::arg("cl_ord_id"))
        .def("live_orders", &live_orders)
        .def("position", &position, nb::arg("strategy"), nb::arg("instrument"))
        .def("exposure", &exposure, nb::arg("strategy"), nb::arg("instrument"))
        .def("counters", &counters)
        .def_prop_ro("recycled", &Oms::recycled_orders)
        .def_prop_ro("ended", &Oms::ended_orders)
        .def("audit", &Oms::audit, "Raise InvariantError where orders, exposures or positions contradict each other.")
        .def("save", &orders::save<Oms>)
        .def("load", &orders::load<Oms>);
    bind_accounts(m);
}

}  // namespace openbell
