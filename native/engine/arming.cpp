// How people, breakers and contradictions move the engine between OFF and FULL, and what that does to open orders.
#include <algorithm>

#include "engine/engine.h"

namespace openbell {
namespace {

// Of a grant: no strategy arms timers of its own under this id.
u64 timer_of(ArmScope scope) { return u64(scope.strategy) << 32 | scope.instrument; }
ArmScope scope_of(const Timer& timer) { return {u16(timer.timer_id >> 32), u32(timer.timer_id)}; }
ArmScope scope_of(const Control& record) { return {record.strategy, record.instrument}; }

// What is no state arms nothing.
ArmState state_of(const Control& record) {
    return record.code <= u32(ArmState::Full) ? ArmState(record.code) : ArmState::Off;
}

}  // namespace

void Engine::apply_started(const Started& record) {
    const bool is_same = std::ranges::equal(started_.config_hash, record.config_hash) &&
                         std::ranges::equal(started_.strategies_hash, record.strategies_hash);
    if (!is_same) {  // the configuration's count again
        parameters_.clear();
        std::ranges::fill(versions_, 0);
    }
    changing_.clear();
    ++world_.parameters_changed;
    started_ = record;
    world_.seed = record.seed;
    oms_.on_started(record);
    quoter_.pull_all();  // prices of a dead process are stale
    begin_routes();
    draining_ = false;
    risk_.arming().restart();
    accounts_.clear_margins();
    risk_.clear_limits();  // those of the new epoch follow; until then nothing passes
    breakers_.restart();
    plan_breakers();
    happened_.started = true;
    checkpoint_ = true;
    if (record.flags & kUnacknowledged) distrust({});
}

void Engine::apply_arm(const Control& record) {
    const ArmScope scope = scope_of(record);
    if (!risk_.arming().knows(scope)) return;  // of nobody: it must not become everybody
    if (record.values[kLimitedPercent] > 0 && record.values[kLimitedPercent] <= 100)
        risk_.arming().set_limited_percent(u32(record.values[kLimitedPercent]));
    quoter_.forget_refusals();
    if (record.values[kGrantUntil] != 0) return apply_grant(scope, record);
    const bool releases = record.flags & kAfterKill;
    risk_.arming().arm(scope, state_of(record), releases);
    timers_.disarm(kNoStrategy, timer_of(scope));
    for (u16 strategy = 0; releases && strategy < capacity_.strategies_max; ++strategy) {  // a person looked
        if (!scope.is_node() && scope.strategy != strategy) continue;
        if (life_of(strategy) == StrategyLife::Halted) halted_[strategy] = u8(StrategyLife::Runs);
        if (life_of(strategy) == StrategyLife::FlatteningHalted) halted_[strategy] = u8(StrategyLife::Flattening);
    }
    if (releases && scope.instrument == kNoInstrument) risk_.release_repeats(scope.strategy);
    if (releases && scope.is_node()) {
        for (OrderSession& session : sessions_) session.is_doubted = false;
        if (record.flags & kSettles) settle_released();
    }
    if (scope.is_node() && state_of(record) >= ArmState::ReduceOnly) draining_ = false;
    pull_lowered(scope);
}

// Break-glass. Without a timer to end it there is none.
void Engine::apply_grant(ArmScope scope, const Control& record) {
    const i64 until = std::min(record.values[kGrantUntil], now_ns_ + kGrantMaxNs);
    if (until <= now_ns_ || !timers_.arm(kNoStrategy, timer_of(scope), until)) return;
    risk_.arming().grant(scope, state_of(record), until);
}

void Engine::apply_timer(const Timer& timer) {
    if (timer.strategy == kNoStrategy && timer.timer_id == kBreakerTimer) return breakers_.set_due();
    timers_.disarm(timer.strategy, timer.timer_id);
    if (timer.strategy != kNoStrategy) return happened_.timers.push(timer);
    const ArmScope scope = scope_of(timer);
    if (!risk_.arming().knows(scope)) return;
    risk_.arming().end_grant(scope);
    pull_lowered(scope);
}

// A stop of somebody unknown stops everybody: better too much than not at all.
void Engine::apply_kill(const Control& record) {
    const ArmScope scope = risk_.arming().knows(scope_of(record)) ? scope_of(record) : ArmScope{};
    const KillLevel level = KillLevel(std::min(record.code, u32(KillLevel::Cord)));
    risk_.arming().kill(scope, level);
    sweep_due_ = true;
    quoter_.forget_refusals();  // the gate was closed to everybody until now
    if (level >= KillLevel::Hard) end_work(scope, Reason::Killed);
}

// Quotes, targets and stops of a scope are over: only a strategy begins them anew.
void Engine::end_work(ArmScope scope, Reason reason) {
    end_stops(reason, [&](const Stop& s) { return scope.covers(s.intent.strategy, s.intent.instrument); });
    targets_.for_each([&](u16 strategy, u32 instrument) {
        if (scope.covers(strategy, instrument)) targets_.drop(strategy, instrument);
    });
    if (scope.is_node()) return quoter_.pull_all();
    if (scope.strategy != kNoStrategy) return quoter_.pull(scope.strategy);
    for (u16 strategy = 0; strategy < capacity_.strategies_max; ++strategy) quoter_.pull(strategy, scope.instrument);
}

// What we hold of our orders may be wrong: cancel, open nothing, until a person has reconciled (Arm kAfterKill).
void Engine::distrust(ArmScope scope) {
    risk_.arming().doubt(scope);
    for (OrderSession& session : sessions_) session.is_doubted |= scope.is_node();
    pull_lowered(scope);
}

// What must not stand where a scope was lowered: quotes where nothing may be opened, and whatever `may_grow` denies.
void Engine::pull_lowered(ArmScope scope) {
    quoter_.for_each_active([&](u16 strategy, u32 instrument) {
        if (scope.covers(strategy, instrument) && risk_.arming().state(strategy, instrument) < ArmState::ReduceOnly)
            pull_quote(strategy, instrument);
    });
    sweep_due_ = true;
}

bool Engine::may_grow(const LiveOrder& order) const {
    return risk_.arming().state(order.strategy, order.instrument) >= ArmState::Limited;
}

bool Engine::must_cancel(const LiveOrder& order) const {
    if (order.flags & kCancelWanted || draining_ || risk_.is_latched(order.strategy)) return true;
    const bool closes = is_flattening(halted_[order.strategy]) &&
                        quoter_.order_of(order.strategy, order.instrument, Side(order.side)) == order.cl_ord_id;
    if (halted_[order.strategy] && !closes) return true;
    if (may_grow(order)) return false;
    const Arming& arming = risk_.arming();
    if (arming.killed(order.strategy, order.instrument) >= KillLevel::Hard) return true;
    // Below LIMITED nothing rests that could take a position through flat, with all of its side filled: what
    // risk would refuse now (Risk::check_reduces), of the strategy and, where it is lowered itself, the account.
    const auto grows = [&](const Exposure& e) {
        const bool is_buy = order.side == u8(Side::Buy);
        return (is_buy ? e.open_buy + e.position : e.open_sell - e.position) > 0;
    };
    return grows(oms_.exposure(order.strategy, order.instrument)) ||
           (arming.is_account_lowered(order.instrument) && grows(oms_.exposure(order.instrument)));
}

}  // namespace openbell
