#include "exchange/day/market_day.h"

#include <algorithm>

namespace openbell::exchange {

MarketDay::MarketDay(u32 instruments) : due_(instruments) {
    const ScheduleRules& always_open = schedules_.emplace_back();
    days_.reserve(instruments);
    for (u32 i = 0; i < instruments; ++i) days_.emplace_back(always_open);
}

void MarketDay::set_schedule(std::optional<u32> instrument, const ScheduleRules& rules) {
    const ScheduleRules& kept = schedules_.emplace_back(rules);
    for (u32 i = 0; i < days_.size(); ++i)
        if (i == instrument.value_or(i)) days_[i].schedule = Schedule(kept);
}

void MarketDay::set_bands(u32 instrument, const BandRules& rules, const InstrumentRules& of) {
    days_.at(instrument).bands = std::make_unique<Bands>(band_rules_.emplace_back(rules), of.ticks, of.listed_px);
}

void MarketDay::set_breaker(i64 index_close, i64 midnight_ns) {
    index_close_ = index_close;
    breaker_.emplace(breaker_rules_, index_close, midnight_ns);
}

void MarketDay::update(u32 instrument) {
    const InstrumentDay& day = days_[instrument];
    due_.set(instrument, std::min(day.schedule.next_due(), day.bands ? day.bands->next_due() : kNever));
}

std::optional<u32> MarketDay::take_touched() {
    if (touched_.empty()) return {};
    const u32 instrument = touched_.back();
    touched_.pop_back();
    days_[instrument].is_touched = false;
    return instrument;
}

void MarketDay::save(StateWriter& out) const {
    for (const InstrumentDay& day : days_) {
        day.schedule.save(out);
        if (day.bands) day.bands->save(out);
        out.put(day.reason);
        for (bool flag : {day.is_pause, day.is_held, day.has_closing_auction}) out.put(u8(flag));
    }
    if (breaker_) breaker_->save(out);
    out.put(breaker_at);
    out.put(u8(is_breaker_call));
}

void MarketDay::save_rules(StateWriter& out) const {
    for (const ScheduleRules& rules : schedules_) {
        out.put(rules.call_interval_ns);
        for (const ScheduleStep& s : rules.steps) {
            for (i64 value : {s.at_ns, i64(s.kind), i64(s.phase), i64(s.auction), s.interval_ns}) out.put(value);
        }
    }
    for (const BandRules& r : band_rules_) {
        for (const BandWidth& w : r.widths)
            for (i64 value : {w.from_px, w.bps, w.px_max, i64(w.doubles_before_close)}) out.put(value);
        for (i64 value : {r.wide_from_ns, r.window_s, r.move_bps, r.hold_ns, r.limit_ns, r.pause_ns, r.collar_bps})
            out.put(value);
    }
    out.put(index_close_);
}

}  // namespace openbell::exchange
