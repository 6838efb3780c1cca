// What Python sees of the checks at a feed's edge: their configuration and what they have counted.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "bindings/policies.h"
#include "feed/edge_checks.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
nb::dict counters_of(const EdgeCounters& c);
void bind_feed_checks(nb::module_& m);  // called by bind_feed

nb::dict counters_of(const EdgeCounters& c) {
    nb::dict d;
    d["failed"] = std::vector<u64>(c.failed.begin(), c.failed.end());
    d["quarantined"] = c.quarantined, d["unwritten"] = c.unwritten, d["untold"] = c.untold;
    d["filtered"] = c.filtered, d["follow_ups"] = c.follow_ups, d["no_room"] = c.no_room;
    return d;
}

namespace {

void add_limits(EdgeConfig& config, std::string symbol, i64 px_low, i64 px_high, u32 band_bps, i64 tick, i64 lot,
                i64 qty_max, i64 keep_low, i64 keep_high) {
    config.limits.push_back({std::move(symbol), EdgeLimits{.px_low = px_low,
                                                           .px_high = px_high,
                                                           .band_bps = band_bps,
                                                           .tick = tick,
                                                           .lot = lot,
                                                           .qty_max = qty_max,
                                                           .keep_low = keep_low,
                                                           .keep_high = keep_high}});
}

}  // namespace

void bind_feed_checks(nb::module_& m) {
    const EdgeLimits wide;
    nb::class_<EdgeConfig>(m, "EdgeConfig", "What a feed's edge checks and leaves out, in native units.")
        .def(nb::init<>())
        .def_prop_rw(
            "policies", [](const EdgeConfig& c) { return list_of(c.policies); },
            [](EdgeConfig& c, const std::vector<int>& policies) { c.policies = policies_of(policies); },
            "CheckPolicy of every Check, by its number")
        .def_rw("clock_back_ns", &EdgeConfig::clock_back_ns)
        .def_rw("left_out_max", &EdgeConfig::left_out_max)
        .def_rw("types", &EdgeConfig::types, "of messages that are left out, as the venue writes them")
        .def("add_limits", &add_limits, "symbol"_a, "px_low"_a = wide.px_low, "px_high"_a = wide.px_high,
             "band_bps"_a = wide.band_bps, "tick"_a = wide.tick, "lot"_a = wide.lot, "qty_max"_a = wide.qty_max,
             "keep_low"_a = wide.keep_low, "keep_high"_a = wide.keep_high);
}

}  // namespace openbell
