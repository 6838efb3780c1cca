// The floor under the book by price: one array of quantities a side, indexed by price, that trusts every record.
#include <nanobind/nanobind.h>

#include <vector>

#include "bindings/record_buffer.h"

namespace nb = nanobind;

namespace openbell {
namespace {

constexpr std::size_t kStream = 64;

class UncheckedLevels {
  public:
    UncheckedLevels(i64 lowest, std::size_t prices) : lowest_(lowest), bids_(prices + 1), asks_(prices + 1) {
        // Guards, so that the search for the next best ends without a test of its own.
        bids_[0] = 1;
        asks_[prices] = 1;
        best_bid_ = 0;
        best_ask_ = prices;
    }

    void apply(const nb::object& records) {
        const RecordBuffer<Market> in(records);
        nb::gil_scoped_release unlocked;
        for (const Market& r : in.records()) {
            __builtin_prefetch(&r + kStream);  // as the books do
            const auto at = std::size_t(r.px - lowest_);
            if (r.flags & kBuy) {
                bids_[at] = r.qty;
                if (at >= best_bid_) {
                    best_bid_ = at;
                    while (bids_[best_bid_] == 0) --best_bid_;
                }
            } else {
                asks_[at] = r.qty;
                if (at <= best_ask_) {
                    best_ask_ = at;
                    while (asks_[best_ask_] == 0) ++best_ask_;
                }
            }
        }
    }

    nb::tuple touch() const {
        return nb::make_tuple(lowest_ + i64(best_bid_), bids_[best_bid_], lowest_ + i64(best_ask_), asks_[best_ask_]);
    }

  private:
    i64 lowest_;
    std::vector<i64> bids_;
    std::vector<i64> asks_;
    std::size_t best_bid_;
    std::size_t best_ask_;
};

}  // namespace

void bind_level_bench(nb::module_& m) {
    nb::class_<UncheckedLevels>(m, "UncheckedLevels",
                                "A book by price without any check; what bench/levels.py divides by.")
        .def(nb::init<i64, std::size_t>(), nb::arg("lowest"), nb::arg("prices"))
        .def("apply", &UncheckedLevels::apply, nb::arg("records"))
        .def("touch", &UncheckedLevels::touch);
}

}  // namespace openbell
