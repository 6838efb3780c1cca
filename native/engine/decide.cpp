// What to do about it: execution -> risk -> OMS, as records of the decision.
#include "engine/engine.h"

namespace openbell {
namespace {

constexpr std::size_t kRoomToSubmit = 4;  // Approved and the command, a word about a stop, the hash

}  // namespace

void Engine::cancel_order(const LiveOrder& order) {
    if (is_terminal(OrderState(order.state)) || order.pending == u8(Type::CancelOrder)) return;
    const bool is_there = is_reachable(order);
    if (!is_there || decision_.room() < 2) {  // a cancel is never lost: the sweep sends it when it can
        oms_.want_cancel(order);
        sweep_due_ |= is_there;  // else Resolved asks again
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

// While a session is down nothing can be changed there; Resolved marks every quote again.
void Engine::reconcile_quotes() {
    if (sessions_up_ == 0) return;
    mark_idle_targets();
    std::erase_if(dirty_quotes_, [&](const QuoteKey& key) { return !is_reachable(key.instrument); });
    for (const QuoteKey& key : dirty_quotes_) aim(key);
    for (const QuoteKey& key : dirty_quotes_)
        if (reconcile_quote(key)) reconcile_quote(key);  // a refused side pulls what still rests at its old target
}

// What has no order looks again whenever its book changes: prices, trading, arming may allow one now.
void Engine::mark_idle_targets() {
    if (targets_.empty()) return;
    for (const u32 instrument : happened_.books)
        for (u16 strategy = 0; strategy < capacity_.strategies_max; ++strategy) {
            if (targets_.find(strategy, instrument) == nullptr) continue;
            const bool is_idle =
                is_flattening(halted_[strategy]) || (quoter_.order_of(strategy, instrument, Side::Buy) == 0 &&
                                                     quoter_.order_of(strategy, instrument, Side::Sell) == 0);
            if (is_idle) mark_quote(strategy, instrument);
        }
}

// One order towards the target, where one may work.
void Engine::aim(const QuoteKey& key) {
    Target* target = targets_.find(key.strategy, key.instrument);
    if (target == nullptr) return;
    const bool is_called_off = halted_[key.strategy] && !is_flattening(halted_[key.strategy]);
    const bool may_work = !draining_ && !is_called_off && !risk_.is_latched(key.strategy) &&
                          risk_.arming().state(key.strategy, key.instrument) >= ArmState::ReduceOnly &&
                          trading(key.instrument) == TradingState::Trading && books_.is_valid(key.instrument);
    Aim wanted;
    if (may_work)
        wanted = aim_at(*target, oms_.position(key.strategy, key.instrument).qty, books_.touch(key.instrument),
                        instruments_[key.instrument].lot);
    quoter_.aim(key.strategy, key.instrument, wanted, target->tag, target->is_new, oms_);
    target->is_new = target->is_new && !may_work;
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
    if (sessions_up_ == 0) return;  // Resolved asks again
    oms_.for_each_live([&](const LiveOrder& order) {
        if (must_cancel(order) && is_reachable(order)) cancel_order(order);
    });
}

// Reserves the id, asks risk, and only then tells the OMS. Returns the order's id; 0 when it was refused.
u64 Engine::submit(Order candidate, i64 leaves_after) {
    if (decision_.room() < kRoomToSubmit) return 0;
    prepare(candidate, leaves_after);
    if (const Verdict verdict = approve(candidate); !verdict.passes()) {
        refuse(candidate, verdict);
        return 0;
    }
    command(candidate);
    return candidate.cl_ord_id;
}

// One that a strategy asked for by itself: it hears what becomes of it, and its id is used up in any case.
u64 Engine::submit_asked(Order order, i64 leaves_after) {
    if (decision_.room() < kRoomToSubmit) {
        prepare(order, leaves_after);
        refuse_asked(order, {Reason::DecisionFull});
        return 0;
    }
    const u64 id = submit(order, leaves_after);
    if (id == 0) {
        const auto& refused = decision_.as<Order>(decision_.count() - 1);
        deny(refused, Reason(refused.reason));
    }
    return id;
}

// Told in any case; written where there is room.
void Engine::refuse_asked(const Order& order, const Verdict& verdict) {
    if (decision_.room() >= 2)
        refuse(order, verdict);
    else
        ++refusals_;
    deny(order, verdict.reason);
}

// A change or cancel of an order that nobody knows concerns no instrument, and is not told.
void Engine::deny(const Order& order, Reason reason) {
    const LiveOrder* known = order.instrument == kNoInstrument ? oms_.find(order.cl_ord_id) : nullptr;
    Report denied{};
    denied.type = u8(Type::Denied);
    denied.side = order.side;
    denied.instrument = known ? known->instrument : order.instrument;
    denied.ts_event = now_ns_;
    denied.cl_ord_id = order.cl_ord_id;
    denied.px = order.px;
    denied.leaves_qty = order.qty;
    denied.version = order.version;
    denied.reason = u16(reason);
    denied.strategy = order.strategy;
    denied.tag = order.tag;
    if (denied.instrument != kNoInstrument) denied_.push(denied);
}

void Engine::prepare(Order& candidate, i64 leaves_after) {
    risk_.prefetch(candidate);
    candidate.ts_event = now_ns_;
    candidate.intent_seq = seq_;
    candidate.leaves_qty = leaves_after;
    if (candidate.type == u8(Type::NewOrder)) {
        candidate.version = 1;
        if (candidate.cl_ord_id == 0) candidate.cl_ord_id = oms_.reserve(candidate.strategy);
    }
    candidate.limits_version = risk_.limits().version();
}

// What passes counts from here, before it is written down.
Verdict Engine::approve(const Order& candidate) {
    Verdict verdict = judge(candidate);
    if (verdict.passes()) verdict.reason = oms_.on_command(candidate);
    if (!verdict.passes()) return verdict;
    risk_.on_command(candidate);
    accounts_.refresh(candidate.strategy, candidate.instrument);
    return verdict;
}

// Approved, and yet it does not leave.
void Engine::withdraw(const Order& candidate) {
    Report never{};
    never.type = u8(Type::NotSent);
    never.cl_ord_id = candidate.cl_ord_id;
    never.version = candidate.version;
    never.command = candidate.type;
    oms_.on_report(never);
    risk_.on_withdrawn(candidate);
    accounts_.refresh(candidate.strategy, candidate.instrument);
}

void Engine::command(const Order& candidate) {
    Order approved = candidate;
    approved.type = u8(Type::Approved);
    decision_.add_copy(approved);
    breakers_.on_command(candidate, now_ns_);
    decision_.add_copy(candidate);
}

void Engine::refuse(const Order& candidate, const Verdict& verdict) {
    ++refusals_;
    Order refused = candidate;
    refused.type = u8(Type::Refused);
    refused.reason = u16(verdict.reason);
    refused.limit = verdict.limit;
    refused.observed = verdict.observed;
    refused.scope = u8(verdict.scope);
    refused.kind = u8(verdict.kind);
    decision_.add_copy(refused);
}

Verdict Engine::judge(const Order& candidate) {
    const bool is_new = candidate.type == u8(Type::NewOrder);
    if (!is_reachable(candidate.instrument)) return {reason_unreachable(candidate.instrument)};
    if (is_new && (candidate.cl_ord_id == 0 || !oms_.can_open(candidate.strategy))) return {Reason::OrdersFull};
    if (draining_ && !closes(candidate))
        return {Reason::NotArmed, i64(ArmState::ReduceOnly), i64(ArmState::CancelOnly)};
    return risk_.check(candidate, view_of(candidate));
}

// On the way out nothing may rest: an order trades at once, and only towards flat.
bool Engine::closes(const Order& candidate) const {
    if (candidate.type != u8(Type::NewOrder) || Tif(candidate.tif) != Tif::Ioc) return false;
    if (candidate.instrument >= instruments_.size()) return false;
    const Exposure held = oms_.exposure(candidate.strategy, candidate.instrument);
    const bool is_buy = candidate.side == u8(Side::Buy);
    const i128 after = is_buy ? i128(held.position) + held.open_buy : i128(held.open_sell) - held.position;
    return after + candidate.qty <= 0;
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
