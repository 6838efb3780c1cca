// What a Python strategy sees: the context, books, prints and reports; and the host that calls it.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "strategy/compiled/runner.h"
#include "strategy/depth.h"
#include "strategy/host.h"
#include "strategy/python/runner.h"

namespace openbell {
void bind_strategy_bench(nb::module_& m);

namespace {

using namespace nb::literals;

std::vector<std::tuple<i64, i64, u32>> depth(const BookView& book, Side side, std::size_t levels) {
    std::vector<Level> out(levels);
    out.resize(book.world().books.depth(book.instrument(), side, out));
    std::vector<std::tuple<i64, i64, u32>> rows;
    for (const Level& level : out) rows.emplace_back(level.px, level.qty, level.orders);
    return rows;
}

std::vector<std::tuple<i64, i64, u32>> others_depth(const BookView& book, Side side, std::size_t levels) {
    std::vector<std::tuple<i64, i64, u32>> rows;
    for (const Level& level : depth_without_own(book.world(), book.instrument(), side, levels))
        rows.emplace_back(level.px, level.qty, level.orders);
    return rows;
}

std::vector<std::tuple<i64, i64, u16, u32>> venues_depth(const BookView& book, Side side, std::size_t levels) {
    std::vector<std::tuple<i64, i64, u16, u32>> rows;
    for (const VenueLevel& row : consolidated_depth(book.world(), book.instrument(), side, levels))
        rows.emplace_back(row.level.px, row.level.qty, row.venue, row.instrument);
    return rows;
}

i64 level_px(const BookView& book, Side side, i64 level) {
    return level_of(book.world(), book.instrument(), side, level).px;
}
i64 level_qty(const BookView& book, Side side, i64 level) {
    return level_of(book.world(), book.instrument(), side, level).qty;
}
i64 others_px(const BookView& book, Side side, i64 level) {
    return others_level(book.world(), book.instrument(), side, level).px;
}
i64 others_qty(const BookView& book, Side side, i64 level) {
    return others_level(book.world(), book.instrument(), side, level).qty;
}

std::string letters(const Market& record) {
    std::string out;
    for (u64 left = record.order_id; left != 0; left >>= 8) out.push_back(char(left & 0x7F));
    return out;
}

void bind_views(nb::module_& m) {
    nb::class_<BookView>(m, "BookView", "A window on one instrument's book: integers in its units, 0 where empty.")
        .def_prop_ro("instrument", &BookView::instrument)
        .def_prop_ro("bid_px", [](const BookView& b) { return b.touch().bid_px; })
        .def_prop_ro("bid_qty", [](const BookView& b) { return b.touch().bid_qty; })
        .def_prop_ro("ask_px", [](const BookView& b) { return b.touch().ask_px; })
        .def_prop_ro("ask_qty", [](const BookView& b) { return b.touch().ask_qty; })
        .def_prop_ro("is_valid", [](const BookView& b) { return b.world().books.is_valid(b.instrument()); })
        .def_prop_ro("trading", [](const BookView& b) { return b.world().trading_of(b.instrument()); })
        .def_prop_ro("tick", [](const BookView& b) { return b.world().instrument(b.instrument())->tick; })
        .def_prop_ro("lot", [](const BookView& b) { return b.world().instrument(b.instrument())->lot; })
        .def_prop_ro("px_decimals", [](const BookView& b) { return b.world().instrument(b.instrument())->px_decimals; })
        .def_prop_ro("qty_decimals",
                     [](const BookView& b) { return b.world().instrument(b.instrument())->qty_decimals; })
        .def("level_px", &level_px, "side"_a, "level"_a, "price of a level, 0 the best; 0 below the last")
        .def("level_qty", &level_qty, "side"_a, "level"_a, "quantity of a level")
        .def("others_px", &others_px, "side"_a, "level"_a = 0, "price of a level, less what rests there of our own")
        .def("others_qty", &others_qty, "side"_a, "level"_a = 0, "quantity of a level of others")
        .def("depth", &depth, "side"_a, "levels"_a = 10, "[(px, qty, orders)], best first")
        .def("depth_without_own", &others_depth, "side"_a, "levels"_a = 10,
             "[(px, qty, orders)], best first, less what rests there of our own")
        .def("consolidated_depth", &venues_depth, "side"_a, "levels"_a = 10,
             "[(px, qty, venue, instrument)], best first, over the valid books of the same asset");
    nb::class_<Market>(m, "Market", "A print, a status or a notice: see `RECORDS['Market']` and `RECORDS['Prices']`.")
        .def_prop_ro("type", [](const Market& r) { return Type(r.type); })
        .def_ro("flags", &Market::flags)
        .def_ro("order_id", &Market::order_id)
        .def_ro("instrument", &Market::instrument)
        .def_ro("ts_event", &Market::ts_event)
        .def_ro("px", &Market::px)
        .def_ro("qty", &Market::qty)
        .def_ro("ref", &Market::ref)
        .def_prop_ro(
            "prices", [](const Market& r) { return nb::make_tuple(r.px, r.qty, i64(r.ref)); },
            "px of a `Prices` record")
        .def_prop_ro("letters", &letters, "the characters in order_id, as the venue wrote them")
        .def_prop_ro("resting_side", [](const Market& r) { return r.flags & kBuy ? Side::Buy : Side::Sell; })
        .def_prop_ro("is_printable", [](const Market& r) { return (r.flags & kPrintable) != 0; });
    nb::class_<Report>(m, "Report", "What a venue said of one of our orders: see `RECORDS['Report']`.")
        .def_prop_ro("type", [](const Report& r) { return Type(r.type); })
        .def_prop_ro("side", [](const Report& r) { return Side(r.side); })
        .def_prop_ro("reason", [](const Report& r) { return Reason(r.reason); })
        .def_ro("instrument", &Report::instrument)
        .def_ro("ts_event", &Report::ts_event)
        .def_ro("cl_ord_id", &Report::cl_ord_id)
        .def_ro("version", &Report::version)
        .def_ro("exec_id", &Report::exec_id)
        .def_ro("last_px", &Report::last_px)
        .def_ro("last_qty", &Report::last_qty)
        .def_ro("leaves_qty", &Report::leaves_qty)
        .def_ro("tag", &Report::tag);
    nb::class_<Signal>(m, "Signal", "A value from another process, a model's or a person's.")
        .def_ro("signal_id", &Signal::signal_id)
        .def_ro("value", &Signal::value)
        .def_ro("instrument", &Signal::instrument)
        .def_ro("ts_event", &Signal::ts_event);
    nb::class_<LiveOrder>(m, "LiveOrder", "One of our orders that may still be executed.")
        .def_ro("cl_ord_id", &LiveOrder::cl_ord_id)
        .def_ro("instrument", &LiveOrder::instrument)
        .def_ro("px", &LiveOrder::px)
        .def_ro("qty", &LiveOrder::qty)
        .def_ro("cum_qty", &LiveOrder::cum_qty)
        .def_ro("leaves_qty", &LiveOrder::leaves_qty)
        .def_ro("version", &LiveOrder::version)
        .def_ro("tag", &LiveOrder::tag)
        .def_ro("strategy", &LiveOrder::strategy)
        .def_ro("session", &LiveOrder::session, "Number of the session that it left by.")
        .def_prop_ro("state", [](const LiveOrder& o) { return OrderState(o.state); })
        .def_prop_ro("side", [](const LiveOrder& o) { return Side(o.side); });
}

}  // namespace

StrategyVersions::Made interpreted(nb::object self) {
    auto runner = std::make_unique<InterpretedRunner>(std::move(self));
    const std::size_t state_words = runner->state_words();
    return {std::move(runner), state_words};
}

StrategyVersions::Made compiled(nb::object self, nb::object code) {
    Slots slots(self, self.attr("layout")());
    std::vector<u64> words(slots.words(), 0);
    slots.gather(words);
    CompiledCode native;
    const nb::dict hooks = nb::cast<nb::dict>(code.attr("hooks"));
    for (std::size_t hook = 0; hook < kHooks; ++hook)
        if (hooks.contains(kHookNames[hook]))
            native.hooks[hook] = reinterpret_cast<CompiledHook>(nb::cast<std::uintptr_t>(hooks[kHookNames[hook]]));
    native.raised = nb::cast<std::vector<std::string>>(code.attr("raised"));
    native.files = nb::cast<std::vector<std::string>>(code.attr("files"));
    native.keep = std::shared_ptr<nb::object>(new nb::object(code), [](nb::object* last) {
        const nb::gil_scoped_acquire held;  // where all is machine code a session runs without it
        delete last;
    });
    return {std::make_unique<CompiledRunner>(std::move(native), std::move(words)), slots.state_words()};
}

void add(StrategyHost& host, u16 id, std::string name, std::vector<std::string> symbols, StrategyVersions::Made made) {
    host.add(id, std::move(name), std::move(symbols), made.state_words, std::move(made.runner));
}

void add_interpreted(StrategyHost& host, u16 id, std::string name, nb::object self, std::vector<std::string> symbols) {
    add(host, id, std::move(name), std::move(symbols), interpreted(std::move(self)));
}

void add_compiled(StrategyHost& host, u16 id, std::string name, nb::object self, std::vector<std::string> symbols,
                  nb::object code) {
    add(host, id, std::move(name), std::move(symbols), compiled(std::move(self), std::move(code)));
}

// A function of Python that finds them: (strategy, version) -> (instance, its machine code or None).
class FoundVersions final : public StrategyVersions {
  public:
    explicit FoundVersions(nb::object find) : find_(std::move(find)) {}
    Made make(u16 strategy, u64 version) override {
        const nb::gil_scoped_acquire held;
        try {
            const auto [self, code] = nb::cast<std::pair<nb::object, nb::object>>(find_(strategy, version));
            return code.is_none() ? interpreted(self) : compiled(self, code);
        } catch (nb::python_error& error) {
            throw Error(ErrorKind::Strategy, describe(error));
        }
    }

