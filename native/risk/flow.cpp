#include "risk/flow.h"

#include "risk/tightest.h"

namespace openbell {
namespace {

using enum LimitKind;

bool opens(const Order& o) { return o.type == u8(Type::NewOrder) || o.type == u8(Type::ReplaceOrder); }

template <class... Parts>
u64 hash_of(LimitKind kind, Parts... parts) {
    u64 hash = u64(kind);
    for (const u64 part : {u64(parts)...}) hash = mix_id(hash ^ part) + 0x9E37'79B9'7F4A'7C15;
    return hash;
}
u64 hash_of(const Order& o) {
    return hash_of(Duplicates, u64(o.account) << 32 | u64(o.strategy) << 8 | o.side, o.instrument, o.px, o.leaves_qty);
}
u64 key_of(u64 hash, LimitScope scope, i64 window_ns) { return mix_id(hash ^ (u64(window_ns) << 3 | u64(scope))) | 1; }

}  // namespace

Flow::Flow(const LimitTable& limits, u32 strategies_max)
    : limits_(limits), rows_(limits.rows()), latched_(strategies_max) {}

// ---- may it be sent --------------------------------------------------------------------------------

Verdict Flow::check(const Order& o, const OrderRows& rows, u32 kinds, i64 now) const {
    if (kinds & bit_of(Duplicates)) {
        if (const Verdict v = check_duplicates(o, rows, now); !v.passes()) return v;
    }
    if (const Verdict v = check_rate(Reason::OrderRate, OrderRate, rows, now); !v.passes()) return v;
    if (kinds & bit_of(MessageRate)) {
        if (const Verdict v = check_rate(Reason::MessageRate, MessageRate, rows, now); !v.passes()) return v;
    }
    if (const Latch& latch = latched_[o.strategy]; latch.kind != 0)
        return {Reason::Repeats, latch.limit, latch.observed, LimitScope(latch.scope), LimitKind(latch.kind)};
    return kinds & bit_of(OrdersPerTrade) ? check_orders_per_trade(rows) : Verdict{};
}

Verdict Flow::check_duplicates(const Order& o, const OrderRows& rows, i64 now) const {
    const u64 hash = hash_of(o);
    return tightest_refusal(Reason::DuplicateOrder, Duplicates, limits_, rows,
                            [&](LimitScope scope, const LimitRow& limit) {
                                return i64(seen_.count(key_of(hash, scope, limit.window_ns(Duplicates)), now)) + 1;
                            });
}

Verdict Flow::check_rate(Reason reason, LimitKind kind, const OrderRows& rows, i64 now) const {
    const bool is_of_orders = kind == OrderRate;
    bool is_within = true;
    for (const u32 at : rows.at) {
        if (!limits_[at].has(kind)) continue;
        const i64 most = is_of_orders ? limits_[at].value(kind) : limits_[at].value(kind) - limits_[at].reserve(kind);
        is_within &= (is_of_orders ? rows_[at].orders : rows_[at].messages).count(now) < most;
    }
    if (is_within) return {};
    return tightest_refusal(
        reason, kind, limits_, rows,
        [&](LimitScope scope, const LimitRow&) {
            const Row& row = rows_[rows.of(scope)];
            return i64((kind == OrderRate ? row.orders : row.messages).count(now)) + 1;
        },
        [&](LimitScope, const LimitRow& row) {
            return kind == OrderRate ? row.value(OrderRate) : row.value(MessageRate) - row.reserve(MessageRate);
        });
}

// Before the first execution the ratio is that of one.
Verdict Flow::check_orders_per_trade(const OrderRows& rows) const {
    const auto over = [&](LimitScope scope, const LimitRow& limit) {
        return i128(rows_[rows.of(scope)].orders_today) + 1 - limit.reserve(OrdersPerTrade);
    };
    const auto trades = [&](LimitScope scope) { return std::max<i64>(1, rows_[rows.of(scope)].trades_today); };
    bool is_within = true;
    for (u32 i = 0; i < kLimitScopes; ++i) {
        const LimitScope scope{u8(i + 1)};
        const LimitRow& limit = limits_[rows.at[i]];
        is_within &= over(scope, limit) <= i128(limit.value(OrdersPerTrade)) * trades(scope);
    }
    if (is_within) return {};
    return tightest_refusal(Reason::OrdersPerTrade, OrdersPerTrade, limits_, rows,
                            [&](LimitScope scope, const LimitRow& limit) -> i128 {
                                const i128 counted = over(scope, limit);
                                return counted <= 0 ? 0 : (counted + trades(scope) - 1) / trades(scope);
                            });
}

// ---- what happened ---------------------------------------------------------------------------------

void Flow::on_limit(u32 at, LimitKind kind) {
    if (kind == OrderRate) rows_[at].orders.set_length(limits_[at].window_ns(OrderRate));
    if (kind == MessageRate) rows_[at].messages.set_length(limits_[at].window_ns(MessageRate));
}

void Flow::on_command(const Order& o, const OrderRows& rows) {
    for (u32 i = 0; i < kLimitScopes; ++i) {
        const LimitRow& limit = limits_[rows.at[i]];
        Row& row = rows_[rows.at[i]];
        if (limit.has(MessageRate)) row.messages.add(o.ts_event);
        if (!opens(o)) continue;
        if (limit.has(OrderRate)) row.orders.add(o.ts_event);
        if (limit.has(OrdersPerTrade)) ++row.orders_today;
        if (limit.has(Duplicates))
            seen_.add(key_of(hash_of(o), LimitScope(i + 1), limit.window_ns(Duplicates)), o.ts_event,
                      limit.window_ns(Duplicates));
    }
}

bool Flow::on_fill(u16 account, u16 strategy, u32 instrument, Side side, const OrderRows& rows, i64 now) {
    bool is_new = false;
    for (u32 i = 0; i < kLimitScopes; ++i) {
        const LimitScope scope{u8(i + 1)};
        const LimitRow& limit = limits_[rows.at[i]];
        if (limit.has(OrdersPerTrade)) ++rows_[rows.at[i]].trades_today;
        if (!limit.has(Repeats)) continue;
        const u64 hash = hash_of(Repeats, u64(account) << 32 | strategy, instrument, u8(side));
        const u64 key = key_of(hash, scope, limit.window_ns(Repeats));
        is_new |= latch(key, strategy, scope, limit, now);
    }
    return is_new;
}

bool Flow::latch(u64 key, u16 strategy, LimitScope scope, const LimitRow& limit, i64 now) {
    const i64 count = seen_.add(key, now, limit.window_ns(Repeats));
    if (count <= limit.value(Repeats) || is_latched(strategy)) return false;
    latched_[strategy] = {limit.value(Repeats), count, u8(scope), u8(Repeats), {}};
    return true;
}

void Flow::release(u16 strategy) {
    if (strategy == kNoStrategy) std::fill(latched_.begin(), latched_.end(), Latch{});
    if (strategy < latched_.size()) latched_[strategy] = {};
}

void Flow::on_trading_day(i64 date) {
    if (date == today_) return;
    today_ = date;
    for (Row& row : rows_) row.orders_today = row.trades_today = 0;
}

// ---- state -----------------------------------------------------------------------------------------

void Flow::save(StateWriter& w) const {
    w.put(today_);
    const auto is_used = [](const Row& row) {
        return row.orders.width_ns() || row.messages.width_ns() || row.orders_today || row.trades_today;
    };
    w.put(u64(std::count_if(rows_.begin(), rows_.end(), is_used)));
    for (u32 at = 0; at < rows_.size(); ++at) {
        if (!is_used(rows_[at])) continue;
        w.put(at);
        w.put(rows_[at]);
    }
    for (const Latch& latch : latched_) w.put(latch);
    seen_.save(w);
}

void Flow::load(StateReader& r) {
    today_ = r.get<i64>();
    std::fill(rows_.begin(), rows_.end(), Row{});
    for (u64 n = r.get<u64>(); n > 0; --n) {
        const u32 at = r.get<u32>() % u32(rows_.size());
        rows_[at] = r.get<Row>();
    }
    for (Latch& latch : latched_) latch = r.get<Latch>();
    seen_.load(r);
}

}  // namespace openbell
