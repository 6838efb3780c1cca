// What Python sees of the accounts by themselves: for tests.
#include "oms/accounts.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/tuple.h>
#include <time.h>

#include "bindings/orders.h"
#include "bindings/totals.h"

namespace nb = nanobind;

namespace openbell {
void bind_accounts(nb::module_& m);  // called by bind_oms

namespace {

using namespace nb::literals;

// As the engine does when an instrument or a rate is told.
void set_instrument(Accounts& accounts, Oms& oms, const nb::bytes& record, i64 rate) {
    const auto instrument = orders::record_from<Instrument>(record);
    Instrument amount{};
    amount.px_decimals = kMoneyDecimals;
    amount.multiplier = 1;
    oms.set_instrument(instrument);
    accounts.set_scale(instrument.instrument, money_scale_of(instrument, rate), money_scale_of(amount, rate));
}

i64 thread_ns() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return i64(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

double bench_marks(Accounts& accounts, u32 instrument, u32 count) {
    const i64 start = thread_ns();
    for (u32 i = 0; i < count; ++i) {
        accounts.mark(instrument, 1'000'000 + i % 2 * 100, 1'020'000 + i % 2 * 100);
        accounts.settle();
    }
    return double(thread_ns() - start) / count;
}

double bench_worst(const Accounts& accounts, u16 strategy, u32 count) {
    const i64 start = thread_ns();
    for (u32 i = 0; i < count; ++i) {
        const Worst w = accounts.worst(strategy, 0, Side::Buy, i);
        asm volatile("" : : "m"(w) : "memory");  // every one is made
    }
    return double(thread_ns() - start) / count;
}

nb::tuple tuple_of(const Worst& w) { return nb::make_tuple(w.gross, w.net, w.margin, w.is_more); }

}  // namespace

void bind_accounts(nb::module_& m) {
    nb::class_<Accounts>(m, "Accounts", "Result, exposure and margin of an OMS, in money; (gross, net, margin, more).")
        .def(nb::init<const Oms&>(), "oms"_a, nb::keep_alive<1, 2>())
        .def("set_instrument", &set_instrument, "oms"_a, "instrument"_a, "rate"_a)
        .def("set_margin_bps", &Accounts::set_margin_bps, "instrument"_a, "bps"_a)
        .def("refresh", &Accounts::refresh, "strategy"_a, "instrument"_a)
        .def("mark", &Accounts::mark, "instrument"_a, "bid_px"_a, "ask_px"_a)
        .def("start_day", &Accounts::start_day, "yyyymmdd"_a)
        .def("settle", &Accounts::settle)
        .def("totals", &orders::totals_of, "strategy"_a)
        .def(
            "worst", [](const Accounts& a, u16 s, u32 i, Side side, i64 v) { return tuple_of(a.worst(s, i, side, v)); },
            "strategy"_a, "instrument"_a, "side"_a, "value"_a)
        .def(
            "worst_of_instrument",
            [](const Accounts& a, u16 s, u32 i, Side side, i64 v) {
                return tuple_of(a.worst_of_instrument(s, i, side, v));
            },
            "strategy"_a, "instrument"_a, "side"_a, "value"_a)
        .def("bench_marks", &bench_marks, "instrument"_a, "count"_a, "mean ns of a touch that moved")
        .def("bench_worst", &bench_worst, "strategy"_a, "count"_a, "mean ns of asking what an order would bind")
        .def("save", &orders::save<Accounts>)
        .def("load", &orders::load<Accounts>, "state"_a);
}

}  // namespace openbell
