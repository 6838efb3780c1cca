// What Python sees of circuit breakers: those of an engine, with what they measure now.
#include <nanobind/nanobind.h>

#include "engine/engine.h"

namespace nb = nanobind;

namespace openbell {
nb::list breakers_of(const Engine& engine);  // engine.cpp shows it
void bind_breakers(nb::module_& m);          // called by bind_engine

nb::list breakers_of(const Engine& engine) {
    nb::list out;
    for (const Breakers::Breaker& b : engine.breakers().all()) {
        if (!b.is_given) continue;
        nb::dict row;
        row["kind"] = BreakerKind(b.kind);
        row["strategy"] = b.strategy;
        row["instrument"] = b.instrument;
        row["to"] = ArmState(b.to);
        row["threshold"] = b.threshold;
        row["again_below"] = b.again_below;
        row["window_ns"] = b.window_ns;
        row["least"] = b.least;
        row["observed"] = engine.breaker_measure(b);
        row["is_tripped"] = b.is_tripped != 0;
        out.append(row);
    }
    return out;
}

void bind_breakers(nb::module_& m) {
    m.attr("BREAKER_PARAMETERS") = kBreakerParameters;
    m.attr("BREAKERS_MAX") = Breakers::kBreakersMax;
}

}  // namespace openbell
