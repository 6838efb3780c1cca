#include "feed/edge_checks.h"

#include <limits>

namespace openbell {
namespace {

using Kept = LeftOut::Kept;

constexpr i64 kBpsOfOne = 10'000;
constexpr u8 kFirstCheck = u8(Check::PxBand);
constexpr u8 bit_of(Check check) { return u8(1 << (u8(check) - kFirstCheck)); }
constexpr u8 kClockBit = bit_of(Check::ClockBack);

u64 order_id_of(const Market& order) { return order.type == u8(Type::BookModify) ? order.ref : order.order_id; }

// A replacement without the order it would leave behind.
void turn_into_cancel(Market& r) {
    r.type = u8(Type::BookCancel);
    r.flags = kWhole;
    r.px = r.qty = 0;
    r.ref = 0;
}

void turn_into_add(Market& r, Kept side) {
    r.type = u8(Type::BookAdd);
    r.flags = side == Kept::Buy ? kBuy : u8(0);
    r.order_id = r.ref;
    r.ref = 0;
}

}  // namespace

EdgeChecks::EdgeChecks(const EdgeConfig& config)
    : policies_(config.policies),
      clock_back_ns_(config.clock_back_ns),
      configured_(config.limits),
      left_out_(config.left_out_max) {
    if (policies_[Check::ClockBack] == CheckPolicy::Drop) policies_.set(Check::ClockBack, CheckPolicy::Mark);
    std::sort(configured_.begin(), configured_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [symbol, limits] : configured_)
        if (limits.band_bps) watched_ |= kPrint;
    absolute_.reserve(configured_.size());
    limits_.reserve(configured_.size());
    start_session();
}

void EdgeChecks::assign(u32 instrument, std::string_view symbol) {
    if (instrument == kNoInstrument) return;
    if (instrument >= limits_.size()) {
        absolute_.resize(instrument + 1);
        limits_.resize(instrument + 1);
    }
    EdgeLimits& of = absolute_[instrument] = limits_of(symbol);
    Limit& limit = limits_[instrument];
    limit.qty_max = of.qty_max ? u64(of.qty_max) : ~u64(0);
    limit.tick = magic_of(std::max(u64(of.tick), u64(1)));
    limit.lot = magic_of(u64(of.lot));
    limit.band_bps = of.band_bps;
    if (limit.reference < of.px_low || limit.reference > of.px_high) limit.reference = 0;  // of other limits
    set_band(instrument);
}

const EdgeLimits& EdgeChecks::limits_of(std::string_view symbol) const {
    static constexpr EdgeLimits kWide;
    const auto found = std::lower_bound(configured_.begin(), configured_.end(), symbol,
                                        [](const auto& configured, auto wanted) { return configured.first < wanted; });
    return found != configured_.end() && found->first == symbol ? found->second : kWide;
}

void EdgeChecks::start_session() {
    clock_floor_ = clock_floor_live_ = std::numeric_limits<i64>::min();
    forget_left_out();
    for (u32 id = 0; id < limits_.size(); ++id) {
        limits_[id].reference = 0;
        set_band(id);
    }
}

void EdgeChecks::resume(const BookedOrders& books) {
    if (!can_leave_out()) return;
    resumed_ = &books;
    watched_ |= kNames;
}

// An order of zero, which needs no configuration to be dropped, is not worth a look at every message.
bool EdgeChecks::can_leave_out() const {
    const auto drops = [&](Check check) { return policies_[check] == CheckPolicy::Drop; };
    const EdgeLimits wide;
    return std::any_of(configured_.begin(), configured_.end(), [&](const auto& configured) {
        const EdgeLimits& of = configured.second;
        const bool has_band = of.px_low > wide.px_low || of.px_high < wide.px_high || of.band_bps > 0;
        return of.keep_low > wide.keep_low || of.keep_high < wide.keep_high || (has_band && drops(Check::PxBand)) ||
               (of.tick > 1 && drops(Check::PxTick)) || (of.qty_max > 0 && drops(Check::QtyBand)) ||
               (of.lot > wide.lot && drops(Check::QtyLot));
    });
}

void EdgeChecks::begin_snapshot() {
    forget_left_out();
    if (clock_doubt_ == 0) return;
    clock_doubt_ = 0;
    clock_floor_live_ = clock_floor_;
}

void EdgeChecks::end_snapshot() {
    if (clock_doubt_ != 0) return;
    clock_doubt_ = kBack;
    clock_floor_ = clock_floor_live_;
}

void EdgeChecks::forget_left_out() {
    left_out_.clear();
    resumed_ = nullptr;
    watched_ &= u8(~kNames);
}

void EdgeChecks::set_band(u32 instrument) {
    const EdgeLimits& of = absolute_[instrument];
    Limit& limit = limits_[instrument];
    limit.band_low = of.px_low;
    limit.band_high = of.px_high;
    if (const i64 px = limit.reference; px > 0) {
        const i64 width = px * limit.band_bps / kBpsOfOne;
        limit.band_low = std::max(limit.band_low, px - width);
        limit.band_high = std::min(limit.band_high, px + width);
    }
    const i64 quick_low = std::max(limit.band_low, of.keep_low);
    const i64 quick_high = std::min(limit.band_high, of.keep_high);
    limit.px_low = quick_low <= quick_high ? u64(quick_low) : ~u64(0);
    limit.px_span = quick_low <= quick_high ? u64(quick_high - quick_low) : 0;
}

// ---- what is found -----------------------------------------------------------------------------------

// A message that is judged: what it said, what is wrong with it, what is to be told, how many records are left of it.
struct EdgeChecks::Case {
    Market found;
    std::size_t count;
    u8 look;
    u8 failed = 0;              // by bit_of
    bool was_left_out = false;  // the order that it names
    bool is_out = false;        // this message is left out
    Kept side = Kept::Unknown;  // of the order
    Check check = Check::None;
    CheckPolicy policy = CheckPolicy::Mark;

