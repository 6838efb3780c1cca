// What Python sees of `backtest`: files of market data as tapes.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "backtest/tape_import.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
nb::dict counters_of(const EdgeCounters& c);  // feed_checks.cpp

namespace {

void feed(TapeImport& tape, const nb::bytes& bytes) {
    const Bytes view(static_cast<const u8*>(bytes.data()), bytes.size());
    nb::gil_scoped_release release;
    tape.feed(view);
}

}  // namespace

void bind_tape_import(nb::module_& m) {
    m.attr("SYNTHETIC_TIME") = kSyntheticTime;
    nb::class_<TapeImport>(m, "TapeImport", "Writes framed ITCH 5.0 bytes to a tape (openbell.backtest.tape_import).")
        .def(
            "__init__",
            [](TapeImport* self, JournalWriter& journal, i64 midnight_ns, std::vector<std::string> symbols,
               bool split_by_tracking, const EdgeConfig& checks) {
                new (self) TapeImport(journal, TapeOptions{midnight_ns, std::move(symbols), split_by_tracking, checks});
            },
            "journal"_a, "midnight_ns"_a, "symbols"_a = std::vector<std::string>{}, "split_by_tracking"_a = false,
            "checks"_a = EdgeConfig{}, nb::keep_alive<1, 2>())
        .def("feed", &feed, "bytes"_a, "The next bytes of the file; a message may be cut between two calls.")
        .def("finish", &TapeImport::finish, "The file ends here.")
        .def_prop_ro("records", &TapeImport::records)
        .def_prop_ro("frames", &TapeImport::frames)
        .def_prop_ro("checks", [](const TapeImport& tape) { return counters_of(tape.checked()); })
        .def_prop_ro("messages", [](const TapeImport& tape) { return tape.counters().messages; })
        .def_prop_ro("unsubscribed", [](const TapeImport& tape) { return tape.counters().unsubscribed; })
        .def_prop_ro("malformed", [](const TapeImport& tape) { return tape.counters().malformed; })
        .def_prop_ro("unknown", [](const TapeImport& tape) { return tape.counters().unknown; });
}

}  // namespace openbell
