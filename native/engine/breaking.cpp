// What circuit breakers are told, and what follows when one trips.
#include "engine/engine.h"

namespace openbell {

// A breaker that cannot be taken is one that will not be there: nothing is opened until a person has looked.
void Engine::apply_parameters(const Control& record) {
    if (record.source == kStrategyParameter) return change_parameter(record);
    if (record.source == kStrategyCarry) return note_carry(record);
    if (record.source == kRouteParameter) return apply_route(record);
    if (record.source != kBreakerParameters) return;
    if (!breakers_.set(record)) distrust({});
}

// What may be opened, and what may rest, is judged by the new position from this frame on.
void Engine::apply_adjustment(const Control& record) {
    if (record.instrument >= instruments_.size() || !oms_.adjust(record)) return;
    if (record.values[0] != 0) breakers_.on_moved(record.strategy, record.instrument, record.values[0]);
    accounts_.refresh(record.strategy, record.instrument);
    quoter_.forget_refusals();
    mark_quote(record.strategy, record.instrument);
    sweep_due_ = true;
}

void Engine::watch_report(const Report& report, const Applied& applied) {
    static constexpr Touch kNoTouch{};
    if (applied.kind == Applied::UnknownOrder && report.type == u8(Type::Filled))
        return breakers_.on_moved(kNoStrategy, report.instrument, report.last_qty);
    if (!is_applied(applied.kind)) return;
    const bool is_good = books_.is_valid(report.instrument);
    breakers_.on_report(report, applied, is_good ? books_.touch(report.instrument) : kNoTouch, now_ns_);
}

void Engine::check_breakers() {
    if (breakers_.all().empty()) return;
    Breakers::Trip trips[Breakers::kBreakersMax];
    const std::size_t count = breakers_.check(accounts_, heard_longest_ago_ns(), now_ns_, trips);
    for (const Breakers::Trip& one : std::span(trips, count)) trip(one);
    plan_breakers();
}

// Down only; up again is a person's Arm. The record says it even where the scope was as low before.
void Engine::trip(const Breakers::Trip& trip) {
    ArmScope scope;
    if (trip.strategy != kNoStrategy)
        scope.strategy = trip.strategy;
    else
        scope.instrument = trip.instrument;
    const ArmState before = risk_.arming().state_of(scope);
    risk_.arming().lower(scope, trip.to);
    pull_lowered(scope);
    Control& tripped = decision_.add<Control>(Type::Tripped);
    tripped.strategy = trip.strategy;
    tripped.instrument = trip.instrument;
    tripped.ts_event = now_ns_;
    tripped.code = u32(trip.kind);
    tripped.values[0] = trip.limit;
    tripped.values[1] = trip.observed;
    tripped.values[2] = i64(before);
    tripped.values[3] = i64(risk_.arming().state_of(scope));
}

// They wake by a timer frame of their own: no other frame is needed for a silence to be noticed.
void Engine::plan_breakers() { breaker_timer_ = {breakers_.next_check(), kBreakerTimer, kNoStrategy, 0}; }

i64 Engine::breaker_measure(const Breakers::Breaker& b) const {
    return breakers_.measure(b, accounts_, heard_longest_ago_ns(), now_ns_);
}

// Of the feeds that have spoken and have not ended; now, if there is none.
i64 Engine::heard_longest_ago_ns() const {
    i64 heard = now_ns_;
    for (u16 s = source::kFeed; s < source::kOrderEntry; ++s)
        if (heard_ns_[s] != 0 && !feed_sessions_[s].has_ended) heard = std::min(heard, heard_ns_[s]);
    return heard;
}

}  // namespace openbell