    bool replaces() const { return found.type == u8(Type::BookModify); }
    bool is_displayed() const { return found.type == u8(Type::BookAdd) || replaces(); }
    bool takes() const { return look & kNames && !replaces(); }
};

u8 EdgeChecks::failed(const Market& r, u8 look) const {
    if (look == 0) return 0;
    const Limit& limit = limits_[r.instrument];
    const bool only_zero = look & kNames && !(look & kTick);
    u8 out = 0;
    if (look & kPx && (r.px < limit.band_low || r.px > limit.band_high)) out |= bit_of(Check::PxBand);
    if (look & kTick && r.px >= kTickFromPx && !is_multiple(u64(r.px), limit.tick)) out |= bit_of(Check::PxTick);
    if (look & kQty && (r.qty == 0 || (!only_zero && u64(r.qty) - 1 >= limit.qty_max))) out |= bit_of(Check::QtyBand);
    if (look & kLot && !is_multiple(u64(r.qty), limit.lot)) out |= bit_of(Check::QtyLot);
    return out;
}

bool EdgeChecks::is_kept(const Market& order) const {
    const EdgeLimits& of = absolute_[order.instrument];
    return order.px >= of.keep_low && order.px <= of.keep_high;
}

std::size_t EdgeChecks::judge(u8 doubt, u8 look, Bytes message, u64 messages, Market* out, std::size_t count) {
    Case c{.found = *out, .count = count, .look = look};
    c.failed = u8(failed(c.found, look) | (doubt & kBack ? kClockBit : 0));
    if (c.found.type == u8(Type::BookAdd)) c.side = c.found.flags & kBuy ? Kept::Buy : Kept::Sell;
    if (look & kNames) meet_left_out(c);
    if (look & kPrint && !c.is_out) follow_print(c);
    if (c.is_displayed() && !is_kept(c.found) && leave_out(c)) {
        ++counters_.filtered;
        c.failed &= kClockBit;
    }
    decide(c, message, messages);
    carry_out(c, *out);
    return tell(c, messages, out);
}

// What is said of an order that was left out is left out too; its replacement is an order of its own.
void EdgeChecks::meet_left_out(Case& c) {
    const u32 instrument = c.found.instrument;
    const u64 order_id = c.found.order_id;
    LeftOut::Order* known = left_out_.find(instrument, order_id);
    if (!known && resumed_ && !resumed_->holds(instrument, order_id) &&
        left_out_.insert({order_id, ~u32(0), instrument, Kept::Unknown}))
        known = left_out_.find(instrument, order_id);
    if (known == nullptr) return;
    ++counters_.follow_ups;
    c.was_left_out = true;
    c.side = known->side;
    const bool is_whole = c.found.type == u8(Type::BookCancel) && c.found.flags & kWhole;
    if (c.replaces() || is_whole || c.found.qty >= i64(known->qty))
        left_out_.erase(known);
    else
        known->qty -= u32(c.found.qty);
    if (c.replaces()) return;
    c.is_out = true;
    c.failed &= kClockBit;
}

// The band goes along with what is traded, by at most its own width a print: one bad print does not take it away, and
// a market that jumps has it back after a few.
void EdgeChecks::follow_print(const Case& c) {
    Limit& limit = limits_[c.found.instrument];
    if (!limit.band_bps || c.found.px <= 0 || c.found.qty <= 0) return;
    if (!limit.reference && c.failed & bit_of(Check::PxBand)) return;
    limit.reference = u32(limit.reference ? std::clamp(c.found.px, limit.band_low, limit.band_high) : c.found.px);
    set_band(c.found.instrument);
}

// ---- what follows ------------------------------------------------------------------------------------

void EdgeChecks::decide(Case& c, Bytes message, u64 messages) {
    c.check = strictest(c.failed);
    c.policy = policies_[c.check];
    if (c.check == Check::None || c.policy != CheckPolicy::Drop) return;
    // What takes from a book is never left out, unless it takes nothing.
    const bool is_dropped = c.is_displayed() ? leave_out(c) : !c.takes() || c.failed & bit_of(Check::QtyBand);
    if (!is_dropped) {
        c.policy = c.is_displayed() ? CheckPolicy::Halt : CheckPolicy::Mark;
        return;
    }
    quarantine(message, messages, c.check, c.found.instrument, c.found.ts_event, kDropped);
    c.check = Check::None;
    c.is_out = true;
}

// False: there is no room to remember it.
bool EdgeChecks::leave_out(Case& c) {
    c.is_out = left_out_.insert({order_id_of(c.found), u32(c.found.qty), c.found.instrument, c.side});
    counters_.no_room += !c.is_out;
    if (c.is_out) watched_ |= kNames;
    return c.is_out;
}

// The records as they are journalled.
void EdgeChecks::carry_out(Case& c, Market& r) {
    if (c.is_out) {
        c.count = c.replaces() && !c.was_left_out;  // the end of the order that it replaces
        if (c.count) turn_into_cancel(r);
    } else if (c.was_left_out && c.side != Kept::Unknown) {
        turn_into_add(r, c.side);
    } else if (c.was_left_out) {  // nobody knows on which side it comes back
        leave_out(c);
        c.count = 0;
        c.check = Check::UnknownOrder;
        c.policy = CheckPolicy::Halt;
        ++counters_.failed[std::size_t(c.check)];
    }
}

std::size_t EdgeChecks::judge_malformed(Bytes message, u64 messages, u32 instrument, i64 ts_event, Market* out) {
    const CheckPolicy policy = policies_[Check::Malformed];
    ++counters_.failed[std::size_t(Check::Malformed)];
    const u8 flags = u8(kDropped | (policy == CheckPolicy::Halt ? kInvalidates : 0));
    quarantine(message, messages, Check::Malformed, instrument, ts_event, flags);
    if (policy == CheckPolicy::Drop) return 0;
    Case c{.found = {}, .count = 0, .look = 0};
    c.found.instrument = instrument;
    c.found.ts_event = ts_event;
    c.check = Check::Malformed;
    c.policy = policy;
    return tell(c, messages, out);
}

// Counts all that failed; the check whose policy decides, None when nothing failed.
Check EdgeChecks::strictest(u8 failed) {
    static_assert(CheckPolicy::Mark < CheckPolicy::Drop && CheckPolicy::Drop < CheckPolicy::Halt);
    Check worst = Check::None;
    for (; failed; failed &= u8(failed - 1)) {
        const Check check{u8(kFirstCheck + std::countr_zero(failed))};
        ++counters_.failed[std::size_t(check)];
        if (worst == Check::None || policies_[check] > policies_[worst]) worst = check;
    }
    return worst;
}

std::size_t EdgeChecks::tell(const Case& c, u64 messages, Market* out) {
    if (c.check == Check::None) return c.count;
    if (c.policy == CheckPolicy::Mark && !told_.take(messages, kMarksPerWindow)) {
        ++counters_.untold;
        return c.count;
    }
    Market& said = out[c.count] = c.found;
    said.type = u8(Type::FeedCheck);
    said.flags = u8((c.count == 0 ? kDropped : 0) | (c.policy == CheckPolicy::Halt ? kInvalidates : 0));
    said.ref = u64(c.check);
    return c.count + 1;
}

void EdgeChecks::quarantine(Bytes message, u64 messages, Check check, u32 instrument, i64 ts_event, u8 flags) {
    ++counters_.quarantined;
    if (!written_.take(messages, kQuarantinedPerWindow)) {
        ++counters_.unwritten;
        return;
    }
    Quarantined& q = quarantined_ = {};
    q.type = u8(Type::Quarantined);
    q.flags = flags;
    q.check = u8(check);
    q.length = u8(std::min(message.size(), sizeof q.bytes));
    q.instrument = instrument;
    q.ts_event = ts_event;
    q.count = counters_.quarantined;
    std::copy_n(message.begin(), q.length, q.bytes);
    has_quarantined_ = true;
}

bool EdgeChecks::Budget::take(u64 messages, u64 most) {
    if (messages / kWindow != window) {
        window = messages / kWindow;
        used = 0;
    }
    return used++ < most;
}

}  // namespace openbell
