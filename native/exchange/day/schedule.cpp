#include "exchange/day/schedule.h"

namespace openbell::exchange {

void Schedule::open_day(i64 midnight_ns) {
    midnight_ns_ = midnight_ns;
    taken_ = 0;
    scheduled_ = Phase::Closed;
    timed_interval_ns_ = 0;
}

void Schedule::on_phase(Phase phase, i64 now) {
    phase_ = phase;
    imbalance_at_ = now;
}

std::optional<ScheduleDue> Schedule::next(i64 now) {
    if (next_due() > now) return {};
    return step_due() <= imbalance_due() ? take_step() : take_imbalance(now);
}

i64 Schedule::step_due() const {
    const bool has_step = midnight_ns_ != kNever && taken_ < rules_->steps.size();
    return has_step ? midnight_ns_ + rules_->steps[taken_].at_ns : kNever;
}

i64 Schedule::interval() const {
    if (is_call(phase_)) return rules_->call_interval_ns;
    return phase_ == Phase::Continuous ? timed_interval_ns_ : 0;
}

ScheduleDue Schedule::take_step() {
    const i64 at = step_due();
    const ScheduleStep& step = rules_->steps[taken_++];
    if (step.kind == StepKind::Phase) scheduled_ = step.phase;
    if (step.kind == StepKind::Imbalance) {
        timed_interval_ns_ = step.interval_ns;
        imbalance_at_ = at;
    }
    return {at, &step};
}

ScheduleDue Schedule::take_imbalance(i64 now) {
    const i64 last = std::min(now, step_due() - 1);
    const i64 at = last - (last - imbalance_at_) % interval();
    imbalance_at_ = at + interval();
    return {at, nullptr};
}

void Schedule::save(StateWriter& out) const {
    out.put(midnight_ns_);
    out.put(taken_);
    out.put(scheduled_);
    out.put(phase_);
    out.put(timed_interval_ns_);
    out.put(imbalance_at_);
}

void Schedule::load(StateReader& in) {
    midnight_ns_ = in.get<i64>();
    taken_ = in.get<u64>();
    if (taken_ > rules_->steps.size())
        throw Error(ErrorKind::Snapshot, "expected a schedule of at least " + std::to_string(taken_) +
                                             " steps, found one of " + std::to_string(rules_->steps.size()) +
                                             "; start without the snapshot, or with the schedule it was made with");
    scheduled_ = in.get<Phase>();
    phase_ = in.get<Phase>();
    timed_interval_ns_ = in.get<i64>();
    imbalance_at_ = in.get<i64>();
}

}  // namespace openbell::exchange
