// The day of the venue: its opening and close, phases by schedule and by people, bands, the market-wide breaker.
#include <algorithm>
#include <functional>

#include "exchange/venue_core.h"

namespace openbell::exchange {
namespace {

constexpr int kRoundsMax = 1'000;  // of bands that answer what they caused

}  // namespace

// What has become due happens at its own time, oldest first; at one time orders expire before the day goes on.
void VenueCore::pass_time(i64 now_ns) {
    for (i64 at = next_due(); at <= now_ns; at = next_due()) {
        clock_.now_ns = std::max(clock_.now_ns, at);
        if (!expiries_.empty() && expiries_.front().at_ns == at)
            expire_next();
        else if (day_.breaker_at == at)
            end_breaker_halt();
        else
            do_next_of_day();
        tell_bands();
    }
    clock_.now_ns = std::max(clock_.now_ns, now_ns);
}

i64 VenueCore::next_due() const {
    const i64 of_day = is_open_ ? std::min(day_.next_at(), day_.breaker_at) : MarketDay::kNever;
    return std::min(of_day, expiries_.empty() ? MarketDay::kNever : expiries_.front().at_ns);
}

void VenueCore::expire_next() {
    if (!engine_.reduce(orders_.at(expiries_.front().slot).ref, 0, Cause::Timeout))
        throw Error(ErrorKind::Invariant, "venue: expected an order that expires to be open");
}

void VenueCore::do_next_of_day() {
    const u32 instrument = day_.next();
    InstrumentDay& day = day_[instrument];
    if (!day.bands || day.schedule.next_due() <= day.bands->next_due()) {
        do_step(instrument, *day.schedule.next(clock_.now_ns));
    } else if (const auto change = day.bands->next(clock_.now_ns)) {
        apply_band_change(instrument, *change);
    }
    day_.update(instrument);
}

// ---- the day -------------------------------------------------------------------------------------

void VenueCore::apply_open_day() {
    if (is_open_) return;
    is_open_ = true;
    itch_.system_event('O');
    itch_.directory();
    if (day_.breaker()) itch_.breaker_levels(day_.breaker()->levels());
    for (u32 i = 0; i < rules_.size(); ++i) {
        day_[i].schedule.open_day(clock_.midnight_ns);
        while (const auto due = day_[i].schedule.next(clock_.now_ns)) do_step(i, *due);
        if (engine_.phase(i) == Phase::Closed) itch_.trading_action(i, 'H');
        day_.update(i);
    }
    tell_bands();
    itch_.system_event('S');
    is_system_open_ = true;
    begin_market_hours();
    report_to_all('S');
}

void VenueCore::apply_close_day() {
    if (!is_open_) return;
    for (u32 i = 0; i < rules_.size(); ++i) close_instrument(i);
    end_market_hours();
    itch_.system_event('E');
    itch_.system_event('C');
    report_to_all('E');
    is_open_ = is_system_open_ = false;
}

// System events Q and M: from the first instrument that trades until the last one that has closed.
void VenueCore::begin_market_hours() {
    if (!is_system_open_ || market_hours_ != MarketHours::Before || trading_ == 0) return;
    market_hours_ = MarketHours::Open;
    itch_.system_event('Q');
}

void VenueCore::end_market_hours() {
    if (market_hours_ != MarketHours::Open) return;
    market_hours_ = MarketHours::Before;
    itch_.system_event('M');
}

void VenueCore::do_step(u32 instrument, const ScheduleDue& due) {
    InstrumentDay& day = day_[instrument];
    if (!due.step) return tell_imbalance(instrument);
    if (due.step->kind == StepKind::Auction) day.has_closing_auction = true;
    if (due.step->kind != StepKind::Phase) return;
    if (due.step->phase == Phase::Closed) return close_instrument(instrument);
    if (!day.is_held) change_phase(instrument, due.step->phase);
}

void VenueCore::tell_imbalance(u32 instrument) {
    const Phase phase = engine_.phase(instrument);
    itch_.imbalance(instrument, auction_of(phase), engine_.indication(instrument));
}

void VenueCore::close_instrument(u32 instrument) {
    InstrumentDay& day = day_[instrument];
    day.is_held = false;
    change_phase(instrument, Phase::Closed, std::exchange(day.has_closing_auction, false));
}

// Bands are those of continuous trading; the auction at its beginning gives their reference, else the reference price.
void VenueCore::change_phase(u32 instrument, Phase phase, bool with_closing_auction) {
    InstrumentDay& day = day_[instrument];
    if (engine_.phase(instrument) == phase) return;
    set_engine_phase(instrument, phase, with_closing_auction);
    day.is_pause = false;
    if (day.bands) {
        if (phase == Phase::Continuous) {
            const i64 reference = day.crossed_px > 0 ? day.crossed_px : engine_.reference_px(instrument);
            day.bands->open(reference, clock_.midnight_ns, clock_.now_ns);
            day_.touch(instrument);
        } else {
            day.bands->stop();
            engine_.set_bands(instrument, 0, 0);
        }
    }
    day_.update(instrument);
}

void VenueCore::set_engine_phase(u32 instrument, Phase phase, bool with_closing_auction) {
    InstrumentDay& day = day_[instrument];
    const Phase before = engine_.phase(instrument);
    day.crossed_px = 0;
    engine_.set_phase(instrument, phase, with_closing_auction);
    day.schedule.on_phase(phase, clock_.now_ns);
    day.reason = {};
    trading_ += (phase == Phase::Continuous) - (before == Phase::Continuous);
    not_closed_ += (phase != Phase::Closed) - (before != Phase::Closed);
    begin_market_hours();
    if (not_closed_ == 0) end_market_hours();
}

// ---- people --------------------------------------------------------------------------------------

void VenueCore::apply_phase(const Input& input) {
    const auto [phase, is_pause] = values_of<Phase, u8>(input);
    if (!is_open_ || input.instrument >= rules_.size()) return;
    InstrumentDay& day = day_[input.instrument];
    day.is_held = phase != Phase::Continuous;
    day.is_pause = is_pause;
    // Who is let go goes where the schedule has come to meanwhile.
    if (day.is_held)
        change_phase(input.instrument, phase);
    else
        change_phase(input.instrument, day.schedule.scheduled_phase());
}

// ---- bands ---------------------------------------------------------------------------------------

void VenueCore::tell_bands() {
    for (int round = 0; const auto instrument = day_.take_touched(); ++round) {
        if (round == kRoundsMax)
            throw Error(ErrorKind::Invariant, "bands: expected them to come to rest within " +
                                                  std::to_string(kRoundsMax) + " rounds, found that they go on");
        Bands& bands = *day_[*instrument].bands;
        bands.on_touch(engine_.touch(*instrument, Side::Buy).px, engine_.touch(*instrument, Side::Sell).px,
                       clock_.now_ns);
        if (const auto change = bands.next(clock_.now_ns)) apply_band_change(*instrument, *change);
        day_.update(*instrument);
    }
}

void VenueCore::apply_band_change(u32 instrument, const BandChange& change) {
    InstrumentDay& day = day_[instrument];
    day_.touch(instrument);
    switch (change.action) {
        case BandAction::SetBands: return engine_.set_bands(instrument, change.lo, change.hi);
        case BandAction::EnterLimit:
        case BandAction::LeaveLimit: return;
        case BandAction::Pause:
            day.is_pause = true;
            day.reason = Alpha<4>("LUDP");
            set_engine_phase(instrument, Phase::ReopeningCall, false);
            engine_.set_bands(instrument, 0, 0);
            return itch_.collar(instrument, change.reference, change.lo, change.hi, change.extension);
        case BandAction::EndCall: {
            const Uncross price = engine_.indicative(instrument, Auction::Reopening);
            return day.bands->on_call_price(price.volume > 0 ? price.px : 0);
        }
        case BandAction::Extend:
            return itch_.collar(instrument, change.reference, change.lo, change.hi, change.extension);
        case BandAction::Reopen:
            day.is_pause = false;
            set_engine_phase(instrument, Phase::Continuous, false);
            return engine_.set_bands(instrument, change.lo, change.hi);
    }
}

// ---- the market-wide breaker ---------------------------------------------------------------------

void VenueCore::apply_index(const Input& input) {
    const auto [value] = values_of<i64>(input);
    if (!is_open_ || !day_.breaker()) return;
    const auto halt = day_.breaker()->on_index(value, clock_.now_ns);
    if (!halt) return;
    itch_.breaker_status(halt->level);
    day_.breaker_at = halt->until;
    day_.is_breaker_call = false;
    for (u32 i = 0; i < rules_.size(); ++i) {
        if (engine_.phase(i) == Phase::Closed) continue;
        day_[i].is_held = true;
        day_[i].reason = Alpha<4>(std::string("MWC") + char('0' + halt->level));
        change_phase(i, Phase::Halted);
    }
}

// First a call for everybody, then trading.
void VenueCore::end_breaker_halt() {
    const bool begins_call = !day_.is_breaker_call;
    day_.is_breaker_call = begins_call;
    day_.breaker_at = begins_call ? day_.breaker_at + MarketDay::kBreakerCallNs : MarketDay::kNever;
    for (u32 i = 0; i < rules_.size(); ++i) {
        if (!day_[i].is_held || engine_.phase(i) != (begins_call ? Phase::Halted : Phase::ReopeningCall)) continue;
        day_[i].is_held = begins_call;
        change_phase(i, begins_call ? Phase::ReopeningCall : day_[i].schedule.scheduled_phase());
    }
}

}  // namespace openbell::exchange
