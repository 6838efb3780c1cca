// What to do about it: strategy output -> execution -> risk -> OMS, as records of the decision.
#include "engine/engine.h"

namespace openbell {
namespace {

constexpr i64 kTimerLeastNs = 1'000;

}  // namespace

void Engine::take_strategy_output() {
    const std::size_t said = decision_.count();
    for (std::size_t i = 0; i < said; ++i) {
        switch (decision_.type_at(i)) {
            case Type::Intent: {
                const Intent intent = decision_.as<Intent>(i);
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
                halted_[strategy] = 1;
                for (u32 id = 0; id < instruments_.size(); ++id) pull_quote(strategy, id);
                sweep_due_ = true;
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
            if (intent.instrument >= instruments_.size()) return;
            if (const Reason reason = quoter_.set_target(intent); reason != Reason::None) refuse(intent, reason);
            return mark_quote(intent.strategy, intent.instrument);
        case IntentKind::Order: return open_order(intent);
        case IntentKind::Cancel: {
            const LiveOrder* order = oms_.find(intent.cl_ord_id);
            if (order && order->strategy == intent.strategy) cancel_order(*order);
            return;
        }
        case IntentKind::CancelAll:
            quoter_.pull(intent.strategy);
            oms_.for_each_live([&](const LiveOrder& order) {
                if (order.strategy == intent.strategy) cancel_order(order);
            });
            return;
        default: return;  // targets and parents are another room's
    }
}

// A quote that cannot be one: both sides are pulled, and the record says why.
void Engine::refuse(const Intent& quote, Reason reason) {
    ++refusals_;
    if (decision_.room() < 2) return;
    Order& refused = decision_.add<Order>(Type::Refused);
    refused.instrument = quote.instrument;
    refused.ts_event = now_ns_;
    refused.strategy = quote.strategy;
    refused.reason = u16(reason);
    refused.limit = quote.bid_px;
    refused.observed = quote.ask_px;
    refused.intent_seq = seq_;
}

void Engine::open_order(const Intent& intent) {
    Order order{};
    order.type = u8(Type::NewOrder);
    order.side = intent.side;
    order.tif = intent.tif;
    order.instrument = intent.instrument;
    order.px = intent.px;
    order.qty = intent.qty;
    order.strategy = intent.strategy;
    order.tag = intent.tag;
    submit(order, intent.qty);
}

void Engine::cancel_order(const LiveOrder& order) {
    if (is_terminal(OrderState(order.state)) || order.pending == u8(Type::CancelOrder)) return;
    if (!session_up_ || decision_.room() < 2) {  // a cancel is never lost: the sweep sends it when it can
        oms_.want_cancel(order);
        sweep_due_ = true;
        return;
    }
    Order cancel{};
    cancel.type = u8(Type::CancelOrder);
    cancel.side = order.side;
    cancel.instrument = order.instrument;
    cancel.ts_event = now_ns_;
    cancel.cl_ord_id = order.cl_ord_id;
    cancel.px = order.px;
    cancel.qty = order.qty;
    // What the venue holds, or will hold once what is in flight has arrived; a version that was refused or
    // never left names nothing there, and the cancel would be ignored in silence.
    cancel.version = is_changing(order) ? order.pending_version : order.version;
    cancel.strategy = order.strategy;
    cancel.tag = order.tag;
    cancel.intent_seq = seq_;
    if (oms_.on_command(cancel) != Reason::None) return;
    risk_.on_command(cancel);
    breakers_.on_command(cancel, now_ns_);
    decision_.add_copy(cancel);
}

void Engine::pull_quotes(u32 instrument) {
    for (u16 strategy = 0; strategy < capacity_.strategies_max; ++strategy) pull_quote(strategy, instrument);
}

void Engine::pull_quote(u16 strategy, u32 instrument) {
    if (!quoter_.is_active(strategy, instrument)) return;
    quoter_.pull(strategy, instrument);
    mark_quote(strategy, instrument);
}

void Engine::mark_quote(u16 strategy, u32 instrument) {
    u64& marked = quote_marked_[std::size_t(strategy) * capacity_.instruments_max + instrument];
    if (marked == seq_) return;
    marked = seq_;
    dirty_quotes_.push_back({strategy, instrument});
}

// While the session is down nothing can be changed; Resolved marks every quote again.
void Engine::reconcile_quotes() {
    if (!session_up_) return;
    for (const QuoteKey& key : dirty_quotes_)
        if (reconcile_quote(key)) reconcile_quote(key);  // a refused side pulls what still rests at its old target
}

bool Engine::reconcile_quote(const QuoteKey& key) {
    Order wanted[Quoter::kCommandsMax];
    bool is_refused = false;
    for (Order& order : std::span(wanted, quoter_.reconcile(key.strategy, key.instrument, oms_, wanted))) {
        const LiveOrder* live = order.cl_ord_id ? oms_.find(order.cl_ord_id) : nullptr;
        if (order.type == u8(Type::CancelOrder)) {
            if (live) cancel_order(*live);
            continue;
        }
        if (live) order.prev_version = live->version;
        const u64 id = submit(order, live ? order.qty - live->cum_qty : order.qty);
        if (id == 0) {
            is_refused = true;
            quoter_.on_refused(key.strategy, key.instrument, Side(order.side));
        } else if (order.type == u8(Type::NewOrder)) {
            quoter_.on_order_opened(key.strategy, key.instrument, Side(order.side), id);
        }
    }
    return is_refused;
}

// Cancels whatever must not rest; what does not fit into this decision follows in the next one.
void Engine::sweep() {
    sweep_due_ = false;
    if (!session_up_) return;  // Resolved asks again
    oms_.for_each_live([&](const LiveOrder& order) {
        if (must_cancel(order)) cancel_order(order);
    });
}

// Reserves the id, asks risk, and only then tells the OMS. Returns the order's id; 0 when it was refused.
u64 Engine::submit(Order candidate, i64 leaves_after) {
    if (decision_.room() < 4) return 0;
    const bool is_new = candidate.type == u8(Type::NewOrder);
    candidate.ts_event = now_ns_;
    candidate.intent_seq = seq_;
    candidate.leaves_qty = leaves_after;
    if (is_new) {
        candidate.version = 1;
        candidate.cl_ord_id = oms_.reserve(candidate.strategy);
    }
    candidate.limits_version = risk_.limits().version();
    Verdict verdict = judge(candidate);
    if (verdict.passes()) verdict.reason = oms_.on_command(candidate);
    if (!verdict.passes()) {
        ++refusals_;
        Order refused = candidate;
        refused.type = u8(Type::Refused);
        refused.reason = u16(verdict.reason);
        refused.limit = verdict.limit;
        refused.observed = verdict.observed;
        refused.scope = u8(verdict.scope);
        refused.kind = u8(verdict.kind);
        decision_.add_copy(refused);
        return 0;
    }
    risk_.on_command(candidate);
    Order approved = candidate;
    approved.type = u8(Type::Approved);
    decision_.add_copy(approved);
    accounts_.refresh(candidate.strategy, candidate.instrument);
    breakers_.on_command(candidate, now_ns_);
    decision_.add_copy(candidate);
    return candidate.cl_ord_id;
}

Verdict Engine::judge(const Order& candidate) {
    const bool is_new = candidate.type == u8(Type::NewOrder);
    if (!session_up_) return {Reason::SessionDown};
    if (is_new && (candidate.cl_ord_id == 0 || !oms_.can_open(candidate.strategy))) return {Reason::OrdersFull};
    if (draining_) return {Reason::NotArmed, i64(ArmState::ReduceOnly), i64(ArmState::CancelOnly)};
    return risk_.check(candidate, view_of(candidate));
}

RiskView Engine::view_of(const Order& candidate) {
    static constexpr Touch kNoTouch{};
    const bool known = candidate.instrument < instruments_.size();
    return RiskView{
        known ? &instruments_[candidate.instrument] : nullptr,
        known ? books_.touch(candidate.instrument) : kNoTouch,
        known && books_.is_valid(candidate.instrument),
        known ? TradingState(trading_[candidate.instrument]) : TradingState::Unknown,
        known ? oms_.exposure(candidate.instrument) : Exposure{},
        known ? oms_.exposure(candidate.strategy, candidate.instrument) : Exposure{},
        known ? conversions_.scale(candidate.instrument) : MoneyScale{},
        now_ns_,
        known && feed_of_[candidate.instrument] < kSourcesMax ? heard_ns_[feed_of_[candidate.instrument]] : 0,
        oms_.live_orders(),
        oms_.live_orders(candidate.strategy),
        oms_.own_px_met(candidate),
        accounts_,
    };
}

}  // namespace openbell
