// The extension module: one list per room, no logic.
#include <nanobind/nanobind.h>

#include "error.h"

namespace nb = nanobind;

namespace openbell {
void bind_records(nb::module_& m);
void bind_math(nb::module_& m);
void bind_wire(nb::module_& m);
void bind_feed(nb::module_& m);
void bind_book(nb::module_& m);
void bind_level_bench(nb::module_& m);
void bind_book_bench(nb::module_& m);
void bind_risk(nb::module_& m);
void bind_oms(nb::module_& m);
void bind_execution(nb::module_& m);
void bind_journal(nb::module_& m);
void bind_venue(nb::module_& m);
void bind_net(nb::module_& m);
void bind_exchange(nb::module_& m);
void bind_exchange_rules(nb::module_& m);
void bind_exchange_ledger(nb::module_& m);
void bind_exchange_engine(nb::module_& m);
void bind_exchange_flow(nb::module_& m);
void bind_matching_bench(nb::module_& m);
void bind_venue_bench(nb::module_& m);
void bind_backtest(nb::module_& m);
void bind_strategy(nb::module_& m);
void bind_engine(nb::module_& m);
void bind_node(nb::module_& m);
void bind_session(nb::module_& m);
void bind_packed(nb::module_& m);
void bind_research(nb::module_& m);
}  // namespace openbell

namespace {

const char* class_of(openbell::ErrorKind kind) {
    using enum openbell::ErrorKind;
    switch (kind) {
        case Config: return "ConfigError";
        case Journal: return "JournalError";
        case JournalDamaged: return "JournalDamagedError";
        case JournalLocked: return "JournalLockedError";
        case Snapshot: return "SnapshotError";
        case Decode: return "DecodeError";
        case Capacity: return "CapacityError";
        case Net: return "NetError";
        case Strategy: return "StrategyError";
        case Invariant: return "InvariantError";
    }
    return "OpenbellError";
}

void raise_in_python(const std::exception_ptr& p, void*) {
    try {
        std::rethrow_exception(p);
    } catch (const openbell::Error& e) {
        nb::object type = nb::module_::import_("openbell.errors").attr(class_of(e.kind()));
        PyErr_SetString(type.ptr(), e.what());
    }
}

}  // namespace

NB_MODULE(_native, m) {
    nb::register_exception_translator(raise_in_python);
    nb::set_leak_warnings(false);  // objects alive when the interpreter ends are not worth an alarm to a trader
    m.doc() = "The mechanism of openbell; import it through the rooms of the package.";
    openbell::bind_records(m);
    openbell::bind_math(m);
    openbell::bind_wire(m);
    openbell::bind_feed(m);
    openbell::bind_book(m);
    openbell::bind_level_bench(m);
    openbell::bind_book_bench(m);
    openbell::bind_risk(m);
    openbell::bind_oms(m);
    openbell::bind_execution(m);
    openbell::bind_journal(m);
    openbell::bind_venue(m);
    openbell::bind_net(m);
    openbell::bind_exchange_engine(m);  // before those whose verbs take its words
    openbell::bind_exchange(m);
    openbell::bind_exchange_rules(m);
    openbell::bind_exchange_ledger(m);
    openbell::bind_exchange_flow(m);
    openbell::bind_matching_bench(m);
    openbell::bind_venue_bench(m);
    openbell::bind_backtest(m);
    openbell::bind_strategy(m);
    openbell::bind_engine(m);
    openbell::bind_node(m);
    openbell::bind_session(m);
    openbell::bind_packed(m);
    openbell::bind_research(m);
}
