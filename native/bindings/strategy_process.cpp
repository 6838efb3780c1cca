// What Python sees of a strategy in a process of its own.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "node/strategy_process.h"

namespace nb = nanobind;

namespace openbell {
void bind_strategy_process(nb::module_& m);

void bind_strategy_process(nb::module_& m) {
    using namespace nb::literals;
    using Config = StrategyProcess::Config;
    nb::class_<StrategyProcess>(m, "StrategyProcess", "Follows a node's journal and calls one strategy beside it.")
        .def(
            "__init__",
            [](StrategyProcess* self, const EngineCapacity& capacity, std::string journal_dir, std::string hot_dir,
               u16 strategy, StrategyHost& host, std::string source, bool is_busy, u32 spinners) {
                new (self) StrategyProcess(Config{std::move(journal_dir), std::move(hot_dir), capacity, strategy,
                                                  std::move(source), is_busy, spinners},
                                           host);
            },
            "capacity"_a, "journal_dir"_a, "hot_dir"_a, "strategy"_a, "host"_a, "source"_a = "", "is_busy"_a = false,
            "spinners"_a = 2, nb::keep_alive<1, 6>())
        .def(
            "load",
            [](StrategyProcess& p, const nb::bytes& state) {
                p.load({reinterpret_cast<const u8*>(state.c_str()), state.size()});
            },
            "state"_a, "Begin at a snapshot; before `run`.")
        .def("run", &StrategyProcess::run, "Until a signal; see `install_stop_handler`.");
    nb::class_<StrategyCell>(m, "StrategyCell", "Where a strategy's process and the trading thread meet.")
        .def_static(
            "open",
            [](const std::string& hot_dir, u16 id) { return StrategyCell::open(strategy_cell_path(hot_dir, id)); },
            "hot_dir"_a, "strategy"_a)
        .def_prop_ro("pid", &StrategyCell::pid)
        .def_prop_ro("seen", &StrategyCell::seen, "the last frame that the process has taken")
        .def_prop_ro("is_on", &StrategyCell::is_on, "the trading thread takes what it says")
        .def_prop_ro("is_held", &StrategyCell::is_held, "a process of it lives")
        .def_prop_ro("is_condemned", &StrategyCell::is_condemned, "it did not answer: it is to be ended");
}

}  // namespace openbell
