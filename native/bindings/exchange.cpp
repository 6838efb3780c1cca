// What Python sees of `exchange`.
#include <nanobind/nanobind.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <tuple>

#include "exchange/matching.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
namespace {

using namespace exchange;

// The engine with a sink that keeps events until they are taken, for tests and studies.
class RecordedMatching : private MatchSink {
  public:
    using Row = std::tuple<int, int, int, int, u32, u32, u32, u64, u64, u64, u64, u64, i64, i64, i64>;

    RecordedMatching(u32 instruments, std::size_t orders_max, bool matches)
        : engine(instruments, orders_max, *this, matches) {}
    std::vector<Row> take_events() { return std::exchange(rows_, {}); }

    MatchingEngine engine;

  private:
    void on_match_event(const MatchEvent& e) override {
        rows_.emplace_back(int(e.type), int(e.side), int(e.cause), int(e.priority), e.instrument, e.account,
                           e.aggressor_account, e.ref, e.tag, e.aggressor_ref, e.prev_ref, e.match_number, e.px, e.qty,
                           e.leaves);
    }
    std::vector<Row> rows_;
};

Terms terms_of(i64 px, i64 qty, Tif tif, bool post_only, i64 min_qty) { return {px, qty, tif, post_only, min_qty}; }

void bind_matching(nb::module_& m) {
    m.attr("MARKET_PX") = kMarketPx;
    nb::class_<RecordedMatching>(m, "MatchingEngine", "Price-time matching that keeps its events until they are taken.")
        .def(nb::init<u32, std::size_t, bool>(), "instruments"_a, "orders_max"_a, "matches"_a = true)
        .def(
            "submit",
            [](RecordedMatching& self, u32 instrument, u32 account, Side side, i64 px, i64 qty, Tif tif,
               bool post_only, i64 min_qty, u64 tag) {
                return self.engine.submit(instrument, account, side, terms_of(px, qty, tif, post_only, min_qty), tag);
            },
            "instrument"_a, "account"_a, "side"_a, "px"_a, "qty"_a, "tif"_a = Tif::Day, "post_only"_a = false,
            "min_qty"_a = 0, "tag"_a = 0)
        .def(
            "replace",
            [](RecordedMatching& self, u64 ref, i64 px, i64 qty, Tif tif, bool post_only, i64 min_qty, u64 tag) {
                return self.engine.replace(ref, terms_of(px, qty, tif, post_only, min_qty), tag);
            },
            "ref"_a, "px"_a, "qty"_a, "tif"_a = Tif::Day, "post_only"_a = false, "min_qty"_a = 0, "tag"_a = 0)
        .def(
            "reduce",
            [](RecordedMatching& self, u64 ref, i64 leaves) { return self.engine.reduce(ref, leaves, Cause::User); },
            "ref"_a, "leaves"_a)
        .def(
            "touch",
            [](const RecordedMatching& self, u32 instrument, Side side) {
                Touch touch = self.engine.touch(instrument, side);
                return std::make_tuple(touch.px, touch.qty);
            },
            "instrument"_a, "side"_a)
        .def_prop_ro("open_orders", [](const RecordedMatching& self) { return self.engine.open_orders(); })
        .def("take_events", &RecordedMatching::take_events);
}

}  // namespace

void bind_exchange(nb::module_& m) { bind_matching(m); }
}  // namespace openbell
