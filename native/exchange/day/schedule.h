// The trading day of an instrument as data: when phases begin, auctions run and imbalances are told. Sans I/O.
//
// The owner takes what is due with `next(now)` until nothing is, doing each before it asks again. A late call gives
// everything that was missed, in order, once; of imbalances that nobody told only the last, for old ones mislead.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "exchange/matching/order_terms.h"
#include "state.h"

namespace openbell::exchange {

enum class StepKind : u8 {
    Phase = 1,  // a phase begins; leaving a call runs its auction
    Auction,    // runs within continuous trading, without a call
    Imbalance,  // told every interval_ns from here on, while trading is continuous; 0: no more
};

struct ScheduleStep {
    i64 at_ns = 0;  // since midnight
    StepKind kind = StepKind::Phase;
    Phase phase = Phase::Continuous;
    Auction auction = Auction::Closing;
    i64 interval_ns = 0;
    std::string name{};
};

// Without other steps the day is open from midnight on.
struct ScheduleRules {
    std::vector<ScheduleStep> steps{{.name = "open"}};  // ascending
    i64 call_interval_ns = 1'000'000'000;               // of imbalances in any call; 0: none
};

struct ScheduleDue {
    i64 at = 0;
    const ScheduleStep* step = nullptr;  // null: tell the imbalance
};

class Schedule {
  public:
    // The rules outlive the schedule.
    explicit Schedule(const ScheduleRules& rules) : rules_(&rules) {}

    void open_day(i64 midnight_ns);
    // The instrument's phase changed, by the schedule or by somebody: a call tells its imbalance at once and from then
    // on.
    void on_phase(Phase phase, i64 now);

    std::optional<ScheduleDue> next(i64 now);
    i64 next_due() const { return std::min(step_due(), imbalance_due()); }

    // The phase of the last step: where an instrument belongs that was halted. Closed before the first.
    Phase scheduled_phase() const { return scheduled_; }

    void save(StateWriter& out) const;
    void load(StateReader& in);

  private:
    i64 step_due() const;
    i64 imbalance_due() const { return interval() > 0 ? imbalance_at_ : kNever; }
    i64 interval() const;
    ScheduleDue take_step();
    ScheduleDue take_imbalance(i64 now);

    static constexpr i64 kNever = std::numeric_limits<i64>::max();

    const ScheduleRules* rules_;
    i64 midnight_ns_ = kNever;  // no day yet
    u64 taken_ = 0;             // steps of today
    Phase scheduled_ = Phase::Closed;
    Phase phase_ = Phase::Closed;  // the instrument's own
    i64 timed_interval_ns_ = 0;    // of the last Imbalance step
    i64 imbalance_at_ = kNever;
};

}  // namespace openbell::exchange
