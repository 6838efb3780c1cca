// What Python sees of the venue's rules: the pure parts, for tests and studies.
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "exchange/uncross.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
namespace {

using namespace exchange;

using Pairs = std::vector<std::pair<i64, i64>>;

template <class Row>
std::vector<Row> rows_of(const Pairs& pairs) {
    std::vector<Row> out;
    for (const auto& [first, second] : pairs) out.push_back({first, second});
    return out;
}

// Market quantities and levels of both sides, kept while the spans of an AuctionBook look at them.
struct AuctionRows {
    AuctionRows(i64 market_buys, const Pairs& buys, i64 market_sells, const Pairs& sells)
        : bids(rows_of<AuctionLevel>(buys)),
          asks(rows_of<AuctionLevel>(sells)),
          book{{market_buys, bids}, {market_sells, asks}} {}
    AuctionRows(const AuctionRows&) = delete;
    AuctionRows& operator=(const AuctionRows&) = delete;

    std::vector<AuctionLevel> bids;
    std::vector<AuctionLevel> asks;
    AuctionBook book;
};

void bind_uncross(nb::module_& m) {
    m.def(
        "uncross",
        [](const Pairs& buys, const Pairs& sells, i64 market_buys, i64 market_sells, const Pairs& ticks, i64 reference,
           i64 lo, i64 hi) {
            const AuctionRows rows(market_buys, buys, market_sells, sells);
            const Uncross u = uncross(rows.book, rows_of<TickStep>(ticks), reference, {lo, hi});
            return std::make_tuple(u.px, u.volume, u.surplus);
        },
        "buys"_a, "sells"_a, "market_buys"_a, "market_sells"_a, "ticks"_a, "reference"_a, "lo"_a = PxRange{}.lo,
        "hi"_a = PxRange{}.hi, "(px, volume, surplus); levels are (px, qty), best first; ticks (from_px, tick)");
    m.def(
        "indicate",
        [](const Pairs& own_buys, const Pairs& own_sells, const Pairs& buys, const Pairs& sells, i64 market_buys,
           i64 market_sells, const Pairs& ticks, i64 reference, i64 lo, i64 hi) {
            const AuctionRows own(market_buys, own_buys, market_sells, own_sells);
            const AuctionRows all(market_buys, buys, market_sells, sells);
            const Indication i = indicate(own.book, all.book, rows_of<TickStep>(ticks), reference, {lo, hi});
            return std::make_tuple(i.far_px, i.near_px, i.reference_px, i.paired_qty, i.imbalance_qty);
        },
        "own_buys"_a, "own_sells"_a, "buys"_a, "sells"_a, "market_buys"_a, "market_sells"_a, "ticks"_a, "reference"_a,
        "lo"_a = PxRange{}.lo, "hi"_a = PxRange{}.hi, "(far_px, near_px, reference_px, paired_qty, imbalance_qty)");
    m.def(
        "price_variation",
        [](i64 near_px, i64 reference_px) { return std::string(1, price_variation(near_px, reference_px)); },
        "near_px"_a, "reference_px"_a);
}

}  // namespace

void bind_exchange_rules(nb::module_& m) { bind_uncross(m); }

}  // namespace openbell
