// What a person asks of running strategies: stop, flatten, start, another version. Sessions, risk and the others go on.
#include <algorithm>
#include <cstring>

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
    if (verb == StrategyReplace) return replace_strategy(record);
    if ((verb == StrategyStop || verb == StrategyFlatten) && life == StrategyLife::Runs)
        happened_.stopped = record.strategy;
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

// Told before a version is: words of the state that goes, as words of the one that comes.
void Engine::note_carry(const Control& record) {
    if (record.flags != 0) carries_.clear();  // one change is told after another; of one that never came nothing stays
    const Carry one{record.strategy,      u16(record.values[1]), u32(record.values[0]), record.code, 0,
                    u64(record.values[2])};
    if (carries_.size() < kCarriesMax) carries_.push_back(one);
}

// Another version of its class. What is not carried of its state begins at zero; what was a changed parameter is one
// only where the new version has been told so.
void Engine::replace_strategy(const Control& record) {
    std::vector<u8>& state = states_[record.strategy];
    const u64 size = std::min<u64>(u64(record.values[1]), kStateBytesMax) & ~u64(7);
    carried_.assign(size, 0);
    std::erase_if(parameters_, [&](const ChangedParameter& p) { return p.strategy == record.strategy; });
    for (const Carry& one : carries_)
        if (one.strategy == record.strategy) carry(one, state);
    std::erase_if(carries_, [&](const Carry& c) { return c.strategy == record.strategy; });
    if (!state.empty()) state.assign(carried_.begin(), carried_.end());  // one that never began has none
    versions_[record.strategy] = u64(record.values[0]);
    std::memcpy(started_.strategies_hash, &record.values[2], sizeof started_.strategies_hash);
    ++world_.parameters_changed;
}

void Engine::carry(const Carry& one, Bytes before) {
    const std::size_t to = std::size_t(one.to) * sizeof(u64), from = std::size_t(one.from) * sizeof(u64);
    if (one.count > 0) {
        const std::size_t bytes = one.count * sizeof(u64);
        if (to + bytes <= carried_.size() && from + bytes <= before.size())
            std::memcpy(carried_.data() + to, before.data() + from, bytes);
    } else if (to + sizeof(u64) <= carried_.size()) {
        std::memcpy(carried_.data() + to, &one.bits, sizeof one.bits);
    } else if (parameters_.size() < kParametersMax) {
        parameters_.push_back({one.strategy, 0, one.to, one.bits});
    }
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
