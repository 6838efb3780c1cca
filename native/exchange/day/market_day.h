// The day of every instrument: what its schedule, its bands and the market-wide breaker bring, and when.
//
// It decides; the venue does. Sans I/O.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "exchange/day/bands.h"
#include "exchange/day/circuit_breaker.h"
#include "exchange/day/due_queue.h"
#include "exchange/day/schedule.h"
#include "exchange/matching/instrument_rules.h"
#include "wire/layout.h"

namespace openbell::exchange {

struct InstrumentDay {
    explicit InstrumentDay(const ScheduleRules& rules) : schedule(rules) {}

    Schedule schedule;
    std::unique_ptr<Bands> bands;      // nullptr: none
    i64 crossed_px = 0;                // of the auction that the present change of phase ran; 0: nothing traded
    Alpha<4> reason;                   // of the present halt or pause, as ITCH H spells it
    bool is_pause = false;             // a reopening call after a volatility pause
    bool is_held = false;              // halted by people or by the breaker: the schedule waits, but for the close
    bool has_closing_auction = false;  // the close runs it, without a call
    bool is_touched = false;           // something happened that the bands must hear
};

class MarketDay {
  public:
    static constexpr i64 kNever = DueQueue::kNever;
    // After a halt of the breaker: a call of so long.
    static constexpr i64 kBreakerCallNs = 300'000'000'000;

    explicit MarketDay(u32 instruments);

    void set_schedule(std::optional<u32> instrument, const ScheduleRules& rules);
    void set_bands(u32 instrument, const BandRules& rules, const InstrumentRules& of);
    void set_breaker(i64 index_close, i64 midnight_ns);

    InstrumentDay& operator[](u32 instrument) { return days_[instrument]; }
    const InstrumentDay& operator[](u32 instrument) const { return days_[instrument]; }
    std::optional<CircuitBreaker>& breaker() { return breaker_; }

    // The instrument with the earliest due time, and that time.
    i64 next_at() const { return due_.next_at(); }
    u32 next() const { return due_.next(); }
    // To be called when an instrument's day may be due at another time than before.
    void update(u32 instrument);

    // When the breaker's halt becomes a call, or the call ends; kNever: neither.
    i64 breaker_at = kNever;
    bool is_breaker_call = false;

    void touch(u32 instrument) {
        InstrumentDay& day = days_[instrument];
        if (!day.bands || day.is_touched) return;
        day.is_touched = true;
        touched_.push_back(instrument);
    }
    // An instrument whose bands must hear of what happened.
    std::optional<u32> take_touched();

    void save(StateWriter& out) const;
    void save_rules(StateWriter& out) const;

  private:
    std::deque<ScheduleRules> schedules_;  // schedules and bands point to them
    std::deque<BandRules> band_rules_;
    BreakerRules breaker_rules_;
    std::vector<InstrumentDay> days_;
    std::optional<CircuitBreaker> breaker_;
    i64 index_close_ = 0;
    DueQueue due_;
    std::vector<u32> touched_;
};

}  // namespace openbell::exchange
