#include "risk/risk.h"

#include "risk/money_checks.h"

#include "risk/tightest.h"

namespace openbell {
namespace {

using enum LimitKind;

constexpr i64 kBps = 10'000;

bool is_buy(const Order& o) { return o.side == u8(Side::Buy); }
bool is_replace(const Order& o) { return o.type == u8(Type::ReplaceOrder); }

// v % unit == 0 for v >= 0. Prices, ticks and lots nearly always fit 32 bits, where dividing is much cheaper.
bool is_multiple(i64 v, i64 unit) {
    if (unit <= 0) return false;
    if (unit == 1) return true;
    if (((v | unit) >> 32) == 0) return u32(v) % u32(unit) == 0;
    return v % unit == 0;
}

// What is open at the venue now of what a replace changes; 0 for a new order.
i64 open_before(const Order& o, const Exposure& account) {
    if (!is_replace(o)) return 0;
    const i128 executed = i128(o.qty) - o.leaves_qty;
    const i128 open = i128(o.prev_qty) - executed;
    const i64 most = is_buy(o) ? account.open_buy : account.open_sell;
    return open < 0 ? 0 : open > most ? most : i64(open);
}

// What this command opens more than was open, in lots, and in price x quantity.
i64 added_by(const Order& o, const Exposure& account) {
    const i64 before = open_before(o, account);
    return o.leaves_qty > before ? o.leaves_qty - before : 0;
}
i128 value_added_by(const Order& o, const Exposure& account) {
    const i128 before = i128(o.prev_px) * open_before(o, account);
    const i128 after = i128(o.px) * o.leaves_qty;
    return after > before ? after - before : 0;
}

// The price a taker of that side would meet; the own side when there is no other.
i64 reference_px(const Order& o, const Touch& touch) {
    const i64 bid = touch.bid_qty > 0 ? touch.bid_px : 0;
    const i64 ask = touch.ask_qty > 0 ? touch.ask_px : 0;
    if (is_buy(o)) return ask > 0 ? ask : bid;
    return bid > 0 ? bid : ask;
}

// |px - reference| in bps of the reference, rounded up; of both, the multiple that makes them whole numbers.
i128 distance_bps(i128 px, i128 reference) {
    const i128 distance = px > reference ? px - reference : reference - px;
    return (distance * kBps + reference - 1) / reference;
}

bool is_within(i128 px, i128 reference, i64 bps) {
    const i128 distance = px > reference ? px - reference : reference - px;
    return distance * kBps <= i128(bps) * reference;
}

// Whose numbers a scope compares.
constexpr u32 kOfStrategy = scope_bit(LimitScope::Strategy) | scope_bit(LimitScope::StrategyInstrument);
bool is_of_strategy(LimitScope scope) { return kOfStrategy & scope_bit(scope); }
const Exposure& exposure_of(LimitScope scope, const RiskView& view) {
    return is_of_strategy(scope) ? view.strategy : view.account;
}

// What is held against this side if every open order of it filled, this one too: negative = it only reduces.
i128 worst_of(const Order& o, i64 added, const Exposure& e) {
    return is_buy(o) ? i128(e.position) + e.open_buy + added : -i128(e.position) + e.open_sell + added;
}

i64 open_orders_of(LimitScope scope, const RiskView& view) {
    switch (scope) {
        case LimitScope::Strategy: return view.strategy_orders;
        case LimitScope::Instrument: return view.account.orders;
        case LimitScope::StrategyInstrument: return view.strategy.orders;
        default: return view.orders;
    }
}

i64 needed_permission(const Order& o, i64 added, const Exposure& e) {
    const i128 worst = worst_of(o, added, e);
    const i64 side = is_buy(o) ? kMayBuy : kMaySell;
    if (worst <= 0) return side;
    return side | kMayOpen | (is_buy(o) ? 0 : kMayShort);
}

}  // namespace

Risk::Risk(u32 strategies_max, u32 instruments_max, u32 pairs_max)
    : strategies_max_(strategies_max),
      instruments_max_(instruments_max),
      arming_(strategies_max, instruments_max),
      limits_(strategies_max, instruments_max, pairs_max),
      bounds_(limits_, strategies_max, instruments_max),
      flow_(limits_, strategies_max),
      drift_(instruments_max) {}

bool Risk::set_limit(const Limit& l) {
    const LimitKind kind{l.kind};
    const u32 before = limits_.row_of(l);
    if (!limits_.set(l)) return false;
    const u32 after = limits_.row_of(l);
    if (after == LimitTable::kNone) flow_.forget(before);  // a pair without limits; its place is free
    flow_.on_limit(after, kind);
    if (l.flags & kRemoved) return true;
    if (kind == DriftBps) drift_[l.instrument].set_length(l.window_ns);
    return true;
}

void Risk::clear_limits() {
    limits_.clear();
    for (u32 row = limits_.first_pair(); row < limits_.rows(); ++row) flow_.forget(row);
    flow_.on_limits();
}

void Risk::on_command(const Order& o) {
    const Bounds& bounds = bounds_.of(o);
    flow_.on_command(o, bounds, limits_.rows_of(o.account, o.strategy, o.instrument, bounds.pair_row));
}

void Risk::on_withdrawn(const Order& o) {
    const Bounds& bounds = bounds_.of(o);
    flow_.on_withdrawn(o, bounds, limits_.rows_of(o.account, o.strategy, o.instrument, bounds.pair_row));
}

bool Risk::on_fill(u16 account, u16 strategy, u32 instrument, Side side, i64 now) {
    return flow_.on_fill(account, strategy, instrument, side, limits_.rows_of(account, strategy, instrument), now);
}

void Risk::on_touch(u32 instrument, const Touch& touch, i64 now) {
    if (drift_[instrument].is_kept()) drift_[instrument].on_touch(touch, now);
}

// ---- the page --------------------------------------------------------------------------------------

// One order, and what each check asks of it.
struct Risk::Asked {
    const Order& o;
    const RiskView& view;
    const Bounds& bounds;
    OrderRows rows;
    i64 added;
};

// Every check is inlined, so that one that passes makes no verdict: a third of the time.
[[gnu::flatten]] Verdict Risk::check(const Order& o, const RiskView& view) {
    const ArmState state = arming_.state(o.strategy, o.instrument);
    if (state < ArmState::ReduceOnly) return check_gate(o);
    const i64 added = added_by(o, view.account);
    if (state == ArmState::ReduceOnly) {
        if (const Verdict v = check_reduces(o, added, view); !v.passes()) return v;
    }
    const Bounds& bounds = bounds_.of(o);
    const Asked asked{o, view, bounds, limits_.rows_of(o.account, o.strategy, o.instrument, bounds.pair_row), added};
    const u64 equals = flow_.key_of_equals(o, bounds);
    flow_.prefetch(bounds.pair_row);
    flow_.prefetch_equals(equals);
    if (const Verdict v = check_permission(asked); !v.passes()) return v;
    if (const Verdict v = check_known(asked); !v.passes()) return v;
    if (const Verdict v = check_market(asked); !v.passes()) return v;
    if (const Verdict v = check_form(asked); !v.passes()) return v;
    if (const Verdict v = check_size(asked, state == ArmState::Limited); !v.passes()) return v;
    if (const Verdict v = check_px(asked); !v.passes()) return v;
    if (const Verdict v = check_drift(asked); !v.passes()) return v;
    if (view.own_px != 0) return {Reason::SelfCross, view.own_px, o.px};
    if (const Verdict v = flow_.check(o, bounds, asked.rows, equals, view.now_ns); !v.passes()) return v;
    if (const Verdict v = check_held(asked); !v.passes()) return v;
    const MoneyView money{view.accounts, view.money, value_added_by(o, view.account),
                          worst_of(o, added, view.account) <= 0, worst_of(o, added, view.strategy) <= 0};
    return check_money(o, money, bounds, limits_, asked.rows);
}

void Risk::prefetch(const Order& o) const {
    bounds_.prefetch(o);
    for (const u32 at : limits_.rows_of(o.account, o.strategy, o.instrument, LimitTable::kNone).at) flow_.prefetch(at);
    if (o.instrument < instruments_max_) __builtin_prefetch(&drift_[o.instrument]);
}

// Why nothing may be opened.
Verdict Risk::check_gate(const Order& o) const {
    const KillLevel killed = arming_.killed(o.strategy, o.instrument);
    if (killed >= KillLevel::Hard) return {Reason::Killed, 0, i64(killed)};
    return {Reason::NotArmed, i64(ArmState::ReduceOnly), i64(arming_.state(o.strategy, o.instrument))};
}

// With every open order of this side filled, what may only reduce must not pass through flat: the strategy, and the
// account where it is the node or the instrument that was lowered.
Verdict Risk::check_reduces(const Order& o, i64 added, const RiskView& view) const {
    for (const Exposure* e : {&view.account, &view.strategy}) {
        if (e == &view.account && !arming_.is_account_lowered(o.instrument)) continue;
        const i128 reducible = is_buy(o) ? -i128(e->position) : i128(e->position);
        const i128 asked = i128(is_buy(o) ? e->open_buy : e->open_sell) + added;
        if (asked > reducible) return refuse(Reason::ReduceOnly, reducible > 0 ? reducible : 0, asked);
    }
    return {};
}

Verdict Risk::check_permission(const Asked& a) const {
    if (!(a.bounds.kinds & bit_of(Permission))) return {};
    const i64 of_account = needed_permission(a.o, a.added, a.view.account);
    const i64 of_strategy = needed_permission(a.o, a.added, a.view.strategy);
    const u8* permitted = a.bounds.permitted;
    if (((of_account & ~permitted[Bounds::kAccount]) | (of_strategy & ~permitted[Bounds::kStrategy])) == 0) return {};
    for (u32 i = 0;; ++i) {
        const LimitScope scope{u8(i + 1)};
        const i64 granted = limits_[a.rows.at[i]].value(Permission);
        const i64 needed = is_of_strategy(scope) ? of_strategy : of_account;
        const bool is_last = i + 1 == kLimitScopes;  // who else, if none before it
        if (is_last || needed & ~granted) return {Reason::NotPermitted, granted, needed, scope, Permission};
    }
}

Verdict Risk::check_known(const Asked& a) const {
    if (a.view.instrument && a.bounds.is_complete) return {};
    if (!a.view.instrument) return {Reason::NoInstrument, instruments_max_, a.o.instrument};
    if (a.o.strategy >= strategies_max_) return {Reason::UnknownStrategy, strategies_max_, a.o.strategy};
    if (!limits_.is_whole()) return {Reason::NoLimits, 1, 0, limits_.fault_scope(), limits_.fault_kind()};
    const auto missing = [&](LimitScope scope, u32 required) -> Verdict {
        const u32 left = required & ~limits_[a.rows.of(scope)].set;
        if (left == 0) return {};
        return {Reason::NoLimits, 1, 0, scope, kLimitKinds[std::countr_zero(left)]};
    };
    if (const Verdict v = missing(LimitScope::Instrument, kRequiredOfInstrument); !v.passes()) return v;
    return missing(LimitScope::Account, kRequiredOfAccount);
}

Verdict Risk::check_market(const Asked& a) const {
    // What is for an auction only may come in while the venue collects orders for it.
    const RiskView& view = a.view;
    const bool is_of_auction = a.o.tif == u8(Tif::AtOpen) || a.o.tif == u8(Tif::AtClose);
    const bool is_collecting = is_of_auction && view.trading == TradingState::QuoteOnly;
    if (view.trading != TradingState::Trading && !is_collecting)
        return {Reason::NotTrading, i64(TradingState::Trading), i64(view.trading)};
    if (!view.book_valid) return {Reason::BookNotValid, 1, 0};
    if (reference_px(a.o, view.touch) <= 0) return {Reason::NoReference, 1, 0};
    const i64 age = view.now_ns - view.heard_ns;
    if (age <= a.bounds.book_age) return {};
    return tightest_refusal(Reason::BookStale, BookAge, limits_, a.rows,
                            [&](LimitScope, const LimitRow&) { return age; });
}

Verdict Risk::check_form(const Asked& a) const {
    const Order& o = a.o;
    const Instrument& instrument = *a.view.instrument;
    if (o.px <= 0) return {Reason::PriceNotPositive, 1, o.px};
    if (!is_multiple(o.px, instrument.tick)) return {Reason::PriceTick, instrument.tick, o.px};
    if (o.leaves_qty <= 0 || o.qty < o.leaves_qty) return {Reason::QtyNotPositive, 1, std::min(o.leaves_qty, o.qty)};
    if (!is_multiple(o.leaves_qty, instrument.lot)) return {Reason::QtyLot, instrument.lot, o.leaves_qty};
    if (o.px > kPxMax) return {Reason::WouldOverflow, kPxMax, o.px};
    if (o.qty > kQtyMax) return {Reason::WouldOverflow, kQtyMax, o.qty};
    return {};
}

Verdict Risk::check_size(const Asked& a, bool is_limited) const {
    const Order& o = a.o;
    const auto open_after = [&](LimitScope, const LimitRow&) { return o.leaves_qty; };
    if (o.leaves_qty > a.bounds.order_qty)
        return tightest_refusal(Reason::OrderQty, OrderQty, limits_, a.rows, open_after);
    if (is_limited) {
        const Verdict v = tightest_refusal(Reason::LimitedSize, OrderQty, limits_, a.rows, open_after,
                                           [&](LimitScope, const LimitRow& row) {
                                               return i128(row.value(OrderQty)) * arming_.limited_percent() / 100;
                                           });
        if (!v.passes()) return v;
    }
    const MoneyScale& money = a.view.money;
    if (!money.is_known()) return {Reason::NoConversion, 1, 0};
    if (money.fits(o.px, o.leaves_qty, a.bounds.order_notional)) return {};
    return tightest_refusal(Reason::OrderNotional, OrderNotional, limits_, a.rows,
                            [&](LimitScope, const LimitRow&) { return money.to_money_up(o.px, o.leaves_qty); });
}

Verdict Risk::check_px(const Asked& a) const {
    const i64 reference = reference_px(a.o, a.view.touch);
    if (is_within(a.o.px, reference, a.bounds.collar_bps)) return {};
    return tightest_refusal(Reason::PriceCollar, CollarBps, limits_, a.rows,
                            [&](LimitScope, const LimitRow&) { return distance_bps(a.o.px, reference); });
}

Verdict Risk::check_drift(const Asked& a) const {
    if (!(a.bounds.kinds & bit_of(DriftBps))) return {};
    const i64 twice_mid = drift_[a.o.instrument].twice_mid_ago(a.view.now_ns);
    const i64 bps = a.bounds.drift_bps;
    if (twice_mid == 0 || is_within(2 * i128(a.o.px), twice_mid, bps)) return {};
    return {Reason::PriceDrift, bps, saturated(distance_bps(2 * i128(a.o.px), twice_mid)), LimitScope::Instrument,
            DriftBps};
}

Verdict Risk::check_held(const Asked& a) const {
    const RiskView& view = a.view;
    const i64* most = a.bounds.held[is_buy(a.o) ? 0 : 1];
    if (worst_of(a.o, a.added, view.account) > most[Bounds::kAccount] ||
        worst_of(a.o, a.added, view.strategy) > most[Bounds::kStrategy]) {
        const LimitKind side = is_buy(a.o) ? PositionLong : PositionShort;
        return tightest_refusal(Reason::Position, side, limits_, a.rows, [&](LimitScope scope, const LimitRow&) {
            return worst_of(a.o, a.added, exposure_of(scope, view));
        });
    }
    if (is_replace(a.o)) return {};
    const i64* room = a.bounds.open_orders;
    const bool has_room = (view.orders < room[Bounds::kNode]) & (view.strategy_orders < room[Bounds::kOfStrategy]) &
                          (view.account.orders < room[Bounds::kOfInstrument]) &
                          (view.strategy.orders < room[Bounds::kOfPair]);
    if (has_room) return {};
    return tightest_refusal(Reason::OpenOrders, OpenOrders, limits_, a.rows,
                            [&](LimitScope scope, const LimitRow&) { return i128(open_orders_of(scope, view)) + 1; });
}

// ---- state -----------------------------------------------------------------------------------------

void Risk::save(StateWriter& w) const {
    w.put(strategies_max_);
    w.put(instruments_max_);
    arming_.save(w);
    limits_.save(w);
    flow_.save(w);
    for (const DriftHistory& history : drift_) {
        w.put(u8(history.is_kept()));
        if (history.is_kept()) w.put(history);
    }
}

void Risk::load(StateReader& r) {
    const u32 strategies = r.get<u32>();
    const u32 instruments = r.get<u32>();
    if (strategies != strategies_max_ || instruments != instruments_max_) {
        throw Error(ErrorKind::Snapshot,
                    "risk snapshot: expected " + std::to_string(strategies_max_) + " strategies x " +
                        std::to_string(instruments_max_) + " instruments, found " + std::to_string(strategies) + " x " +
                        std::to_string(instruments) + "; recover with the capacity of the run that wrote it");
    }
    arming_.load(r);
    limits_.load(r);
    flow_.load(r);
    for (DriftHistory& history : drift_) history = r.get<u8>() ? r.get<DriftHistory>() : DriftHistory{};
}

}  // namespace openbell
