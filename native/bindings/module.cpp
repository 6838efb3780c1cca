// The extension module: one list per room, no logic.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace openbell {
void bind_records(nb::module_& m);
void bind_wire(nb::module_& m);
void bind_feed(nb::module_& m);
void bind_book(nb::module_& m);
void bind_risk(nb::module_& m);
void bind_oms(nb::module_& m);
void bind_execution(nb::module_& m);
void bind_journal(nb::module_& m);
void bind_venue(nb::module_& m);
void bind_net(nb::module_& m);
void bind_exchange(nb::module_& m);
void bind_backtest(nb::module_& m);
void bind_engine(nb::module_& m);
void bind_node(nb::module_& m);
}  // namespace openbell

NB_MODULE(_native, m) {
    m.doc() = "The mechanism of openbell; import it through the rooms of the package.";
    openbell::bind_records(m);
    openbell::bind_wire(m);
    openbell::bind_feed(m);
    openbell::bind_book(m);
    openbell::bind_risk(m);
    openbell::bind_oms(m);
    openbell::bind_execution(m);
    openbell::bind_journal(m);
    openbell::bind_venue(m);
    openbell::bind_net(m);
    openbell::bind_exchange(m);
    openbell::bind_backtest(m);
    openbell::bind_engine(m);
    openbell::bind_node(m);
}
