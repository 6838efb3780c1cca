// The verbs of `ctx` and `book` as C functions: thin doors to Context, which both speeds share.
#include <algorithm>
#include <cstring>

#include "strategy/compiled/runner.h"
#include "strategy/depth.h"

namespace openbell {
namespace {

// Runs `verb` on the runner's context; what it throws becomes Runtime::error.
template <class Verb>
auto on_context(Runtime* rt, Verb verb) -> decltype(verb(std::declval<Context&>())) {
    auto& runner = *static_cast<CompiledRunner*>(rt->runner);
    try {
        return verb(runner.context());
    } catch (const std::exception& refused) {
        rt->error = i64(CompiledError::Verb);
        runner.refuse(refused.what());
        return {};
    }
}

// Ids that no instrument can have say so themselves, see Context::check_instrument.
u32 instrument_id(i64 id) { return id < 0 || id > kNoInstrument ? kNoInstrument : u32(id); }
Side side_of(i64 side) { return Side(u8(std::clamp<i64>(side, 0, 255))); }

extern "C" {

i64 ob_quote(Runtime* rt, i64 instrument, i64 bid_px, i64 bid_qty, i64 ask_px, i64 ask_qty) {
    return on_context(rt, [&](Context& ctx) {
        ctx.quote(instrument_id(instrument), bid_px, bid_qty, ask_px, ask_qty);
        return 0;
    });
}
i64 ob_order(Runtime* rt, i64 instrument, i64 side, i64 px, i64 qty, i64 tif, i64 tag) {
    return on_context(rt, [&](Context& ctx) {
        return i64(ctx.order(instrument_id(instrument), side_of(side), px, qty, Tif(u8(tif)), u64(tag)));
    });
}
i64 ob_cancel(Runtime* rt, i64 cl_ord_id) {
    return on_context(rt, [&](Context& ctx) {
        ctx.cancel(u64(cl_ord_id));
        return 0;
    });
}
i64 ob_cancel_all(Runtime* rt) {
    return on_context(rt, [&](Context& ctx) {
        ctx.cancel_all();
        return 0;
    });
}
i64 ob_set_timer(Runtime* rt, i64 timer_id, i64 deadline_ns) {
    return on_context(rt, [&](Context& ctx) {
        ctx.set_timer(u64(timer_id), deadline_ns);
        return 0;
    });
}
i64 ob_position(Runtime* rt, i64 instrument) {
    return on_context(rt, [&](Context& ctx) { return ctx.position(instrument_id(instrument)); });
}
double ob_random(Runtime* rt) {
    return on_context(rt, [](Context& ctx) { return ctx.random(); });
}
i64 ob_book(Runtime* rt, i64 instrument, BookCell* out) {
    return on_context(rt, [&](Context& ctx) {
        ctx.check_instrument(instrument_id(instrument));
        *out = book_cell(ctx.world(), instrument_id(instrument));
        return 0;
    });
}
// The symbol's characters as two words, padded with NUL.
i64 ob_instrument(Runtime* rt, i64 low, i64 high) {
    return on_context(rt, [&](Context& ctx) {
        char symbol[16];
        std::memcpy(symbol, &low, 8);
        std::memcpy(symbol + 8, &high, 8);
        return i64(ctx.instrument({symbol, strnlen(symbol, sizeof symbol)}));
    });
}
i64 ob_instruments(Runtime* rt) {
    return on_context(rt, [](Context& ctx) { return i64(ctx.instruments().size()); });
}
i64 ob_instrument_at(Runtime* rt, i64 index) {
    return on_context(rt, [&](Context& ctx) {
        const i64 count = i64(ctx.instruments().size());
        const i64 at = index < 0 ? index + count : index;
        if (at < 0 || at >= count) rt->error = i64(CompiledError::Index);
        return rt->error ? 0 : i64(ctx.instruments()[std::size_t(at)]);
    });
}
// Takes stock of this strategy's live orders for `ob_order_at`, and counts them.
i64 ob_orders(Runtime* rt) {
    return on_context(rt, [](Context& ctx) { return i64(ctx.orders().size()); });
}
i64 ob_order_at(Runtime* rt, i64 index, OrderCell* out) {
    return on_context(rt, [&](Context& ctx) {
        const std::span<const LiveOrder> orders = ctx.orders_counted();
        if (index < 0 || std::size_t(index) >= orders.size()) {
            rt->error = i64(CompiledError::Index);
            return 0;
        }
        const LiveOrder& order = orders[std::size_t(index)];
        *out = {i64(order.cl_ord_id), order.instrument, order.px,    order.qty, order.cum_qty,
                order.leaves_qty,     order.version,    order.state, order.side};
        return 0;
    });
}
i64 ob_level_px(Runtime* rt, i64 instrument, i64 side, i64 level) {
    return on_context(rt, [&](Context& ctx) {
        ctx.check_instrument(instrument_id(instrument));
        return level_of(ctx.world(), instrument_id(instrument), side_of(side), level).px;
    });
}
i64 ob_level_qty(Runtime* rt, i64 instrument, i64 side, i64 level) {
    return on_context(rt, [&](Context& ctx) {
        ctx.check_instrument(instrument_id(instrument));
        return level_of(ctx.world(), instrument_id(instrument), side_of(side), level).qty;
    });
}
i64 ob_realized(Runtime* rt) {
    return on_context(rt, [](Context& ctx) { return ctx.totals().realized; });
}
i64 ob_unrealized(Runtime* rt) {
    return on_context(rt, [](Context& ctx) { return ctx.totals().unrealized; });
}
i64 ob_fees(Runtime* rt) {
    return on_context(rt, [](Context& ctx) { return ctx.totals().fees; });
}
i64 ob_day_result(Runtime* rt) {
    return on_context(rt, [](Context& ctx) { return ctx.totals().day; });
}
i64 ob_drawdown(Runtime* rt) {
    return on_context(rt, [](Context& ctx) { return ctx.totals().drawdown; });
}

}  // extern "C"

template <class Function>
const void* address_of(Function* function) {
    return reinterpret_cast<const void*>(function);
}

const CompiledFunction kFunctions[] = {
    {"ob_quote", "i64(rt,i64,i64,i64,i64,i64)", "ctx.quote(instrument, bid_px=0, bid_qty=0, ask_px=0, ask_qty=0)",
     address_of(ob_quote)},
    {"ob_order", "i64(rt,i64,i64,i64,i64,i64,i64)", "ctx.order(instrument, side, px, qty, tif=0, tag=0)",
     address_of(ob_order)},
    {"ob_cancel", "i64(rt,i64)", "ctx.cancel(cl_ord_id)", address_of(ob_cancel)},
    {"ob_cancel_all", "i64(rt)", "ctx.cancel_all()", address_of(ob_cancel_all)},
    {"ob_set_timer", "i64(rt,i64,i64)", "ctx.set_timer(timer_id, deadline_ns)", address_of(ob_set_timer)},
    {"ob_position", "i64(rt,i64)", "ctx.position(instrument)", address_of(ob_position)},
    {"ob_random", "f64(rt)", "ctx.random()", address_of(ob_random)},
    {"ob_book", "i64(rt,i64,book*)", "", address_of(ob_book)},
    {"ob_instrument", "i64(rt,i64,i64)", "", address_of(ob_instrument)},
    {"ob_instruments", "i64(rt)", "", address_of(ob_instruments)},
    {"ob_instrument_at", "i64(rt,i64)", "", address_of(ob_instrument_at)},
    {"ob_orders", "i64(rt)", "", address_of(ob_orders)},
    {"ob_order_at", "i64(rt,i64,order*)", "", address_of(ob_order_at)},
    {"ob_level_px", "i64(rt,i64,i64,i64)", "book.level_px(instrument, side, level)", address_of(ob_level_px)},
    {"ob_level_qty", "i64(rt,i64,i64,i64)", "book.level_qty(instrument, side, level)", address_of(ob_level_qty)},
    {"ob_realized", "i64(rt)", "ctx.realized", address_of(ob_realized)},
    {"ob_unrealized", "i64(rt)", "ctx.unrealized", address_of(ob_unrealized)},
    {"ob_fees", "i64(rt)", "ctx.fees", address_of(ob_fees)},
    {"ob_day_result", "i64(rt)", "ctx.day_result", address_of(ob_day_result)},
    {"ob_drawdown", "i64(rt)", "ctx.drawdown", address_of(ob_drawdown)},
};

}  // namespace

std::span<const CompiledFunction> compiled_functions() { return kFunctions; }

}  // namespace openbell
