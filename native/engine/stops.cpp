// Stop orders: what they watch, when they become orders, how they end.
#include "engine/engine.h"

namespace openbell {
namespace {

Order record_of(Type type, const Stop& stop, i64 now_ns, u64 seq) {
    Order out{};
    out.type = u8(type);
    out.flags = stop.intent.flags;
    out.side = stop.intent.side;
    out.tif = stop.intent.tif;
    out.instrument = stop.intent.instrument;
    out.ts_event = now_ns;
    out.cl_ord_id = stop.id;
    out.px = stop.intent.px;
    out.qty = stop.intent.qty;
    out.prev_px = stop.stop_px;
    out.prev_qty = stop.intent.trail;
    out.strategy = stop.intent.strategy;
    out.tag = stop.intent.tag;
    out.intent_seq = seq;
    return out;
}

// What a taker of that side would meet.
i64 far_px(const Stop& stop, const Touch& touch) {
    if (stop.intent.side == u8(Side::Buy)) return touch.ask_qty > 0 ? touch.ask_px : 0;
    return touch.bid_qty > 0 ? touch.bid_px : 0;
}

}  // namespace

Reason Engine::hold_stop(const Intent& intent, u64 id) {
    const bool has_price = intent.stop_px > 0 || (intent.stop_px == 0 && intent.trail > 0);
    const bool is_known = intent.trigger <= u8(Trigger::Touch) && intent.instrument < instruments_.size() &&
                          (intent.side == u8(Side::Buy) || intent.side == u8(Side::Sell));
    if (!has_price || !is_known || intent.trail < 0 || std::max(intent.stop_px, intent.trail) > kPxMax)
        return Reason::Terms;
    if (stops_.is_full()) return Reason::StopsFull;
    Stop& stop = stops_.add(intent, id);
    watch_touch(stop);
    if (decision_.room() >= 2) decision_.add_copy(record_of(Type::StopHeld, stop, now_ns_, seq_));
    return Reason::None;
}

void Engine::watch_touch(Stop& stop) {
    if (stop.order != 0 || stop.intent.trigger != u8(Trigger::Touch) || !books_.is_valid(stop.intent.instrument))
        return;
    if (const i64 px = far_px(stop, books_.touch(stop.intent.instrument))) watch(stop, px);
}

// What the frame said of the market, before strategies hear of it.
void Engine::watch_stops() {
    stops_.for_each([&](Stop& stop) {
        if (stop.order != 0) return;
        if (book_marked_[stop.intent.instrument] == seq_) watch_touch(stop);
        if (stop.intent.trigger != u8(Trigger::LastTrade)) return;
        for (const Market& trade : happened_.trades)
            if (trade.instrument == stop.intent.instrument && trade.px > 0) watch(stop, trade.px);
    });
}

// Elected ones become orders as soon as one could leave; risk says what it says of any other.
void Engine::release_stops() {
    if (sessions_up_ == 0) return;
    stops_.for_each([&](Stop& stop) {
        const u32 instrument = stop.intent.instrument;
        const bool may_leave =
            is_reachable(instrument) && trading(instrument) == TradingState::Trading && books_.is_valid(instrument);
        if (!stop.is_elected || stop.order != 0 || !may_leave || decision_.room() < 8) return;
        Order order = order_of(stop.intent);
        order.cl_ord_id = 0;  // another than that of the stop
        Reason reason = price_order(stop.intent, order);
        if (reason == Reason::None) {
            stop.order = submit(order, order.qty);
            if (stop.order == 0) reason = Reason(decision_.as<Order>(decision_.count() - 1).reason);
        }
        write_stop_ended(stop, reason);
        if (stop.order == 0) stop.id = 0;
    });
    stops_.erase_if([](const Stop& stop) { return stop.id == 0; });
}

void Engine::write_stop_ended(const Stop& stop, Reason reason) {
    Order ended = record_of(Type::StopEnded, stop, now_ns_, seq_);
    ended.reason = u16(reason);
    ended.observed = i64(stop.order);
    decision_.add_copy(ended);
}

}  // namespace openbell
