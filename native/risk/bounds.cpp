#include "risk/bounds.h"

#include <bit>

#include "risk/tightest.h"

namespace openbell {
namespace {

using enum LimitKind;

constexpr u32 kOfOneStrategy = scope_bit(LimitScope::Strategy) | scope_bit(LimitScope::StrategyInstrument);
constexpr u32 kOfAll = kAnyScope & ~kOfOneStrategy;
constexpr u32 kOfNode = scope_bit(LimitScope::Firm) | scope_bit(LimitScope::Account);

bool has_required(const LimitTable& limits, const OrderRows& rows) {
    const auto has = [&](LimitScope scope, u32 required) { return (required & ~limits[rows.of(scope)].set) == 0; };
    return has(LimitScope::Instrument, kRequiredOfInstrument) && has(LimitScope::Account, kRequiredOfAccount);
}

// Every scope that says it must permit it.
u8 permitted(const LimitTable& limits, const OrderRows& rows, u32 from) {
    i64 all = kMayBuy | kMaySell | kMayShort | kMayOpen;
    for (u32 i = 0; i < kLimitScopes; ++i)
        if (from & scope_bit(LimitScope(i + 1))) all &= limits[rows.at[i]].value(Permission);
    return u8(all);
}

// 0 where two scopes have windows of different length, or none has any.
i64 common_window(LimitKind kind, const LimitTable& limits, const OrderRows& rows) {
    i64 common = 0;
    for (const u32 at : rows.at) {
        if (!limits[at].has(kind)) continue;
        const i64 window_ns = limits[at].window_ns(kind);
        if (common != 0 && common != window_ns) return 0;
        common = window_ns;
    }
    return common;
}

}  // namespace

MoneyBounds money_bounds_of(const LimitTable& limits, const OrderRows& rows, u32 from) {
    const auto least = [&](LimitKind kind) { return smallest(kind, limits, rows, from); };
    return {least(GrossNotional), least(NetNotional), least(Margin), least(DailyLoss), least(Drawdown)};
}

BoundsTable::BoundsTable(const LimitTable& limits, u32 strategies_max, u32 instruments_max)
    : limits_(limits),
      strategies_max_(strategies_max),
      instruments_max_(instruments_max),
      bounds_(std::min(kPairsMax, std::bit_ceil(std::size_t(strategies_max) * instruments_max))) {}

void BoundsTable::draw(Bounds& b, const Order& o) const {
    const OrderRows rows = limits_.rows_of(o.account, o.strategy, o.instrument);
    const auto least = [&](LimitKind kind, u32 from = kAnyScope) { return smallest(kind, limits_, rows, from); };
    b.key = key_of(o);
    b.generation = limits_.generation();
    b.kinds = 0;
    for (const u32 at : rows.at) b.kinds |= limits_[at].set;
    b.pair_row = rows.of(LimitScope::StrategyInstrument);
    b.permitted[Bounds::kAccount] = permitted(limits_, rows, kOfAll);
    b.permitted[Bounds::kStrategy] = permitted(limits_, rows, kOfOneStrategy);
    b.is_complete = limits_.is_whole() && o.strategy < strategies_max_ && has_required(limits_, rows);
    b.has_money_of_strategy = limits_[rows.of(LimitScope::Strategy)].set & kMoneyKinds;
    b.order_qty = least(OrderQty);
    b.order_notional = least(OrderNotional);
    b.collar_bps = least(CollarBps);
    b.book_age = least(BookAge);
    b.drift_bps = least(DriftBps);

    const LimitKind sides[] = {PositionLong, PositionShort};
    for (u32 side = 0; side < 2; ++side) {
        b.held[side][Bounds::kAccount] = least(sides[side], kOfAll);
        b.held[side][Bounds::kStrategy] = least(sides[side], kOfOneStrategy);
    }
    b.open_orders[Bounds::kNode] = least(OpenOrders, kOfNode);
    b.open_orders[Bounds::kOfStrategy] = least(OpenOrders, scope_bit(LimitScope::Strategy));
    b.open_orders[Bounds::kOfInstrument] = least(OpenOrders, scope_bit(LimitScope::Instrument));
    b.open_orders[Bounds::kOfPair] = least(OpenOrders, scope_bit(LimitScope::StrategyInstrument));

    b.duplicates = least(Duplicates);
    b.duplicates_window_ns = common_window(Duplicates, limits_, rows);
    b.money = money_bounds_of(limits_, rows, kOfNode);
}

}  // namespace openbell
