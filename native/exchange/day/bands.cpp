#include "exchange/day/bands.h"

#include <algorithm>
#include <string>

namespace openbell::exchange {
namespace {

constexpr i64 kBps = 10'000;
constexpr u32 kDoublingsMax = 30;  // from there on the collar holds every price

const BandWidth& width_for(const std::vector<BandWidth>& widths, i64 px) {
    const BandWidth* found = &widths.front();
    for (const BandWidth& width : widths)
        if (px >= width.from_px) found = &width;
    return *found;
}

// The tick nearest to a price in 1e-4 of its unit, the higher of two; at least the lowest one.
i64 nearest_tick(TickTable ticks, i128 px_e4) {
    const i128 px_max = std::numeric_limits<i64>::max() / 2;
    const i64 below = tick_floor(ticks, i64(std::clamp<i128>(px_e4 / kBps, 0, px_max)));
    const i64 above = tick_above(ticks, below);
    const bool is_below_nearer = px_e4 - i128(below) * kBps < i128(above) * kBps - px_e4;
    return is_below_nearer && below > 0 ? below : above;
}

}  // namespace

Bands::Bands(const BandRules& rules, TickTable ticks, i64 listed_px)
    : rules_(&rules), ticks_(ticks), listed_px_(listed_px), seconds_(std::size_t(rules.window_s)) {}

void Bands::open(i64 reference, i64 midnight_ns, i64 now) {
    stop();
    if (rules_->widths.empty()) return;
    state_ = State::Trading;
    midnight_ns_ = midnight_ns;
    begin(reference, now);
    looked_at_ = now - 1;  // so that the first bands are due at once
}

void Bands::stop() {
    state_ = State::Off;
    range_ = {};
}

// A reference without a history.
void Bands::begin(i64 reference, i64 now) {
    reference_ = reference;
    reference_since_ = looked_at_ = now;
    std::fill(seconds_.begin(), seconds_.end(), Second{});
    sum_ = {};
    second_ = now / kSecondNs;
    bid_ = ask_ = 0;
    deadline_ = kNever;
    extension_ = 0;
}

void Bands::on_trade(i64 px, i64 now) {
    if (state_ != State::Trading && state_ != State::Limit) return;
    roll_to(now / kSecondNs);
    for (Second* s : {&in_ring(second_), &sum_}) {
        s->px_sum += px;
        ++s->trades;
    }
}

void Bands::on_touch(i64 bid, i64 ask, i64 now) {
    bid_ = bid;
    ask_ = ask;
    touched_at_ = now;
}

void Bands::on_call_price(i64 px) { call_px_ = px; }

std::optional<BandChange> Bands::next(i64 now) {
    for (i64 due = next_due(); due <= now; due = next_due())
        if (auto change = change_at(due)) return change;
    return {};
}

i64 Bands::next_due() const {
    switch (state_) {
        case State::Off: return kNever;
        case State::Trading: return touch() == At::None ? next_look() : std::max(touched_at_, looked_at_);
        case State::Limit: return touch() == limit_at_ ? deadline_ : std::min(touched_at_, deadline_);
        case State::Paused: return deadline_;
        case State::Deciding: return call_px_ == kUnanswered ? kNever : deadline_;
    }
    return kNever;
}

std::optional<BandChange> Bands::change_at(i64 at) {
    switch (state_) {
        case State::Off: return {};
        case State::Trading: return touch() == At::None ? look(at) : enter_limit(at);
        case State::Limit: return at == deadline_ ? pause(at) : leave_limit(at);
        case State::Paused: state_ = State::Deciding; return change(BandAction::EndCall, at, collar());
        case State::Deciding: return decide(at);
    }
    return {};
}

// Which band the touch stands at.
Bands::At Bands::touch() const {
    if (range_ == PxRange{}) return At::None;
    if (bid_ >= range_.hi) return At::Upper;
    return ask_ > 0 && ask_ <= range_.lo ? At::Lower : At::None;
}

// The bands may change at once after an opening, when a second begins while there are trades, and when they widen.
i64 Bands::next_look() const {
    if (looked_at_ < reference_since_) return reference_since_;
    const bool widens = !is_wide_ && rules_->wide_from_ns != kNever;
    const i64 wide_at = widens ? std::max(midnight_ns_ + rules_->wide_from_ns, looked_at_) : kNever;
    return sum_.trades ? std::min(wide_at, (second_ + 1) * kSecondNs) : wide_at;
}

std::optional<BandChange> Bands::look(i64 at) {
    if (at / kSecondNs > second_) close_second(at);
    looked_at_ = at;
    const PxRange told = range_;
    set_range(at);
    if (range_ == told) return {};
    return change(BandAction::SetBands, at, range_);
}

// The mean is of whole seconds: the one that ends at `at` counts, and the oldest leaves after it.
void Bands::close_second(i64 at) {
    roll_to(at / kSecondNs - 1);
    if (mean_has_moved(at)) {
        reference_ = mean();
        reference_since_ = at;
    }
    roll_to(at / kSecondNs);
}

BandChange Bands::enter_limit(i64 at) {
    state_ = State::Limit;
    limit_at_ = touch();
    deadline_ = at + rules_->limit_ns;
    return change(BandAction::EnterLimit, at, range_);
}

// The bands stood still in the limit state; they go on with the second that begins next.
BandChange Bands::leave_limit(i64 at) {
    state_ = State::Trading;
    deadline_ = kNever;
    roll_to(at / kSecondNs);
    looked_at_ = at;
    return change(BandAction::LeaveLimit, at, range_);
}

BandChange Bands::pause(i64 at) {
    state_ = State::Paused;
    range_ = {};
    deadline_ = at + rules_->pause_ns;
    call_px_ = kUnanswered;
    return change(BandAction::Pause, at, collar());
}

BandChange Bands::decide(i64 at) {
    const i64 px = call_px_;
    const PxRange allowed = collar();
    call_px_ = kUnanswered;
    if (px > 0 && (px < allowed.lo || px > allowed.hi)) {
        state_ = State::Paused;
        ++extension_;
        deadline_ = at + rules_->pause_ns;
        return change(BandAction::Extend, at, collar());
    }
    state_ = State::Trading;
    begin(px > 0 ? px : reference_, at);
    set_range(at);
    return change(BandAction::Reopen, at, range_);
}

BandChange Bands::change(BandAction action, i64 at, PxRange range) const {
    const bool is_timed = deadline_ != kNever && action != BandAction::EndCall;
    return {action, at, range.lo, range.hi, reference_, is_timed ? deadline_ : 0, extension_};
}

void Bands::roll_to(i64 second) {
    const i64 from = std::max(second_ + 1, second - i64(seconds_.size()) + 1);
    for (i64 s = from; s <= second; ++s) {
        Second& leaving = in_ring(s);
        sum_.px_sum -= leaving.px_sum;
        sum_.trades -= leaving.trades;
        leaving = {};
    }
    second_ = std::max(second_, second);
}

bool Bands::mean_has_moved(i64 at) const {
    if (sum_.trades == 0) return false;
    if (reference_ == 0) return true;
    const i128 distance = i128(sum_.px_sum) - i128(reference_) * sum_.trades;
    const i128 least = i128(reference_) * sum_.trades * rules_->move_bps;
    return at - reference_since_ >= rules_->hold_ns && (distance < 0 ? -distance : distance) * kBps >= least;
}

i64 Bands::mean() const { return (2 * sum_.px_sum + sum_.trades) / (2 * sum_.trades); }

void Bands::set_range(i64 at) {
    is_wide_ = rules_->wide_from_ns != kNever && at >= midnight_ns_ + rules_->wide_from_ns;
    if (reference_ == 0) return;
    const BandWidth& width = width_for(rules_->widths, listed_px_ > 0 ? listed_px_ : reference_);
    i128 width_e4 = i128(reference_) * width.bps;
    if (width.px_max > 0) width_e4 = std::min(width_e4, i128(width.px_max) * kBps);
    range_ = around_reference(is_wide_ && width.doubles_before_close ? 2 * width_e4 : width_e4);
}

PxRange Bands::collar() const {
    return around_reference(i128(reference_) * rules_->collar_bps << std::min(extension_, kDoublingsMax));
}

PxRange Bands::around_reference(i128 width_e4) const {
    const i128 reference_e4 = i128(reference_) * kBps;
    return {nearest_tick(ticks_, reference_e4 - width_e4), nearest_tick(ticks_, reference_e4 + width_e4)};
}

template <class Self>
void Bands::each_field(Self& self, auto visit) {
    for (auto& second : self.seconds_) visit(second);
    visit(self.sum_), visit(self.second_), visit(self.state_), visit(self.limit_at_), visit(self.midnight_ns_);
    visit(self.reference_), visit(self.reference_since_), visit(self.range_), visit(self.looked_at_);
    visit(self.is_wide_), visit(self.deadline_), visit(self.bid_), visit(self.ask_), visit(self.touched_at_);
    visit(self.call_px_), visit(self.extension_);
}

void Bands::save(StateWriter& out) const {
    out.put(u64(seconds_.size()));
    each_field(*this, [&out](const auto& value) { out.put(value); });
}

void Bands::load(StateReader& in) {
    const u64 window = in.get<u64>();
    if (window != seconds_.size())
        throw Error(ErrorKind::Snapshot, "expected bands with a window of " + std::to_string(seconds_.size()) +
                                             " s, found " + std::to_string(window) +
                                             "; start without the snapshot, or with the bands it was made with");
    each_field(*this, [&in](auto& value) { value = in.get<std::remove_reference_t<decltype(value)>>(); });
}

}  // namespace openbell::exchange
