// What Python sees of the ledger alone: for tests of what it promises, without a venue around it.
#include <nanobind/nanobind.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "exchange/ledger.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
namespace {

using namespace exchange;

struct OwnLedger {
    OwnLedger() : store(""), ledger(store) {}
    OwnLedger(const OwnLedger&) = delete;
    OwnLedger& operator=(const OwnLedger&) = delete;

    ChunkStore store;
    Ledger ledger;
};

void add_fill(OwnLedger& self, u32 account, u32 instrument, Side side, u64 match_number, i64 px, i64 qty,
              Liquidity liquidity, i64 fee) {
    LiveOrder order;
    order.account = account;
    order.instrument = instrument;
    order.side = side;
    self.ledger.add_fill(order, match_number, px, qty, liquidity, fee);
}

std::vector<u64> rows_of(const OwnLedger& self, u64 match_number) {
    const Ledger::Match match = self.ledger.match(match_number);
    std::vector<u64> rows;
    for (u64 row = match.first; row < match.first + match.count; ++row) rows.push_back(row);
    return rows;
}

nb::list fills_of(const OwnLedger& self, u32 account) {
    nb::list out;
    for (const FillRow& f : self.ledger.fills_of(account))
        out.append(nb::make_tuple(f.match_number, f.instrument, f.side, f.px, f.qty, f.fee, int(f.state)));
    return out;
}

}  // namespace

void bind_exchange_ledger(nb::module_& m) {
    nb::class_<OwnLedger>(m, "Ledger")
        .def(nb::init<>())
        .def("add_account", [](OwnLedger& self) { return self.ledger.add_account(); })
        .def("add_fill", &add_fill, "account"_a, "instrument"_a, "side"_a, "match_number"_a, "px"_a, "qty"_a,
             "liquidity"_a, "fee"_a, "One side of a trade.")
        .def("match", &rows_of, "match_number"_a, "Its rows: both sides, or none.")
        .def(
            "bust", [](OwnLedger& self, u64 row) { self.ledger.bust(row); }, "row"_a)
        .def(
            "correct",
            [](OwnLedger& self, u64 row, i64 px, i64 qty, i64 fee) { self.ledger.correct(row, px, qty, fee); }, "row"_a,
            "px"_a, "qty"_a, "fee"_a)
        .def("fills", &fills_of, "account"_a, "(match number, instrument, side, px, qty, fee, state), oldest first")
        .def(
            "holding",
            [](const OwnLedger& self, u32 account, u32 instrument) {
                const Holding held = self.ledger.holding(account, instrument);
                return std::make_tuple(held.position, held.cash);
            },
            "account"_a, "instrument"_a, "(position, cash)")
        .def_prop_ro("house_cash", [](const OwnLedger& self) { return self.ledger.house_cash(); })
        .def("audit", [](const OwnLedger& self) { self.ledger.audit(); });
}

}  // namespace openbell
