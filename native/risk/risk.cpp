#include "risk/risk.h"

#include <algorithm>
#include <limits>

namespace openbell {
namespace {

using Verdict = Risk::Verdict;

constexpr Verdict kPass{Reason::None, 0, 0};

bool passes(const Verdict& v) { return v.reason == Reason::None; }
bool is_buy(const Order& o) { return o.side == u8(Side::Buy); }

i64 saturated(i128 v) {
    constexpr i64 kMax = std::numeric_limits<i64>::max();
    constexpr i64 kMin = std::numeric_limits<i64>::min();
    return v > kMax ? kMax : v < kMin ? kMin : i64(v);
}

Verdict refuse(Reason reason, i128 limit, i128 observed) { return {reason, saturated(limit), saturated(observed)}; }

// v % unit == 0 for v >= 0. Prices, ticks and lots nearly always fit 32 bits, where dividing is much cheaper.
bool is_multiple(i64 v, i64 unit) {
    if (unit <= 0) return false;
    if (unit == 1) return true;
    if (((v | unit) >> 32) == 0) return u32(v) % u32(unit) == 0;
    return v % unit == 0;
}

// What is open at the venue now of the order that a replace changes; 0 for a new order.
i64 open_before(const Order& o, i64 leaves_after, const Exposure& account) {
    if (Type(o.type) != Type::ReplaceOrder) return 0;
    const i128 executed = i128(o.qty) - leaves_after;
    const i128 before = i128(o.prev_qty) - executed;
    const i64 open = is_buy(o) ? account.open_buy : account.open_sell;
    return before < 0 ? 0 : before > open ? open : i64(before);
}

// The price a taker of that side would meet; the own side when there is no other.
i64 reference_px(const Order& o, const Touch& touch) {
    const i64 bid = touch.bid_qty > 0 ? touch.bid_px : 0;
    const i64 ask = touch.ask_qty > 0 ? touch.ask_px : 0;
    if (is_buy(o)) return ask > 0 ? ask : bid;
    return bid > 0 ? bid : ask;
}

// |px - reference| x 10 000 <= bps x reference: no division.
Verdict check_collar(i64 px, i64 reference, i64 bps) {
    const i128 distance = px > reference ? i128(px) - reference : i128(reference) - px;
    if (distance * 10'000 <= i128(bps) * reference) return kPass;
    return refuse(Reason::PriceCollar, bps, (distance * 10'000 + reference - 1) / reference);
}

// Position if every open order of the side filled, the replaced one at the larger of its two quantities.
Verdict check_position(const Order& o, i64 added, const Exposure& e, i64 limit) {
    const i128 worst = is_buy(o) ? i128(e.position) + e.open_buy + added : -i128(e.position) + e.open_sell + added;
    if (worst <= limit) return kPass;
    return refuse(Reason::Position, limit, worst);
}

Verdict check_open_orders(const Order& o, const Exposure& e, i64 limit) {
    if (Type(o.type) == Type::ReplaceOrder || e.orders < limit) return kPass;
    return refuse(Reason::OpenOrders, limit, i128(e.orders) + 1);
}

}  // namespace

Risk::Risk(u32 strategies_max, u32 instruments_max)
    : strategies_max_(strategies_max),
      instruments_max_(instruments_max),
      arming_(strategies_max, instruments_max),
      scopes_((std::size_t(strategies_max) + 1) * instruments_max) {}

const Risk::Scope* Risk::scope(u16 strategy, u32 instrument) const {
    const bool is_known = strategy < strategies_max_ || strategy == kNoStrategy;
    if (!is_known || instrument >= instruments_max_) return nullptr;
    const std::size_t row = strategy == kNoStrategy ? strategies_max_ : strategy;
    return &scopes_[row * instruments_max_ + instrument];
}

bool Risk::set_limits(const Limits& l) {
    Scope* at = const_cast<Scope*>(scope(l.strategy, l.instrument));
    if (!at) return false;
    *at = {l.order_qty_max, l.order_notional_max, l.position_max, l.collar_bps, l.open_orders_max, l.version, 1};
    return true;
}

bool Risk::has_limits(u16 strategy, u32 instrument) const {
    const Scope* at = scope(strategy, instrument);
    return at && at->is_set;
}

u32 Risk::limits_version(u16 strategy, u32 instrument) const {
    const Scope* at = scope(strategy, instrument);
    return at && at->is_set ? at->version : 0;
}

Verdict Risk::check(const Order& o, i64 leaves_after, const RiskView& view) const {
    const ArmState state = arming_.state(o.strategy, o.instrument);
    if (state < ArmState::ReduceOnly) return check_gate(o);
    const i64 before = open_before(o, leaves_after, view.account);
    if (state == ArmState::ReduceOnly) {
        if (const Verdict v = check_reduces(o, leaves_after, before, view); !passes(v)) return v;
    }
    if (!view.instrument || o.instrument >= instruments_max_)
        return {Reason::NoInstrument, instruments_max_, o.instrument};
    if (o.strategy >= strategies_max_) return {Reason::UnknownStrategy, strategies_max_, o.strategy};
    const Scope& account = *scope(kNoStrategy, o.instrument);
    if (!account.is_set) return {Reason::NoLimits, 1, 0};
    const Scope& own = *scope(o.strategy, o.instrument);
    const bool both = own.is_set;
    const auto tightest = [&](i64 Scope::* limit) {
        return both ? std::min(account.*limit, own.*limit) : account.*limit;
    };

    if (const Verdict v = check_market(o, view); !passes(v)) return v;
    if (const Verdict v = check_order(o, leaves_after, *view.instrument); !passes(v)) return v;

    const i64 qty_max = tightest(&Scope::order_qty_max);
    if (leaves_after > qty_max) return {Reason::OrderQty, qty_max, leaves_after};
    if (state == ArmState::Limited) {
        const i64 allowed = i64(i128(qty_max) * arming_.limited_percent() / 100);
        if (leaves_after > allowed) return {Reason::LimitedSize, allowed, leaves_after};
    }
    const i64 notional_max = tightest(&Scope::order_notional_max);
    const i128 notional = i128(o.px) * leaves_after;
    if (notional > notional_max) return refuse(Reason::OrderNotional, notional_max, notional);
    if (const Verdict v = check_collar(o.px, reference_px(o, view.touch), tightest(&Scope::collar_bps)); !passes(v))
        return v;

    const i64 added = leaves_after > before ? leaves_after - before : 0;
    if (const Verdict v = check_position(o, added, view.account, account.position_max); !passes(v)) return v;
    if (both) {
        if (const Verdict v = check_position(o, added, view.strategy, own.position_max); !passes(v)) return v;
    }
    if (const Verdict v = check_open_orders(o, view.account, account.open_orders_max); !passes(v)) return v;
    return both ? check_open_orders(o, view.strategy, own.open_orders_max) : kPass;
}

// Why nothing may be opened.
Verdict Risk::check_gate(const Order& o) const {
    const KillLevel killed = arming_.killed(o.strategy, o.instrument);
    if (killed >= KillLevel::Hard) return {Reason::Killed, 0, i64(killed)};
    return {Reason::NotArmed, i64(ArmState::ReduceOnly), i64(arming_.state(o.strategy, o.instrument))};
}

// With every open order of this side filled, what may only reduce must not pass through flat: the strategy, and the
// account where it is the node or the instrument that was lowered.
Verdict Risk::check_reduces(const Order& o, i64 leaves_after, i64 before, const RiskView& view) const {
    const i64 added = leaves_after > before ? leaves_after - before : 0;
    for (const Exposure* e : {&view.account, &view.strategy}) {
        if (e == &view.account && !arming_.is_account_lowered(o.instrument)) continue;
        const i128 reducible = is_buy(o) ? -i128(e->position) : i128(e->position);
        const i128 asked = i128(is_buy(o) ? e->open_buy : e->open_sell) + added;
        if (asked > reducible) return refuse(Reason::ReduceOnly, reducible > 0 ? reducible : 0, asked);
    }
    return kPass;
}

Verdict Risk::check_market(const Order& o, const RiskView& view) const {
    if (view.trading != TradingState::Trading)
        return {Reason::NotTrading, i64(TradingState::Trading), i64(view.trading)};
    if (!view.book_valid) return {Reason::BookNotValid, 1, 0};
    if (reference_px(o, view.touch) <= 0) return {Reason::NoReference, 1, 0};
    return kPass;
}

Verdict Risk::check_order(const Order& o, i64 leaves_after, const Instrument& instrument) const {
    if (o.px <= 0) return {Reason::PriceNotPositive, 1, o.px};
    if (!is_multiple(o.px, instrument.tick)) return {Reason::PriceTick, instrument.tick, o.px};
    if (leaves_after <= 0 || o.qty < leaves_after) return {Reason::QtyNotPositive, 1, std::min(leaves_after, o.qty)};
    if (!is_multiple(leaves_after, instrument.lot)) return {Reason::QtyLot, instrument.lot, leaves_after};
    if (o.px > kPxMax) return {Reason::WouldOverflow, kPxMax, o.px};
    if (o.qty > kQtyMax) return {Reason::WouldOverflow, kQtyMax, o.qty};
    return kPass;
}

void Risk::save(StateWriter& w) const {
    w.put(strategies_max_);
    w.put(instruments_max_);
    arming_.save(w);
    for (const Scope& s : scopes_) {
        w.put(u8(s.is_set));
        if (s.is_set) w.put(s);
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
    for (Scope& s : scopes_) s = r.get<u8>() ? r.get<Scope>() : Scope{};
}

}  // namespace openbell
