// What strategies ask, in the order in which they asked it: intents -> execution, risk, OMS.
#include "engine/engine.h"

namespace openbell {
namespace {

constexpr i64 kTimerLeastNs = 1'000;
constexpr i64 kSecondNs = 1'000'000'000;
constexpr i64 kBps = 10'000;

bool is_immediate(const Intent& i) { return i.tif == u8(Tif::Ioc) || i.tif == u8(Tif::Fok); }
bool is_of_auction(const Intent& i) { return i.tif == u8(Tif::AtOpen) || i.tif == u8(Tif::AtClose); }

bool has_sound_terms(const Intent& i, i64 now_ns) {
    const bool is_known = (i.tif <= u8(Tif::Fok) || i.tif == u8(Tif::Gtd) || i.tif == u8(Tif::AtClose)) &&
                          (i.flags & ~(kPostOnly | kHidden)) == 0;
    const bool is_shown_in_part = i.display_qty != 0 || (i.flags & kHidden) != 0;
    if (!is_known || i.display_qty < 0 || (i.display_qty > 0 && i.display_qty > i.qty)) return false;
    if (i.display_qty > 0 && (i.flags & kHidden)) return false;
    if ((is_immediate(i) || is_of_auction(i)) && (is_shown_in_part || (i.flags & kPostOnly))) return false;
    if (i.tif == u8(Tif::Gtd) ? i.expires_ns / kSecondNs <= now_ns / kSecondNs : i.expires_ns != 0) return false;
    if (i.expires_ns / kSecondNs > i64(0xFFFF'FFFF)) return false;
    return i.collar_bps == 0 || (i.px == 0 && is_immediate(i) && i.collar_bps < kBps);
}

// On the tick, never beyond the collar; 0 without anybody to trade with.
i64 market_px(Side side, const Touch& touch, i64 collar_bps, i64 tick) {
    const bool is_buy = side == Side::Buy;
    const i64 far = is_buy ? (touch.ask_qty > 0 ? touch.ask_px : 0) : (touch.bid_qty > 0 ? touch.bid_px : 0);
    if (far <= 0 || tick <= 0) return 0;
    const i128 edge = i128(far) * (is_buy ? kBps + collar_bps : kBps - collar_bps);
    const i64 px = i64(is_buy ? edge / kBps : (edge + kBps - 1) / kBps);
    return is_buy ? px / tick * tick : (px + tick - 1) / tick * tick;
}

}  // namespace

void Engine::take_strategy_output() {
    const std::size_t said = decision_.count();
    for (std::size_t i = 0; i < said; ++i) {
        switch (decision_.type_at(i)) {
            case Type::Intent: {
                const Intent intent = decision_.as<Intent>(i);
                if (IntentKind(intent.kind) == IntentKind::Order && intent.basket != 0)
                    i += open_basket(i) - 1;
                else
                    execute(intent);
                break;
            }
            case Type::TimerArmed: {
                const auto& timer = decision_.as<TimerArmed>(i);
                // A deadline of now or earlier is a moment from now: a timer cannot stop the world.
                timers_.arm(timer.strategy, timer.timer_id, std::max(timer.deadline, now_ns_ + kTimerLeastNs));
                break;
            }
            case Type::StrategyState: {
                const auto& part = decision_.as<StrategyState>(i);
                if (part.strategy >= capacity_.strategies_max || part.size > kStateBytesMax ||
                    u32(part.offset) + part.length > part.size || part.length > sizeof part.bytes)
                    break;  // not of our making: a journal of another capacity
                auto& state = states_[part.strategy];
                state.resize(part.size);
                std::memcpy(state.data() + part.offset, part.bytes, part.length);
                break;
            }
            case Type::StrategyHalted: {
                const u16 strategy = decision_.as<Control>(i).strategy;
                if (strategy >= capacity_.strategies_max) break;
                stop_strategy(strategy, StrategyLife::Halted);
                break;
            }
            default: break;
        }
    }
}

void Engine::execute(const Intent& intent) {
    if (intent.strategy >= capacity_.strategies_max || halted_[intent.strategy]) return;
    switch (IntentKind(intent.kind)) {
        case IntentKind::Quote:
        case IntentKind::Target: return execute_quote(intent);
        case IntentKind::Order: return open_order(intent);
        case IntentKind::Replace: return replace_order(intent);
        case IntentKind::Cancel: return cancel_named(intent);
        case IntentKind::CancelAll: return mass_cancel(intent);
        case IntentKind::Parent: return refuse(intent, Reason::NoAlgorithm, id_of(intent));
    }
}

// A strategy has a quote or a target in an instrument: the later word counts.
void Engine::execute_quote(const Intent& intent) {
    if (intent.instrument >= instruments_.size()) return;
    const bool is_target = intent.kind == u8(IntentKind::Target);
    if (!is_target) targets_.drop(intent.strategy, intent.instrument);
    const Reason reason = is_target ? targets_.set(intent) : quoter_.set_target(intent);
    if (reason != Reason::None) {
        if (is_target) quoter_.pull(intent.strategy, intent.instrument);
        refuse(intent, reason);
    }
    mark_quote(intent.strategy, intent.instrument);
}

void Engine::cancel_named(const Intent& intent) {
    const Stop* stop = stops_.find(intent.cl_ord_id);
    if (stop && stop->order == 0 && stop->intent.strategy == intent.strategy)
        return end_stops(Reason::UserCancel, [&](const Stop& s) { return s.id == intent.cl_ord_id; });
    if (const LiveOrder* order = own_order(intent)) cancel_order(*order);
}

// The order that the intent names, by its own id or by that of the stop it was; null, and a record why, when it is not
// the strategy's or nobody knows it.
const LiveOrder* Engine::own_order(const Intent& intent) {
    const Stop* stop = stops_.find(intent.cl_ord_id);
    const LiveOrder* order = oms_.find(stop && stop->order != 0 ? stop->order : intent.cl_ord_id);
    if (order && order->strategy == intent.strategy) return order;
    if (stop && stop->intent.strategy == intent.strategy) {
        refuse(intent, Reason::NotReplaceable);
        return nullptr;
    }
    const bool is_others = order || strategy_of(intent.cl_ord_id) != intent.strategy;
    refuse(intent, is_others ? Reason::NotOwnOrder : Reason::UnknownOrder);
    return nullptr;
}

void Engine::replace_order(const Intent& intent) {
    const LiveOrder* order = own_order(intent);
    if (!order) return;
    if (is_terminal(OrderState(order->state))) return refuse(intent, Reason::UnknownOrder);
    // What works for a quote or a target is the quoter's to change.
    if (quoter_.order_of(order->strategy, order->instrument, Side(order->side)) == order->cl_ord_id)
        return refuse(intent, Reason::NotReplaceable);
    Order replace{};
    replace.type = u8(Type::ReplaceOrder);
    replace.flags = order->terms;
    replace.expires_s = order->expires_s;
    replace.side = order->side;
    replace.tif = order->tif;
    replace.instrument = order->instrument;
    replace.cl_ord_id = order->cl_ord_id;
    replace.px = intent.px;
    replace.qty = intent.qty;
    replace.prev_px = order->px;
    replace.prev_qty = order->cum_qty + order->leaves_qty;
    replace.prev_version = order->version;
    replace.version = order->pending_version + 1;
    replace.strategy = order->strategy;
    replace.tag = order->tag;
    submit_asked(replace, intent.qty - order->cum_qty);
}

// What the strategy has open, of one instrument or side where the intent names them, order by order: no venue here
// has a cancel for many.
void Engine::mass_cancel(const Intent& intent) {
    const bool is_of_all = intent.instrument == kNoInstrument;
    const auto names = [&](u16 strategy, u32 instrument, u8 side) {
        return strategy == intent.strategy && (is_of_all || instrument == intent.instrument) &&
               (intent.side == 0 || side == intent.side);
    };
    end_stops(Reason::UserCancel,
              [&](const Stop& s) { return names(s.intent.strategy, s.intent.instrument, s.intent.side); });
    for (u32 id = 0; id < instruments_.size(); ++id) {
        if (!is_of_all && id != intent.instrument) continue;
        targets_.drop(intent.strategy, id);
        if (intent.side == 0)
            quoter_.pull(intent.strategy, id);
        else
            quoter_.pull(intent.strategy, id, Side(intent.side));
    }
    oms_.for_each_live([&](const LiveOrder& order) {
        if (names(order.strategy, order.instrument, order.side)) cancel_order(order);
    });
}

// What cannot be done, and why; of a quote and a target both sides are pulled.
void Engine::refuse(const Intent& intent, Reason reason, u64 id) {
    refuse(intent, Verdict{reason, intent.bid_px, intent.ask_px}, id);
}

void Engine::refuse(const Intent& intent, const Verdict& verdict, u64 id) {
    ++refusals_;
    Order refused{};
    refused.type = u8(Type::Refused);
    refused.side = intent.side;
    refused.tif = intent.tif;
    refused.instrument = intent.instrument;
    refused.ts_event = now_ns_;
    refused.cl_ord_id = id != 0 ? id : intent.cl_ord_id;
    refused.px = intent.px;
    refused.qty = intent.qty;
    refused.strategy = intent.strategy;
    refused.reason = u16(verdict.reason);
    refused.limit = verdict.limit;
    refused.observed = verdict.observed;
    refused.tag = intent.tag;
    refused.intent_seq = seq_;
    if (decision_.room() >= 2) decision_.add_copy(refused);
    if (intent.kind != u8(IntentKind::Quote) && intent.kind != u8(IntentKind::Target)) deny(refused, verdict.reason);
}

void Engine::open_order(const Intent& intent) {
    if (intent.trigger != u8(Trigger::None)) {
        const u64 id = id_of(intent);
        const Reason reason = hold_stop(intent, id);
        return reason == Reason::None ? void() : refuse(intent, reason, id);
    }
    Order order = order_of(intent);
    const Reason reason = price_order(intent, order);
    if (reason != Reason::None) return refuse(intent, reason, id_of(intent));
    submit_asked(order, intent.qty);
}

// The one its strategy was told: of a process of its own it stands in the intent.
u64 Engine::id_of(const Intent& intent) {
    return intent.cl_ord_id != 0 ? intent.cl_ord_id : oms_.reserve(intent.strategy);
}

Order Engine::order_of(const Intent& intent) const {
    Order order{};
    order.type = u8(Type::NewOrder);
    order.flags = intent.flags;
    order.side = intent.side;
    order.tif = intent.tif;
    order.instrument = intent.instrument;
    order.cl_ord_id = intent.cl_ord_id;
    order.px = intent.px;
    order.qty = intent.qty;
    order.strategy = intent.strategy;
    order.tag = intent.tag;
    order.expires_s = u32(intent.expires_ns / kSecondNs);
    order.display_qty = intent.display_qty;
    return order;
}

// Whether what the order says of itself fits together; at market, its price: so far beyond the far touch.
Reason Engine::price_order(const Intent& intent, Order& order) const {
    if (!has_sound_terms(intent, now_ns_)) return Reason::Terms;
    if (intent.collar_bps == 0) return Reason::None;
    if (intent.instrument >= instruments_.size()) return Reason::NoInstrument;
    order.px = market_px(Side(intent.side), books_.touch(intent.instrument), intent.collar_bps,
                         instruments_[intent.instrument].tick);
    return order.px > 0 ? Reason::None : Reason::NoReference;
}

// Orders of one basket: each is judged as if those before it were open, and all of them leave, or none. Returns how
// many records they are.
std::size_t Engine::open_basket(std::size_t first) {
    const Intent head = decision_.as<Intent>(first);
    std::size_t count = 1;
    const auto belongs = [&](const Intent& next) {
        return next.type == u8(Type::Intent) && next.kind == head.kind && next.basket == head.basket &&
               next.strategy == head.strategy;
    };
    while (first + count < decision_.count() && belongs(decision_.as<Intent>(first + count))) ++count;
    if (head.strategy >= capacity_.strategies_max || halted_[head.strategy]) return count;
    const bool has_room = decision_.room() >= 2 * count + 2;

    Verdict verdict;
    if (!has_room) verdict.reason = Reason::DecisionFull;
    std::size_t passed = 0;
    basket_.clear();
    for (std::size_t i = first; i < first + count; ++i) {
        const Intent& intent = decision_.as<Intent>(i);
        Order& leg = basket_.emplace_back(order_of(intent));
        const Reason fault = intent.trigger == u8(Trigger::None) ? price_order(intent, leg) : Reason::Terms;
        prepare(leg, intent.qty);
        if (!verdict.passes()) continue;
        verdict = fault == Reason::None ? approve(leg) : Verdict{fault};
        passed += verdict.passes();
    }
    if (verdict.passes()) {
        for (const Order& leg : basket_) command(leg);
        return count;
    }
    for (std::size_t i = passed; i-- > 0;) withdraw(basket_[i]);
    for (std::size_t i = 0; i < count; ++i)
        refuse_asked(basket_[i],
                     i == passed || !has_room ? verdict : Verdict{Reason::BasketRefused, i64(count), i64(passed) + 1});
    return count;
}

}  // namespace openbell
