#include "risk/breakers.h"

#include <algorithm>
#include <limits>

namespace openbell {
namespace {

using enum BreakerKind;
using Breaker = Breakers::Breaker;

constexpr i64 kNever = std::numeric_limits<i64>::max();
constexpr i64 kCheckLeastNs = 1'000'000;

bool has_window(BreakerKind kind) {
    return kind == RejectRate || kind == FillRate || kind == UnfilledRate || kind == Slippage || kind == MessageRate ||
           kind == PositionJump || kind == Reconciliation;
}

// In bps: what of an order was not executed.
i64 unfilled_bps(const LiveOrder& o) {
    constexpr i64 kBps = 10'000;
    return kBps - std::min(o.cum_qty, o.qty) * kBps / o.qty;
}

// Those that a silence can trip.
bool needs_clock(BreakerKind kind) { return kind == Latency || kind == FeedStale; }

// Those that the accounts measure: asked whenever a result moved.
bool is_of_result(BreakerKind kind) { return kind == Loss || kind == Drawdown; }

bool is_of_node(BreakerKind kind) { return kind == FeedStale || kind == Reconciliation; }

// What fits its kind: a scope that can be measured, a threshold, a window where something is counted, a state to fall
// to.
bool makes_sense(const Breaker& b, u32 strategies_max, u32 instruments_max) {
    const BreakerKind kind{b.kind};
    const bool has_scope = b.strategy == kNoStrategy || (b.strategy < strategies_max && !is_of_node(kind));
    const bool has_instrument = kind == PositionJump ? b.instrument < instruments_max : b.instrument == kNoInstrument;
    return kind != None && has_scope && has_instrument && b.threshold >= 0 && b.again_below >= 0 &&
           b.again_below <= b.threshold && (b.window_ns > 0) == has_window(kind) && b.to < u8(ArmState::Full);
}

bool watches(const Breaker& b, BreakerKind kind, u16 strategy, u32 instrument) {
    return b.is_given && b.kind == u8(kind) && (b.strategy == kNoStrategy || b.strategy == strategy) &&
           (b.instrument == kNoInstrument || b.instrument == instrument);
}

bool is_same(const Breaker& a, const Breaker& b) {
    return a.kind == b.kind && a.to == b.to && a.strategy == b.strategy && a.instrument == b.instrument;
}

i64 magnitude(i64 v) { return v < 0 ? -v : v; }

// How much worse than the other side's best a fill was, in bps rounded up; negative: better, rounded away from zero.
i64 worse_bps(Side side, i64 px, i64 opposite) {
    constexpr i128 kBps = 10'000;
    const i128 worse = (side == Side::Buy ? i128(px) - opposite : i128(opposite) - px) * kBps;
    return clamp_money((worse < 0 ? worse - opposite + 1 : worse + opposite - 1) / opposite);
}

}  // namespace

Breakers::Breakers(u32 strategies_max, u32 instruments_max)
    : strategies_max_(strategies_max), instruments_max_(instruments_max), next_check_(kNever) {
    breakers_.reserve(kBreakersMax);
    unanswered_.reserve(kUnansweredMax);
}

// ---- what there is ---------------------------------------------------------------------------------

bool Breakers::set(const Control& c) {
    Breaker given{};
    given.kind = u8(c.code <= u32(UnfilledRate) ? c.code : 0);
    given.to = u8(c.values[kStateAndLeast] & 0xFF);
    given.strategy = c.strategy;
    given.instrument = c.instrument;
    Breaker* known = find(given);
    if (c.flags & kRemoved) {
        if (known) known->is_given = 0;
        return true;
    }
    given.least = u32(std::clamp<i64>(c.values[kStateAndLeast] >> 8, 0, std::numeric_limits<u32>::max()));
    given.threshold = c.values[kThreshold];
    given.window_ns = c.values[kWindowNs];
    given.again_below = c.values[kAgainBelow];
    if (!makes_sense(given, strategies_max_, instruments_max_)) return false;
    if (!known)
        known = std::find_if(breakers_.data(), breakers_.data() + breakers_.size(),
                             [](const Breaker& b) { return !b.is_given; });
    if (known == breakers_.data() + breakers_.size()) {
        if (breakers_.size() == kBreakersMax) return false;
        known = &breakers_.emplace_back();
    }
    if (is_same(*known, given)) {  // it goes on where it was
        given.is_tripped = known->is_tripped;
        given.last = known->last;
        given.worst = known->worst;
        given.events = known->events;
        given.of = known->of;
        given.is_forced = known->is_forced;
        given.is_following = known->is_following;
    }
    given.is_given = 1;
    given.events.set_length(given.window_ns);
    given.of.set_length(given.window_ns);
    *known = given;
    is_due_ = true;
    return true;
}

void Breakers::restart() {
    for (Breaker& b : breakers_) b.is_given = 0;
    unanswered_.clear();
    next_check_ = kNever;
}

Breaker* Breakers::find(const Breaker& like) {
    for (Breaker& b : breakers_)
        if (is_same(b, like)) return &b;
    return nullptr;
}

// ---- what happens ----------------------------------------------------------------------------------

template <class F>
void Breakers::for_each(BreakerKind kind, u16 strategy, u32 instrument, F&& f) {
    for (Breaker& b : breakers_) {
        if (!watches(b, kind, strategy, instrument)) continue;
        f(b);
        is_due_ = true;
    }
}

void Breakers::on_command(const Order& o, i64 now) {
    for_each(MessageRate, o.strategy, o.instrument, [&](Breaker& b) { b.events.add(now); });
    if (Type(o.type) != Type::NewOrder) return;
    for_each(FillRate, o.strategy, o.instrument, [&](Breaker& b) { b.of.add(now); });
}

void Breakers::on_report(const Report& r, const Applied& applied, const Touch& touch, i64 now) {
    const Type type{r.type};
    if (type == Type::Sent) return on_sent(Type(r.command), *applied.order, now);
    if (applied.order) on_answer(*applied.order, now);
    if (applied.became_terminal) on_end(*applied.order, now);
    for_each(PositionJump, r.strategy, r.instrument, [](Breaker&) {});  // it looks at the position itself
    if (type == Type::Rejected) for_each(RejectRate, r.strategy, r.instrument, [&](Breaker& b) { b.events.add(now); });
    if (type == Type::Filled) on_fill(r, touch, now);
}

void Breakers::on_fill(const Report& r, const Touch& touch, i64 now) {
    const Side side{r.side};
    for_each(FillRate, r.strategy, r.instrument, [&](Breaker& b) { b.events.add(now); });

    const i64 ask = touch.ask_qty > 0 ? touch.ask_px : 0, bid = touch.bid_qty > 0 ? touch.bid_px : 0;
    const i64 opposite = side == Side::Buy ? ask : bid;
    if (opposite <= 0) return;  // nothing to compare with
    const i64 worse = worse_bps(side, r.last_px, opposite);
    for_each(TooGood, r.strategy, r.instrument, [&](Breaker& b) { measured(b, std::max<i64>(-worse, 0)); });
    for_each(Slippage, r.strategy, r.instrument, [&](Breaker& b) {
        b.events.add(now, std::max<i64>(worse, 0));
        b.of.add(now);
    });
}

void Breakers::on_moved(u16 strategy, u32 instrument, i64 qty) {
    for_each(PositionJump, strategy, instrument, [&](Breaker& b) {
        b.is_forced = 1;
        b.worst = std::max(b.worst, magnitude(qty));
    });
}

void Breakers::on_break(i64 now) {
    for_each(Reconciliation, kNoStrategy, kNoInstrument, [&](Breaker& b) { b.events.add(now); });
}

void Breakers::measured(Breaker& b, i64 value) {
    b.last = value;
    b.worst = std::max(b.worst, value);
}

void Breakers::on_sent(Type command, const LiveOrder& o, i64 now) {
    const u32 version = command == Type::CancelOrder ? o.cancel_version : o.pending_version;
    if (unanswered_.size() == kUnansweredMax) unanswered_.erase(unanswered_.begin());  // no longer watched
    unanswered_.push_back({o.cl_ord_id, now, version, o.strategy, u8(command), 0});
}

// The order says what is still in flight; its end, and a version that another has replaced, settle what named them. One
// change at a time is: another one waits for its answer.
bool Breakers::is_awaited(const Unanswered& sent, const LiveOrder& o) {
    if (Type(sent.command) == Type::CancelOrder) return o.cancel_version == sent.version;
    return is_changing(o);
}

void Breakers::on_answer(const LiveOrder& o, i64 now) {
    std::erase_if(unanswered_, [&](const Unanswered& sent) {
        if (sent.cl_ord_id != o.cl_ord_id || is_awaited(sent, o)) return false;
        for_each(Latency, o.strategy, o.instrument, [&](Breaker& b) { measured(b, now - sent.sent_ns); });
        return true;
    });
}

// It waits for nothing, and nobody was slow.
void Breakers::on_unreached(const LiveOrder& o) {
    std::erase_if(unanswered_,
                  [&](const Unanswered& sent) { return sent.cl_ord_id == o.cl_ord_id && !is_awaited(sent, o); });
}

// One that was refused never was in the market.
void Breakers::on_end(const LiveOrder& o, i64 now) {
    if (OrderState(o.state) == OrderState::Rejected) return;
    for_each(UnfilledRate, o.strategy, o.instrument, [&](Breaker& b) {
        b.events.add(now, unfilled_bps(o));
        b.of.add(now);
    });
}

// ---- what follows ----------------------------------------------------------------------------------

std::size_t Breakers::check(const Accounts& accounts, i64 heard_ns, i64 now, std::span<Trip, kBreakersMax> out) {
    std::size_t trips = 0;
    for (Breaker& b : breakers_) {
        const BreakerKind kind{b.kind};
        if (!b.is_given || !(is_due_ || is_of_result(kind))) continue;
        if (kind == PositionJump) follow(b, accounts, now);
        const i64 found = measure(b, accounts, heard_ns, now);
        const bool is_above = found > b.threshold || b.is_forced;
        b.worst = kind == PositionJump ? 0 : b.last;
        b.is_forced = 0;
        if (b.is_tripped && found <= b.again_below) b.is_tripped = 0;
        if (b.is_tripped || !is_above) continue;
        b.is_tripped = 1;
        out[trips++] = {kind, ArmState(b.to), b.strategy, b.instrument, b.threshold, found};
    }
    if (is_due_) plan(now);
    is_due_ = false;
    return trips;
}

// By how much it moved since it was seen last; a breaker that is new begins with what is there.
void Breakers::follow(Breaker& b, const Accounts& accounts, i64 now) {
    const i64 position = accounts.position(b.strategy, b.instrument);
    if (b.is_following && position != b.last) b.events.add(now, position - b.last);
    b.last = position;
    b.is_following = 1;
}

i64 Breakers::measure(const Breaker& b, const Accounts& accounts, i64 heard_ns, i64 now) const {
    switch (BreakerKind(b.kind)) {
        case Loss: return clamp_money(std::max<i128>(0, -i128(accounts.day_result(b.strategy))));
        case Drawdown: return accounts.drawdown(b.strategy);
        case RejectRate:
        case MessageRate:
        case Reconciliation: return b.events.count(now);
        case FillRate: {
            const i64 orders = b.of.count(now);
            return orders > 0 && orders >= b.least ? b.events.count(now) * 10'000 / orders : 0;
        }
        case UnfilledRate:
        case Slippage: {
            const i64 seen = b.of.count(now);
            return seen > 0 && seen >= b.least ? b.events.count(now) / seen : 0;
        }
        case PositionJump: return std::max(magnitude(b.events.count(now)), b.worst);
        case TooGood: return b.worst;
        case Latency: return std::max(b.worst, unanswered_ns(b.strategy, now));
        default: return now - heard_ns;  // FeedStale
    }
}

i64 Breakers::unanswered_ns(u16 strategy, i64 now) const {
    const auto oldest = std::ranges::find_if(
        unanswered_, [&](const Unanswered& sent) { return strategy == kNoStrategy || sent.strategy == strategy; });
    return oldest == unanswered_.end() ? 0 : now - oldest->sent_ns;
}

// A silence is asked about four times before it is too long; what has tripped, until its window has emptied.
void Breakers::plan(i64 now) {
    i64 period = kNever;
    for (const Breaker& b : breakers_) {
        if (!b.is_given) continue;
        if (needs_clock(BreakerKind(b.kind))) period = std::min(period, b.threshold / 4);
        if (b.is_tripped && has_window(BreakerKind(b.kind))) period = std::min(period, b.events.width_ns());
    }
    next_check_ = period == kNever ? kNever : now + std::max(period, kCheckLeastNs);
}

// ---- state -----------------------------------------------------------------------------------------

void Breakers::save(StateWriter& out) const {
    out.put(u64(breakers_.size()));
    for (const Breaker& b : breakers_) out.put(b);
    out.put(u64(unanswered_.size()));
    for (const Unanswered& sent : unanswered_) out.put(sent);
    out.put(next_check_);
    out.put(u8(is_due_));
}

void Breakers::load(StateReader& in) {
    const u64 count = in.get<u64>();
    breakers_.clear();
    for (u64 i = 0; i < count; ++i) breakers_.push_back(in.get<Breaker>());
    unanswered_.clear();
    const u64 sent = std::min<u64>(in.get<u64>(), kUnansweredMax);
    for (u64 i = 0; i < sent; ++i) unanswered_.push_back(in.get<Unanswered>());
    next_check_ = in.get<i64>();
    is_due_ = in.get<u8>() != 0;
}

}  // namespace openbell
