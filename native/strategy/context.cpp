// The verbs of `ctx`: each becomes one record of the decision.
#include "strategy/context.h"

#include "rng.h"

namespace openbell {

void Context::open(const World& world, Decision& out, u16 strategy, u64& random_state,
                   const std::vector<u32>& instruments) {
    world_ = &world;
    out_ = &out;
    strategy_ = strategy;
    random_state_ = &random_state;
    instruments_ = &instruments;
    intents_ = 0;
    orders_ = 0;
}

void Context::check_instrument(u32 instrument) const {
    if (world_->instrument(instrument) == nullptr)
        throw Error(ErrorKind::Strategy, "expected the id of a known instrument, found " + std::to_string(instrument) +
                                             "; take it from book.instrument or ctx.instrument(symbol)");
}

void Context::count_intent() {
    if (intents_ == kIntentsMax || out_->room() < Decision::kRecordsMax / 2)
        throw Error(ErrorKind::Strategy, "at most " + std::to_string(kIntentsMax) +
                                             " intents and timers a strategy and frame; found one more; decide less "
                                             "often");
    ++intents_;
}

Intent& Context::intend(IntentKind kind, u32 instrument) {
    count_intent();
    Intent& intent = out_->add<Intent>(Type::Intent);
    intent.kind = u8(kind);
    intent.instrument = instrument;
    intent.ts_event = world_->now_ns;
    intent.as_of_seq = world_->seq;
    intent.strategy = strategy_;
    return intent;
}

void Context::quote(u32 instrument, i64 bid_px, i64 bid_qty, i64 ask_px, i64 ask_qty) {
    check_instrument(instrument);
    Intent& intent = intend(IntentKind::Quote, instrument);
    intent.bid_px = bid_px;
    intent.bid_qty = bid_qty;
    intent.ask_px = ask_px;
    intent.ask_qty = ask_qty;
}

u64 Context::order(u32 instrument, Side side, i64 px, i64 qty, Tif tif, u64 tag) {
    check_instrument(instrument);
    Intent& intent = intend(IntentKind::Order, instrument);
    intent.side = u8(side);
    intent.tif = u8(tif);
    intent.px = px;
    intent.qty = qty;
    intent.tag = tag;
    return world_->oms.next_id(strategy_, orders_++);
}

void Context::cancel(u64 cl_ord_id) { intend(IntentKind::Cancel, kNoInstrument).cl_ord_id = cl_ord_id; }

void Context::cancel_all() { intend(IntentKind::CancelAll, kNoInstrument); }

void Context::set_timer(u64 timer_id, i64 deadline) {
    count_intent();
    TimerArmed& timer = out_->add<TimerArmed>(Type::TimerArmed);
    timer.strategy = strategy_;
    timer.instrument = kNoInstrument;
    timer.ts_event = world_->now_ns;
    timer.timer_id = timer_id;
    timer.deadline = deadline;
}

i64 Context::position(u32 instrument) const {
    check_instrument(instrument);
    return world_->oms.position(strategy_, instrument).qty;
}

double Context::random() {
    SplitMix64 source(*random_state_);
    const double drawn = source.uniform();
    *random_state_ = source.state();
    return drawn;
}

u32 Context::instrument(std::string_view symbol) const {
    for (u32 id : *instruments_) {
        const Instrument& known = *world_->instrument(id);
        if (symbol == symbol_of(known)) return id;
    }
    throw Error(ErrorKind::Strategy, "expected a symbol of this strategy's instruments, found " + std::string(symbol) +
                                         "; it may not have been announced yet: ask again in on_book");
}

std::span<const LiveOrder> Context::orders() {
    live_.clear();
    world_->oms.for_each_live([&](const LiveOrder& order) {
        if (order.strategy == strategy_) live_.push_back(order);
    });
    return live_;
}

}  // namespace openbell