  private:
    nb::object find_;
};

std::vector<std::tuple<std::string, std::uintptr_t, std::string, std::string>> functions() {
    std::vector<std::tuple<std::string, std::uintptr_t, std::string, std::string>> rows;
    for (const CompiledFunction& one : compiled_functions())
        rows.emplace_back(one.name, reinterpret_cast<std::uintptr_t>(one.address), one.signature, one.verb);
    return rows;
}

u64 order(Context& ctx, i64 instrument, Side side, i64 px, i64 qty, Tif tif, i64 tag, bool post_only, bool hidden,
          i64 display_qty, i64 collar_bps, i64 expires_ns) {
    return ctx.order(instrument, {.side = side,
                                  .px = px,
                                  .qty = qty,
                                  .tif = tif,
                                  .tag = tag,
                                  .flags = flags_of(post_only, hidden),
                                  .display_qty = display_qty,
                                  .collar_bps = collar_bps,
                                  .expires_ns = expires_ns});
}

u64 stop(Context& ctx, i64 instrument, Side side, i64 qty, i64 stop_px, i64 px, i64 trail, Trigger trigger, Tif tif,
         i64 tag, i64 collar_bps, i64 expires_ns) {
    return ctx.order(instrument, {.side = side,
                                  .px = px,
                                  .qty = qty,
                                  .tif = tif,
                                  .tag = tag,
                                  .collar_bps = collar_bps,
                                  .expires_ns = expires_ns,
                                  .trigger = trigger,
                                  .stop_px = stop_px,
                                  .trail = trail});
}

u64 parent(Context& ctx, i64 instrument, Side side, i64 qty, i64 algorithm, i64 px, i64 begins_ns, i64 ends_ns,
           i64 participation_bps, i64 urgency_bps, i64 tag) {
    return ctx.parent(instrument, side, qty, algorithm, {px, begins_ns, ends_ns, participation_bps, urgency_bps, tag});
}

void mass_cancel(Context& ctx, i64 instrument, std::optional<Side> side) {
    ctx.mass_cancel(instrument, side ? i64(*side) : 0);
}

void bind_strategy(nb::module_& m) {
    bind_views(m);
    nb::class_<Context>(m, "Context", "A strategy's only way to see and to act. Prices and quantities are integers.")
        .def_prop_ro("now_ns", &Context::now_ns, "engine time, ns since the epoch, UTC")
        .def_prop_ro("seq", &Context::seq, "number of the frame being decided")
        .def_prop_ro("instruments", &Context::instruments, "ids of this strategy's instruments")
        .def("quote", &Context::quote, "instrument"_a, "bid_px"_a = 0, "bid_qty"_a = 0, "ask_px"_a = 0, "ask_qty"_a = 0,
             "Two-sided target; a side with quantity 0 is pulled.")
        .def("order", &order, "instrument"_a, "side"_a, "px"_a, "qty"_a, "tif"_a = Tif::Day, "tag"_a = 0,
             "post_only"_a = false, "hidden"_a = false, "display_qty"_a = 0, "collar_bps"_a = 0, "expires_ns"_a = 0,
             "One order; returns its cl_ord_id, which is final once risk approved it. At px 0 it takes what there is, "
             "at most collar_bps beyond the far touch.")
        .def("stop", &stop, "instrument"_a, "side"_a, "qty"_a, "stop_px"_a = 0, "px"_a = 0, "trail"_a = 0,
             "trigger"_a = Trigger::LastTrade, "tif"_a = Tif::Day, "tag"_a = 0, "collar_bps"_a = 0, "expires_ns"_a = 0,
             "An order that the engine holds until the market is at stop_px; with a trail that price follows the "
             "market. Returns an id for ctx.cancel and ctx.became.")
        .def("became", &Context::became, "stop_id"_a,
             "cl_ord_id of the order that a stop became; 0: it waits, or is "
             "gone")
        .def("parent", &parent, "instrument"_a, "side"_a, "qty"_a, "algorithm"_a, "px"_a = 0, "begins_ns"_a = 0,
             "ends_ns"_a = 0, "participation_bps"_a = 0, "urgency_bps"_a = 0, "tag"_a = 0,
             "A large order for an execution algorithm; returns its id.")
        .def("basket_open", &Context::basket_open, "Orders from here to basket_close pass risk together, or none does.")
        .def("basket_close", &Context::basket_close)
        .def("target", &Context::target, "instrument"_a, "position"_a, "px"_a = 0, "qty_max"_a = 0, "tag"_a = 0,
             "Be at that position: one order at a time, at px or better; 0: at the far touch. In place of a quote.")
        .def("target_off", &Context::target_off, "instrument"_a, "Ends the target; its order is cancelled.")
        .def("replace", &Context::replace, "cl_ord_id"_a, "px"_a, "qty"_a,
             "Another price and total for one order; `qty` counts what was executed already.")
        .def("cancel", &Context::cancel, "cl_ord_id"_a)
        .def("cancel_all", &Context::cancel_all, "Cancels every open order of this strategy, ends quotes and targets.")
        .def("mass_cancel", &mass_cancel, "instrument"_a = Context::kAll, "side"_a = nb::none(),
             "The same of one instrument, or one side, or both.")
        .def("set_timer", &Context::set_timer, "timer_id"_a, "deadline_ns"_a, "Arms or moves a timer.")
        .def("position", &Context::position, "instrument"_a, "this strategy's position in lots, short negative")
        .def_prop_ro(
            "realized", [](const Context& c) { return c.totals().realized; }, "money, in 1e-4: docs/money.md")
        .def_prop_ro(
            "unrealized", [](const Context& c) { return c.totals().unrealized; }, "at what closing would bring")
        .def_prop_ro(
            "fees", [](const Context& c) { return c.totals().fees; }, "paid, less rebates")
        .def_prop_ro(
            "day_result", [](const Context& c) { return c.totals().day; }, "since the trading day began")
        .def_prop_ro(
            "drawdown", [](const Context& c) { return c.totals().drawdown; }, "below the day's best result")
        .def(
            "orders",
            [](Context& c) {
                const auto live = c.orders();
                return std::vector<LiveOrder>(live.begin(), live.end());
            },
            "this strategy's live orders")
        .def("random", &Context::random, "seeded and journalled: uniform in [0, 1)")
        .def(
            "book", [](const Context& c, i64 instrument) { return BookView(c.world(), c.known(instrument)); },
            "instrument"_a, nb::keep_alive<0, 1>())
        .def("instrument", &Context::instrument, "symbol"_a);
    nb::class_<IntentSource>(m, "IntentSource");
    bind_array(m);
    nb::class_<FoundVersions>(m, "FoundVersions", "Versions of strategies, as a function finds them.")
        .def(nb::init<nb::object>(), "find"_a);
    nb::class_<StrategyHost, IntentSource>(m, "StrategyHost", "Calls strategies of both speeds, in the order added.")
        .def(nb::init<>())
        .def("add", &add_interpreted, "id"_a, "name"_a, "strategy"_a, "symbols"_a,
             "`strategy` as it is, callback by callback.")
        .def("add_compiled", &add_compiled, "id"_a, "name"_a, "strategy"_a, "symbols"_a, "code"_a,
             "Machine code for `strategy`, an instance of the class with its parameters set.")
        .def("set_watch", &StrategyHost::set_watch, "watch"_a.none(), nb::keep_alive<1, 2>(),
             "Callbacks over its budget end and halt their strategy.")
        .def(
            "set_versions", [](StrategyHost& host, FoundVersions& versions) { host.set_versions(&versions); },
            "versions"_a, nb::keep_alive<1, 2>(), "Strategies become the versions that the journal names.")
        .def_prop_ro("callbacks", &StrategyHost::callbacks);
    nb::class_<CallbackWatch>(m, "CallbackWatch", "A thread that signals the one that made it: see strategy/budget.py.")
        .def(nb::init<i64, int>(), "budget_ns"_a, "signal"_a)
        .def_prop_ro("is_condemned", &CallbackWatch::is_condemned, "the callback that runs is over its budget")
        .def_prop_ro("budget_ns", &CallbackWatch::budget_ns);
    bind_strategy_bench(m);
    m.def("compiled_functions", &functions,
          "[(name, address, signature, verb)] of the C functions that compiled strategies may call.");
}

}  // namespace openbell
