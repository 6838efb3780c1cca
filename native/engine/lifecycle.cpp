// What a person asks of running strategies: stop, flatten, start. Sessions, risk and the others go on.
#include <algorithm>

#include "engine/engine.h"

namespace openbell {

void Engine::apply_operator(const Control& record) {
    using enum OperatorVerb;
    const auto verb = OperatorVerb(record.code);
    if (verb == CancelAll) {
        draining_ = sweep_due_ = happened_.stopping = true;
        return end_work({}, Reason::NotArmed);
    }
    if (record.strategy >= capacity_.strategies_max) return;
    const StrategyLife life = life_of(record.strategy);
    const bool is_halted = life == StrategyLife::Halted || life == StrategyLife::FlatteningHalted;
    const auto stopped = is_halted ? StrategyLife::Halted : StrategyLife::Stopped;
    if (verb == StrategyStop) stop_strategy(record.strategy, stopped);
    if (verb == StrategyFlatten) {
        stop_strategy(record.strategy, is_halted ? StrategyLife::FlatteningHalted : StrategyLife::Flattening);
        flatten(record.strategy, record.values[0]);
    }
    // What failed goes on by a release (Arm), which may need two people.
    if (verb == StrategyStart && stopped == StrategyLife::Stopped && life != StrategyLife::Runs) {
        stop_strategy(record.strategy, StrategyLife::Runs);
        happened_.restarted = record.strategy;
    }
}

// Whatever it left ends; what comes after is by `life`.
void Engine::stop_strategy(u16 strategy, StrategyLife life) {
    halted_[strategy] = u8(life);
    flattening_ = u32(std::ranges::count_if(halted_, is_flattening));
    ArmScope scope;
    scope.strategy = strategy;
    end_work(scope, Reason::StrategyIsHalted);
    for (u32 id = 0; id < instruments_.size(); ++id) mark_quote(strategy, id);
    sweep_due_ = true;
}

// One order at a time towards nothing, at the far touch and following it: a target position of the engine's own.
void Engine::flatten(u16 strategy, i64 qty_max) {
    for (u32 id = 0; id < instruments_.size(); ++id) {
        Intent target{};
        target.kind = u8(IntentKind::Target);
        target.strategy = strategy;
        target.instrument = id;
        target.display_qty = std::max<i64>(qty_max, 0);
        targets_.set(target);
        mark_quote(strategy, id);
    }
}

// Flat, and nothing that could change that: it is stopped.
void Engine::end_flattening() {
    for (u16 strategy = 0; strategy < capacity_.strategies_max; ++strategy) {
        if (!is_flattening(halted_[strategy]) || oms_.live_orders(strategy) > 0) continue;
        const auto is_open = [&](const Instrument& i) { return oms_.position(strategy, i.instrument).qty != 0; };
        if (std::ranges::any_of(instruments_, is_open)) continue;
        const bool is_halted = life_of(strategy) == StrategyLife::FlatteningHalted;
        stop_strategy(strategy, is_halted ? StrategyLife::Halted : StrategyLife::Stopped);
    }
}

}  // namespace openbell
