// What Python sees of `backtest`.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>

#include "backtest/virtual_venue.h"
#include "bindings/record_buffer.h"

namespace nb = nanobind;

namespace openbell {
namespace {

void on_market(VirtualVenue& venue, const nb::object& records, i64 now) {
    const RecordBuffer<Market> in(records);
    for (const Market& record : in.records()) venue.on_market(record, now);
}

void on_commands(VirtualVenue& venue, const nb::object& commands, i64 now) {
    const RecordBuffer<Order> in(commands);
    for (const Order& command : in.records()) venue.on_command(command, now);
}

bool add_instrument(VirtualVenue& venue, const nb::object& record) {
    const RecordBuffer<Instrument> in(record);
    return std::ranges::all_of(in.records(), [&](const Instrument& i) { return venue.add_instrument(i); });
}

nb::object take_reports(VirtualVenue& venue) {
    Rows<Report> out(venue.reports().size());
    std::ranges::copy(venue.reports(), out.rows);
    venue.clear_reports();
    return out.to_python();
}

}  // namespace

void bind_tape_import(nb::module_& m);  // tape_import.cpp

void bind_backtest(nb::module_& m) {
    bind_tape_import(m);
    nb::class_<VirtualVenue>(m, "VirtualVenue", "Virtual own orders in an unaltered book; rules in virtual_venue.h.")
        .def(nb::init<u32, u32, u32>(), nb::arg("instruments_max"), nb::arg("orders_max"), nb::arg("own_orders_max"))
        .def("add_instrument", &add_instrument, nb::arg("instrument"), "From Instrument records; false: no room.")
        .def("on_market", &on_market, nb::arg("records"), nb::arg("now"),
             "Market records reach the venue at `now`, ns.")
        .def("on_commands", &on_commands, nb::arg("commands"), nb::arg("now"),
             "Order records reach the venue at `now`.")
        .def("take_reports", &take_reports, "Rows of 128 bytes (Report) since the last call.")
        .def("set_valid", &VirtualVenue::set_valid, nb::arg("instrument"), nb::arg("is_valid"))
        .def("own_orders", &VirtualVenue::own_orders)
        .def("queue_ahead", &VirtualVenue::queue_ahead, nb::arg("cl_ord_id"), "Quantity in front; -1: not live.")
        .def("touch",
             [](const VirtualVenue& venue, u32 instrument) {
                 const Touch& t = venue.books().touch(instrument);
                 return nb::make_tuple(t.bid_px, t.bid_qty, t.ask_px, t.ask_qty);
             })
        .def("save",
             [](const VirtualVenue& venue) {
                 StateWriter out;
                 venue.save(out);
                 return nb::bytes(out.bytes().data(), out.bytes().size());
             })
        .def("load", [](VirtualVenue& venue, const nb::bytes& state) {
            StateReader in({static_cast<const u8*>(state.data()), state.size()});
            venue.load(in);
        });
}

}  // namespace openbell
