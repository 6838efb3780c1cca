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

// Compiled code has integers with a sign: an order's id is one below 2^63.
u64 order_id(i64 id) {
    if (id >= 0) return u64(id);
    throw Error(ErrorKind::Strategy, "order id: expected 0 or more, found " + std::to_string(id));
}
i64 held_id(u64 id) {
    if (i64(id) >= 0) return i64(id);
    throw Error(ErrorKind::Strategy, "order ids beyond 63 bits: give the node an id below 32");
}
Side side_of(i64 side) { return Side(u8(std::clamp<i64>(side, 0, 255))); }
Tif tif_of(i64 tif) { return Tif(u8(std::clamp<i64>(tif, 0, 255))); }
Trigger trigger_of(i64 trigger) { return Trigger(u8(std::clamp<i64>(trigger, 0, 255))); }

extern "C" {

i64 ob_quote(Runtime* rt, i64 instrument, i64 bid_px, i64 bid_qty, i64 ask_px, i64 ask_qty) {
    return on_context(rt, [&](Context& ctx) {
        ctx.quote(instrument, bid_px, bid_qty, ask_px, ask_qty);
        return 0;
    });
}
i64 ob_order(Runtime* rt, i64 instrument, i64 side, i64 px, i64 qty, i64 tif, i64 tag, i64 post_only, i64 hidden,
             i64 display_qty, i64 collar_bps, i64 expires_ns) {
    return on_context(rt, [&](Context& ctx) {
        return held_id(ctx.order(instrument, {.side = side_of(side),
                                              .px = px,
                                              .qty = qty,
                                              .tif = tif_of(tif),
                                              .tag = tag,
                                              .flags = flags_of(post_only != 0, hidden != 0),
                                              .display_qty = display_qty,
                                              .collar_bps = collar_bps,
                                              .expires_ns = expires_ns}));
    });
}
i64 ob_stop(Runtime* rt, i64 instrument, i64 side, i64 qty, i64 stop_px, i64 px, i64 trail, i64 trigger, i64 tif,
            i64 tag, i64 collar_bps, i64 expires_ns) {
    return on_context(rt, [&](Context& ctx) {
        return held_id(ctx.order(instrument, {.side = side_of(side),
                                              .px = px,
                                              .qty = qty,
                                              .tif = tif_of(tif),
                                              .tag = tag,
                                              .collar_bps = collar_bps,
                                              .expires_ns = expires_ns,
                                              .trigger = trigger_of(trigger),
                                              .stop_px = stop_px,
                                              .trail = trail}));
    });
}
i64 ob_became(Runtime* rt, i64 stop_id) {
    return on_context(rt, [&](Context& ctx) { return held_id(ctx.became(order_id(stop_id))); });
}
i64 ob_parent(Runtime* rt, i64 instrument, i64 side, i64 qty, i64 algorithm, i64 px, i64 begins_ns, i64 ends_ns,
              i64 participation_bps, i64 urgency_bps, i64 tag) {
    return on_context(rt, [&](Context& ctx) {
        return held_id(ctx.parent(instrument, side_of(side), qty, algorithm,
                                  {px, begins_ns, ends_ns, participation_bps, urgency_bps, tag}));
    });
}
i64 ob_basket_open(Runtime* rt) {
    return on_context(rt, [](Context& ctx) {
        ctx.basket_open();
        return 0;
    });
}
i64 ob_basket_close(Runtime* rt) {
    return on_context(rt, [](Context& ctx) {
        ctx.basket_close();
        return 0;
    });
}
i64 ob_target(Runtime* rt, i64 instrument, i64 position, i64 px, i64 qty_max, i64 tag) {
    return on_context(rt, [&](Context& ctx) {
        ctx.target(instrument, position, px, qty_max, tag);
        return 0;
    });
}
i64 ob_target_off(Runtime* rt, i64 instrument) {
    return on_context(rt, [&](Context& ctx) {
        ctx.target_off(instrument);
        return 0;
    });
}
i64 ob_replace(Runtime* rt, i64 cl_ord_id, i64 px, i64 qty) {
    return on_context(rt, [&](Context& ctx) {
        ctx.replace(order_id(cl_ord_id), px, qty);
        return 0;
    });
}
i64 ob_mass_cancel(Runtime* rt, i64 instrument, i64 side) {
    return on_context(rt, [&](Context& ctx) {
        ctx.mass_cancel(instrument, side);
        return 0;
    });
}
i64 ob_cancel(Runtime* rt, i64 cl_ord_id) {
    return on_context(rt, [&](Context& ctx) {
        ctx.cancel(order_id(cl_ord_id));
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
        ctx.set_timer(timer_id, deadline_ns);
        return 0;
    });
}
i64 ob_position(Runtime* rt, i64 instrument) {
    return on_context(rt, [&](Context& ctx) { return ctx.position(instrument); });
}
double ob_random(Runtime* rt) {
    return on_context(rt, [](Context& ctx) { return ctx.random(); });
}
i64 ob_book(Runtime* rt, i64 instrument, BookCell* out) {
    return on_context(rt, [&](Context& ctx) {
        *out = book_cell(ctx.world(), ctx.known(instrument));
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
        *out = {held_id(order.cl_ord_id), order.instrument, order.px,    order.qty,  order.cum_qty,
                order.leaves_qty,         order.version,    order.state, order.side, i64(order.tag)};
        return 0;
    });
}
i64 ob_level_px(Runtime* rt, i64 instrument, i64 side, i64 level) {
    return on_context(
        rt, [&](Context& ctx) { return level_of(ctx.world(), ctx.known(instrument), side_of(side), level).px; });
}
i64 ob_level_qty(Runtime* rt, i64 instrument, i64 side, i64 level) {
    return on_context(
        rt, [&](Context& ctx) { return level_of(ctx.world(), ctx.known(instrument), side_of(side), level).qty; });
}
i64 ob_others_px(Runtime* rt, i64 instrument, i64 side, i64 level) {
    return on_context(
        rt, [&](Context& ctx) { return others_level(ctx.world(), ctx.known(instrument), side_of(side), level).px; });
}
i64 ob_others_qty(Runtime* rt, i64 instrument, i64 side, i64 level) {
    return on_context(
        rt, [&](Context& ctx) { return others_level(ctx.world(), ctx.known(instrument), side_of(side), level).qty; });
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
    {"ob_order", "i64(rt,i64,i64,i64,i64,i64,i64,i64,i64,i64,i64,i64)",
     "ctx.order(instrument, side, px, qty, tif=0, tag=0, post_only=0, hidden=0, display_qty=0, collar_bps=0, "
     "expires_ns=0)",
     address_of(ob_order)},
    {"ob_stop", "i64(rt,i64,i64,i64,i64,i64,i64,i64,i64,i64,i64,i64)",
     "ctx.stop(instrument, side, qty, stop_px=0, px=0, trail=0, trigger=1, tif=0, tag=0, collar_bps=0, expires_ns=0)",
     address_of(ob_stop)},
    {"ob_became", "i64(rt,i64)", "ctx.became(stop_id)", address_of(ob_became)},
    {"ob_parent", "i64(rt,i64,i64,i64,i64,i64,i64,i64,i64,i64,i64)",
     "ctx.parent(instrument, side, qty, algorithm, px=0, begins_ns=0, ends_ns=0, participation_bps=0, urgency_bps=0, "
     "tag=0)",
     address_of(ob_parent)},
    {"ob_basket_open", "i64(rt)", "ctx.basket_open()", address_of(ob_basket_open)},
    {"ob_basket_close", "i64(rt)", "ctx.basket_close()", address_of(ob_basket_close)},
    {"ob_target", "i64(rt,i64,i64,i64,i64,i64)", "ctx.target(instrument, position, px=0, qty_max=0, tag=0)",
     address_of(ob_target)},
    {"ob_target_off", "i64(rt,i64)", "ctx.target_off(instrument)", address_of(ob_target_off)},
    {"ob_replace", "i64(rt,i64,i64,i64)", "ctx.replace(cl_ord_id, px, qty)", address_of(ob_replace)},
    {"ob_mass_cancel", "i64(rt,i64,i64)", "ctx.mass_cancel(instrument=-1, side=0)", address_of(ob_mass_cancel)},
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
    {"ob_others_px", "i64(rt,i64,i64,i64)", "book.others_px(instrument, side, level=0)", address_of(ob_others_px)},
    {"ob_others_qty", "i64(rt,i64,i64,i64)", "book.others_qty(instrument, side, level=0)", address_of(ob_others_qty)},
    {"ob_realized", "i64(rt)", "ctx.realized", address_of(ob_realized)},
    {"ob_unrealized", "i64(rt)", "ctx.unrealized", address_of(ob_unrealized)},
    {"ob_fees", "i64(rt)", "ctx.fees", address_of(ob_fees)},
    {"ob_day_result", "i64(rt)", "ctx.day_result", address_of(ob_day_result)},
    {"ob_drawdown", "i64(rt)", "ctx.drawdown", address_of(ob_drawdown)},
};

}  // namespace

std::span<const CompiledFunction> compiled_functions() { return kFunctions; }

}  // namespace openbell
