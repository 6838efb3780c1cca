#include "risk/arming.h"

#include <algorithm>

namespace openbell {

Arming::Arming(u32 strategies_max, u32 instruments_max)
    : node_(made(ArmState::Off)),
      strategies_(strategies_max, made(ArmState::Full)),
      instruments_(instruments_max, made(ArmState::Full)) {}

Arming::Row Arming::made(ArmState state) {
    Row row{};
    row.armed = row.ceiling = u8(state);
    return row;
}

void Arming::settle(Row& row) {
    const u8 doubted = row.doubted ? u8(ArmState::CancelOnly) : u8(ArmState::Full);
    const u8 granted = row.granted_until ? row.granted : u8(ArmState::Off);
    const u8 killed = row.killed == u8(KillLevel::None)   ? u8(ArmState::Full)
                      : row.killed == u8(KillLevel::Soft) ? u8(ArmState::ReduceOnly)
                                                          : u8(ArmState::CancelOnly);
    row.ceiling = std::min(std::max(std::min(row.armed, doubted), granted), killed);
}

ArmState Arming::armed_of(ArmScope scope) const {
    Row alive = row(scope);
    alive.killed = u8(KillLevel::None);
    settle(alive);
    return ArmState(alive.ceiling);
}

bool Arming::knows(ArmScope scope) const {
    if (scope.strategy != kNoStrategy) return scope.instrument == kNoInstrument && scope.strategy < strategies_.size();
    return scope.instrument == kNoInstrument || scope.instrument < instruments_.size();
}

const Arming::Row& Arming::row(ArmScope scope) const {
    if (scope.strategy != kNoStrategy) return strategies_[scope.strategy];
    return scope.instrument == kNoInstrument ? node_ : instruments_[scope.instrument];
}

void Arming::arm(ArmScope scope, ArmState state, bool after_kill) {
    Row& known = row(scope);
    known.armed = u8(state);
    known.granted_until = 0;
    if (after_kill) known.killed = known.doubted = 0;
    settle(known);
}

void Arming::lower(ArmScope scope, ArmState state) {
    Row& known = row(scope);
    known.armed = std::min(known.armed, u8(state));
    known.granted_until = 0;
    settle(known);
}

void Arming::kill(ArmScope scope, KillLevel level) {
    Row& known = row(scope);
    known.killed = std::max(known.killed, u8(level));
    settle(known);
}

void Arming::doubt(ArmScope scope) {
    Row& known = row(scope);
    known.doubted = 1;
    known.granted_until = 0;  // given before anybody knew of this
    settle(known);
}

void Arming::grant(ArmScope scope, ArmState state, i64 until_ns) {
    Row& known = row(scope);
    known.granted = u8(state);
    known.granted_until = until_ns;
    settle(known);
}

void Arming::end_grant(ArmScope scope) {
    Row& known = row(scope);
    known.granted_until = 0;
    settle(known);
}

void Arming::restart() {
    node_.armed = u8(ArmState::Off);
    const auto end = [](Row& row) {
        row.granted_until = 0;
        settle(row);
    };
    end(node_);
    std::for_each(strategies_.begin(), strategies_.end(), end);
    std::for_each(instruments_.begin(), instruments_.end(), end);
}

// A row that takes nothing away is one byte.
void Arming::save(StateWriter& out) const {
    const auto put = [&](const Row& row) {
        Row canonical = row;
        if (!row.granted_until) canonical.granted = 0;
        const Row plain = made(ArmState::Full);
        const bool is_plain = std::memcmp(&canonical, &plain, sizeof plain) == 0;
        out.put(u8(!is_plain));
        if (!is_plain) out.put(canonical);
    };
    out.put(limited_percent_);
    put(node_);
    for (const Row& row : strategies_) put(row);
    for (const Row& row : instruments_) put(row);
}

void Arming::load(StateReader& in) {
    const auto get = [&](Row& row) { row = in.get<u8>() ? in.get<Row>() : made(ArmState::Full); };
    limited_percent_ = in.get<u32>();
    get(node_);
    for (Row& row : strategies_) get(row);
    for (Row& row : instruments_) get(row);
}

}  // namespace openbell
