// The time that strategies take inside the engine, call by call: for benchmarks.
#include <nanobind/nanobind.h>

#include <chrono>
#include <vector>

#include "strategy/intent_source.h"

namespace nb = nanobind;

namespace openbell {
void bind_strategy_bench(nb::module_& m);

namespace {

using namespace nb::literals;

// Stands between the engine and `inner`. The two readings of the clock are part of every sample: measure a class
// that does nothing too, and take it away.
class TimedStrategies final : public IntentSource {
  public:
    TimedStrategies(IntentSource& inner, std::size_t samples_max) : inner_(inner) { samples_.reserve(samples_max); }

    void decide(const FrameView& in, const Happened& happened, const World& world, Decision& out) override {
        if (happened.books.empty() || samples_.size() == samples_.capacity())
            return inner_.decide(in, happened, world, out);
        const auto began = std::chrono::steady_clock::now();
        inner_.decide(in, happened, world, out);
        samples_.push_back(u32((std::chrono::steady_clock::now() - began).count()));
    }
    nb::bytes take() {
        nb::bytes out(reinterpret_cast<const char*>(samples_.data()), samples_.size() * sizeof(u32));
        samples_.clear();
        return out;
    }

  private:
    IntentSource& inner_;
    std::vector<u32> samples_;
};

}  // namespace

void bind_strategy_bench(nb::module_& m) {
    nb::class_<TimedStrategies, IntentSource>(m, "TimedStrategies", "Times other strategies: for benchmarks.")
        .def(nb::init<IntentSource&, std::size_t>(), "inner"_a, "samples_max"_a, nb::keep_alive<1, 2>())
        .def("take", &TimedStrategies::take, "ns of each frame that changed a book, as bytes of u32; begins anew.");
}

}  // namespace openbell
