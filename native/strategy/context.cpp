// The verbs of `ctx`: each becomes one record of the decision.
#include "strategy/context.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "rng.h"

namespace openbell {
namespace {

// Words are short: the record of a halt holds few.
u64 within(const char* what, i64 found, i64 most) {
    if (found >= 0 && found <= most) return u64(found);
    const std::string bounds = most == std::numeric_limits<i64>::max() ? "0 or more" : "0 to " + std::to_string(most);
    throw Error(ErrorKind::Strategy, std::string(what) + ": expected " + bounds + ", found " + std::to_string(found));
}
u64 not_negative(const char* what, i64 found) { return within(what, found, std::numeric_limits<i64>::max()); }

}  // namespace

void Context::open(const World& world, Decision& out, u16 strategy, u64& random_state,
                   const std::vector<u32>& instruments) {
    world_ = &world;
    out_ = &out;
    strategy_ = strategy;
    random_state_ = &random_state;
    instruments_ = &instruments;
    intents_ = 0;
    orders_ = 0;
    baskets_ = 0;
    is_in_basket_ = false;
    if (live_.capacity() == 0) live_.reserve(world.oms.capacity().orders_max);  // no callback makes it grow
}

u32 Context::known(i64 instrument) const {
    if (instrument < 0 || instrument >= i64(world_->instruments.size()))
        throw Error(ErrorKind::Strategy, "expected the id of a known instrument, found " + std::to_string(instrument) +
                                             "; take it from book.instrument or ctx.instrument(symbol)");
    return u32(instrument);
}

void Context::count_intent() {
    if (is_in_basket_)
        throw Error(ErrorKind::Strategy, "a basket holds nothing but ctx.order: close it before anything else");
    if (intents_ == kIntentsMax || out_->room() <= Decision::kRecordsMax / 2)  // the other half is the host's
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

void Context::quote(i64 instrument, i64 bid_px, i64 bid_qty, i64 ask_px, i64 ask_qty) {
    Intent& intent = intend(IntentKind::Quote, known(instrument));
    intent.bid_px = bid_px;
    intent.bid_qty = bid_qty;
    intent.ask_px = ask_px;
    intent.ask_qty = ask_qty;
}

u64 Context::order(i64 instrument, const OrderTerms& terms) {
    const u32 id = known(instrument);
    const u64 tag = not_negative("tag", terms.tag);
    if (terms.collar_bps < 0 || terms.collar_bps >= 10'000)
        throw Error(ErrorKind::Strategy,
                    "ctx.order: expected collar_bps from 0 to 9999, found " + std::to_string(terms.collar_bps));
    if (is_in_basket_ && terms.trigger != Trigger::None)
        throw Error(ErrorKind::Strategy, "ctx.stop: expected ctx.order in a basket: a stop does not leave with others");
    const bool is_in_basket = std::exchange(is_in_basket_, false);  // the one verb that belongs there
    Intent& intent = intend(IntentKind::Order, id);
    is_in_basket_ = is_in_basket;
    intent.side = u8(terms.side);
    intent.tif = u8(terms.tif);
    intent.px = terms.px;
    intent.qty = terms.qty;
    intent.tag = tag;
    intent.basket = is_in_basket_ ? baskets_ : 0;
    intent.collar_bps = u16(terms.collar_bps);
    intent.flags = terms.flags;
    intent.trigger = u8(terms.trigger);
    intent.display_qty = terms.display_qty;
    intent.stop_px = terms.stop_px;
    intent.trail = terms.trail;
    intent.expires_ns = terms.expires_ns;
    return take_id(intent);
}

u64 Context::take_id(Intent& intent) {
    if (!gives_ids_) return world_->oms.next_id(strategy_, orders_++);
    return intent.cl_ord_id = last_id_ = std::max(last_id_ + 1, world_->oms.next_id(strategy_, kIdsAhead));
}

u64 Context::became(u64 stop_id) const {
    const Stop* stop = world_->stops.find(stop_id);
    return stop && stop->intent.strategy == strategy_ ? stop->order : 0;
}

u64 Context::parent(i64 instrument, Side side, i64 qty, i64 algorithm, const ParentTerms& terms) {
    const u32 id = known(instrument);
    const u64 tag = not_negative("tag", terms.tag);
    const u64 number = within("algorithm", algorithm, std::numeric_limits<u16>::max());
    Intent& intent = intend(IntentKind::Parent, id);
    intent.side = u8(side);
    intent.qty = qty;
    intent.px = terms.px;
    intent.basket = u16(number);
    intent.bid_px = terms.begins_ns;
    intent.expires_ns = terms.ends_ns;
    intent.ask_px = terms.participation_bps;
    intent.ask_qty = terms.urgency_bps;
    intent.tag = tag;
    return take_id(intent);
}

void Context::basket_open() {
    if (is_in_basket_)
        throw Error(ErrorKind::Strategy, "ctx.basket_open: expected no open basket, found one; close it first");
    ++baskets_;
    is_in_basket_ = true;
}

void Context::basket_close() {
    if (!is_in_basket_)
        throw Error(ErrorKind::Strategy, "ctx.basket_close: expected an open basket, found none in this frame");
    is_in_basket_ = false;
}

void Context::cancel(u64 cl_ord_id) { intend(IntentKind::Cancel, kNoInstrument).cl_ord_id = cl_ord_id; }

void Context::replace(u64 cl_ord_id, i64 px, i64 qty) {
    Intent& intent = intend(IntentKind::Replace, kNoInstrument);
    intent.cl_ord_id = cl_ord_id;
    intent.px = px;
    intent.qty = qty;
}

void Context::mass_cancel(i64 instrument, i64 side) {
    const u32 id = instrument == kAll ? kNoInstrument : known(instrument);
    const u64 which = within("side", side, u8(Side::Sell));
    intend(IntentKind::CancelAll, id).side = u8(which);
}

void Context::target(i64 instrument, i64 position, i64 px, i64 qty_max, i64 tag) {
    const u32 id = known(instrument);
    const u64 mark = not_negative("tag", tag);
    Intent& intent = intend(IntentKind::Target, id);
    intent.qty = position;
    intent.px = px;
    intent.display_qty = qty_max;
    intent.tag = mark;
}

void Context::set_timer(i64 timer_id, i64 deadline) {
    const u64 id = not_negative("timer_id", timer_id);
    count_intent();
    TimerArmed& timer = out_->add<TimerArmed>(Type::TimerArmed);
    timer.strategy = strategy_;
    timer.instrument = kNoInstrument;
    timer.ts_event = world_->now_ns;
    timer.timer_id = id;
    timer.deadline = deadline;
}

i64 Context::position(i64 instrument) const { return world_->oms.position(strategy_, known(instrument)).qty; }

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
