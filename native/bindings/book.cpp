// What Python sees of `book`.
#include "book/books.h"
#include "book/level_books.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include "bindings/record_buffer.h"

namespace nb = nanobind;

namespace openbell {
namespace {

std::size_t apply(Books& books, const nb::object& records) {
    const RecordBuffer<Market> in(records);
    nb::gil_scoped_release unlocked;
    const std::span<const Market> all = in.records();
    std::size_t faults = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        books.look_ahead(all, i);
        faults += books.apply(all[i]).fault != BookChange::Ok;
    }
    return faults;
}

nb::object changes_of(Books& books, const nb::object& records) {
    const RecordBuffer<Market> in(records);
    Rows<BookChange> out(in.records().size());
    std::size_t i = 0;
    for (const Market& record : in.records()) out.rows[i++] = books.apply(record);
    return out.to_python();
}

nb::object depth(const Books& books, u32 instrument, Side side, std::size_t levels_max) {
    Rows<Level> out(levels_max);
    out.count = books.depth(instrument, side, {out.rows, levels_max});
    return out.to_python();
}

nb::object queue(const Books& books, u32 instrument, Side side, i64 px) {
    std::vector<RestingOrder> orders;
    for (u32 at = books.front(instrument, side, px); at != Books::kNone; at = books.behind(at))
        orders.push_back(books.at(at));
    nb::list out;
    for (const RestingOrder& o : orders) out.append(nb::make_tuple(o.order_id, o.qty));
    return out;
}

void check_instrument(const LevelBooks& books, u32 instrument) {
    if (instrument >= books.instruments_max()) throw nb::index_error("expected an instrument below instruments_max");
}

// BookLevel, Quote and BookClear; other records say nothing about levels. Returns how many were faults.
std::size_t apply_levels(LevelBooks& books, const nb::object& records) {
    const RecordBuffer<Market> in(records);
    nb::gil_scoped_release unlocked;
    std::size_t faults = 0;
    for (const Market& r : in.records()) {
        if (r.instrument >= books.instruments_max()) {
            ++faults;
            continue;
        }
        const Side side = r.flags & kBuy ? Side::Buy : Side::Sell;
        const Type type = Type(r.type);
        if (type == Type::BookLevel)
            faults += books.set(r.instrument, side, r.px, r.qty).fault != LevelBooks::Fault::Ok;
        else if (type == Type::Quote)
            faults += books.set_best(r.instrument, side, r.px, r.qty).fault != LevelBooks::Fault::Ok;
        else if (type == Type::BookClear)
            books.clear(r.instrument);
    }
    return faults;
}

nb::list levels(const LevelBooks& books, u32 instrument, Side side) {
    check_instrument(books, instrument);
    nb::list out;
    books.walk(instrument, side, [&](i64 px, i64 qty) {
        out.append(nb::make_tuple(px, qty));
        return true;
    });
    return out;
}

nb::tuple best_of(const LevelBooks& books, u32 instrument) {
    check_instrument(books, instrument);
    const LevelBooks::Best bid = books.best(instrument, Side::Buy);
    const LevelBooks::Best ask = books.best(instrument, Side::Sell);
    return nb::make_tuple(bid.px, bid.qty, ask.px, ask.qty);
}

bool is_crossed(const LevelBooks& books, u32 instrument) {
    check_instrument(books, instrument);
    return books.is_crossed(instrument);
}

nb::tuple touch(const Books& books, u32 instrument) {
    const Touch& t = books.touch(instrument);
    return nb::make_tuple(t.bid_px, t.bid_qty, t.ask_px, t.ask_qty);
}

}  // namespace

void bind_book(nb::module_& m) {
    nb::enum_<BookChange::Fault>(m, "BookFault", nb::is_arithmetic())
        .value("OK", BookChange::Ok)
        .value("UNKNOWN_ORDER", BookChange::UnknownOrder)
        .value("DUPLICATE_ORDER", BookChange::DuplicateOrder)
        .value("NEGATIVE_QTY", BookChange::NegativeQty)
        .value("OVER_EXECUTED", BookChange::OverExecuted)
        .value("FULL", BookChange::Full)
        .value("NO_INSTRUMENT", BookChange::NoInstrument)
        .value("OTHER_KIND", BookChange::OtherKind);
    nb::class_<LevelBooks>(m, "LevelBooks", "Books by price alone: what a feed keeps to judge what it passes on.")
        .def(nb::init<u32, u32>(), nb::arg("instruments_max"), nb::arg("levels_max"))
        .def("apply", &apply_levels, nb::arg("records"),
             "Apply BookLevel, Quote and BookClear records; returns how many were faults.")
        .def("touch", &best_of, nb::arg("instrument"), "(bid_px, bid_qty, ask_px, ask_qty); qty 0: that side is empty.")
        .def("levels", &levels, nb::arg("instrument"), nb::arg("side"), "[(px, qty)] of a side, best first.")
        .def("is_crossed", &is_crossed, nb::arg("instrument"));
    nb::class_<Books>(m, "Books", "Order books of all instruments, by order. Prices and quantities are integers.")
        .def(nb::init<u32, u32, u32>(), nb::arg("instruments_max"), nb::arg("orders_max"), nb::arg("levels_max") = 0)
        .def("add_instrument", &Books::add_instrument, nb::arg("instrument"), nb::arg("venue") = 0)
        .def(
            "set_policy",
            [](Books& books, Check check, CheckPolicy policy) {
                CheckPolicies policies = books.policies();
                policies.set(check, policy);
                books.set_policies(policies);
            },
            nb::arg("check"), nb::arg("policy"))
        .def("check_touch", &Books::check_touch, nb::arg("instrument"), nb::arg("is_continuous") = true,
             "Once a moment's records are in: CROSSED or LOCKED when the touch has become so, else NONE.")
        .def(
            "check_count", [](const Books& books, Check check) { return books.counts()[std::size_t(check)]; },
            nb::arg("check"), "How often the check failed.")
        .def("apply", &apply, nb::arg("records"), "Apply 48-byte Market records; returns how many were faults.")
        .def("changes", &changes_of, nb::arg("records"),
             "Apply Market records; returns one 24-byte row each: fault, touched, side, px, qty (see openbell.book).")
        .def("touch", &touch, nb::arg("instrument"), "(bid_px, bid_qty, ask_px, ask_qty); qty 0: that side is empty.")
        .def("depth", &depth, nb::arg("instrument"), nb::arg("side"), nb::arg("levels_max"),
             "Rows of 24 bytes: px, qty, orders; best first (see openbell.book).")
        .def("queue", &queue, nb::arg("instrument"), nb::arg("side"), nb::arg("px"),
             "[(order_id, qty)] of one level, in priority.")
        .def("is_valid", &Books::is_valid, nb::arg("instrument"))
        .def("set_valid", &Books::set_valid, nb::arg("instrument"), nb::arg("is_valid"))
        .def("is_crossed", &Books::is_crossed, nb::arg("instrument"))
        .def("orders", &Books::orders, nb::arg("instrument"))
        .def("save",
             [](const Books& books) {
                 StateWriter out;
                 books.save(out);
                 return nb::bytes(out.bytes().data(), out.bytes().size());
             })
        .def("load", [](Books& books, const nb::bytes& state) {
            StateReader in({static_cast<const u8*>(state.data()), state.size()});
            books.load(in);
        });
}

}  // namespace openbell
