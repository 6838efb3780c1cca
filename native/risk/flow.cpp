#include "risk/flow.h"

#include <algorithm>
#include <array>
#include <limits>

#include "oms/live_order.h"
#include "risk/tightest.h"

namespace openbell {
namespace {

using enum LimitKind;

template <class... Parts>
u64 hash_of(LimitKind kind, Parts... parts) {
    u64 hash = u64(kind);
    for (const u64 part : {u64(parts)...}) hash = mix_id(hash ^ part) + 0x9E37'79B9'7F4A'7C15;
    return hash;
}
u64 hash_of(const Order& o) {
    return hash_of(Duplicates, u64(o.account) << 48 | u64(o.strategy) << 32 | o.instrument, u64(o.px) << 8 | o.side,
                   o.leaves_qty);
}
// Of what is counted over one length of window: an event is the same in all of its scopes.
u64 key_of(u64 hash, i64 window_ns) { return mix_id(hash ^ u64(window_ns)) | 1; }

// As the bytes have been from the first version on.
using RowPad = std::array<u8, 48>;
using LatchPad = std::array<u8, 6>;

u32 clamp_count(i64 most) { return u32(std::min<i64>(most, std::numeric_limits<u32>::max())); }

}  // namespace

Flow::Flow(const LimitTable& limits, u32 strategies_max)
    : limits_(limits), strategies_max_(strategies_max), rows_(limits.rows()) {
    on_limits();
}

// ---- may it be sent --------------------------------------------------------------------------------

u64 Flow::key_of_equals(const Order& o, const Bounds& b) const { return key_of(hash_of(o), b.duplicates_window_ns); }

Verdict Flow::check(const Order& o, const Bounds& b, const OrderRows& rows, u64 equals, i64 now) const {
    const bool has_one_window = b.duplicates_window_ns != 0;
    if ((b.kinds & bit_of(Duplicates)) && (!has_one_window || seen_.count(equals, now) >= b.duplicates)) {
        if (const Verdict v = check_duplicates(o, rows, now); !v.passes()) return v;
    }
    bool has_room = !is_latched(o.strategy);
    for (const u32 at : rows.at) has_room &= rows_[at].has_room();
    if (has_room) return {};
    if (const Verdict v = check_rate(Reason::OrderRate, OrderRate, rows, now); !v.passes()) return v;
    if (const Verdict v = check_rate(Reason::MessageRate, MessageRate, rows, now); !v.passes()) return v;
    if (const Row& row = row_of(o.strategy); row.latched_kind != 0)
        return {Reason::Repeats, row.latched_limit, row.latched_observed, LimitScope(row.latched_scope),
                LimitKind(row.latched_kind)};
    return check_orders_per_trade(rows);
}

Verdict Flow::check_duplicates(const Order& o, const OrderRows& rows, i64 now) const {
    const u64 hash = hash_of(o);
    return tightest_refusal(Reason::DuplicateOrder, Duplicates, limits_, rows, [&](LimitScope, const LimitRow& limit) {
        return i64(seen_.count(key_of(hash, limit.window_ns(Duplicates)), now)) + 1;
    });
}

Verdict Flow::check_rate(Reason reason, LimitKind kind, const OrderRows& rows, i64 now) const {
    return tightest_refusal(
        reason, kind, limits_, rows,
        [&](LimitScope scope, const LimitRow&) {
            const Row& row = rows_[rows.of(scope)];
            return i64((kind == OrderRate ? row.order_times : row.message_times).count(now)) + 1;
        },
        [&](LimitScope, const LimitRow& row) {
            return kind == OrderRate ? row.value(OrderRate) : row.value(MessageRate) - row.reserve(MessageRate);
        });
}

// Before the first execution the ratio is that of one.
Verdict Flow::check_orders_per_trade(const OrderRows& rows) const {
    return tightest_refusal(Reason::OrdersPerTrade, OrdersPerTrade, limits_, rows,
                            [&](LimitScope scope, const LimitRow& limit) -> i128 {
                                const Row& row = rows_[rows.of(scope)];
                                const i128 counted = i128(row.orders_today) + 1 - limit.reserve(OrdersPerTrade);
                                const i64 trades = std::max<i64>(1, row.trades_today);
                                return counted <= 0 ? 0 : (counted + trades - 1) / trades;
                            });
}

// ---- what happened ---------------------------------------------------------------------------------

void Flow::on_limit(u32 at, LimitKind kind) {
    const LimitRow& limit = limits_[at];
    if (kind == OrderRate && limit.has(kind)) rows_[at].order_times.set_length(limit.window_ns(kind));
    if (kind == MessageRate && limit.has(kind)) rows_[at].message_times.set_length(limit.window_ns(kind));
    settle(at);
}

void Flow::on_limits() {
    for (u32 at = 0; at < rows_.size(); ++at) settle(at);
}

void Flow::forget(u32 at) {
    rows_[at] = {};
    settle(at);
}

void Flow::settle(u32 at) {
    const LimitRow& limit = limits_[at];
    Row& row = rows_[at];
    row.counted = u8((limit.has(OrderRate) ? kOrders : 0) | (limit.has(MessageRate) ? kMessages : 0) |
                     (limit.has(OrdersPerTrade) ? kToday : 0) | (limit.has(Repeats) ? kRepeats : 0));
    row.orders = row.order_times.total();
    row.messages = row.message_times.total();
    row.orders_most = clamp_count(limit.value(OrderRate));
    row.messages_most =
        clamp_count(limit.value(MessageRate) - (limit.has(MessageRate) ? limit.reserve(MessageRate) : 0));
    settle_today(row, limit);
}

void Flow::settle_today(Row& row, const LimitRow& limit) {
    const i128 earned = i128(limit.value(OrdersPerTrade)) * std::max<i64>(1, row.trades_today);
    row.orders_today_most = limit.has(OrdersPerTrade) ? saturated(earned + limit.reserve(OrdersPerTrade)) : kUnlimited;
}

void Flow::on_command(const Order& o, const Bounds& b, const OrderRows& rows) { count(o, b, rows, 1); }
void Flow::on_withdrawn(const Order& o, const Bounds& b, const OrderRows& rows) { count(o, b, rows, u32(-1)); }

// `by` is 1, or -1 of unsigned counts.
void Flow::count(const Order& o, const Bounds& b, const OrderRows& rows, u32 by) {
    const bool is_opening = opens(Type(o.type));
    for (const u32 at : rows.at) {
        Row& row = rows_[at];
        if (row.counted & kMessages) {
            row.message_times.add(o.ts_event, by);
            row.messages = row.message_times.total();
        }
        if (!is_opening) continue;
        if (row.counted & kOrders) {
            row.order_times.add(o.ts_event, by);
            row.orders = row.order_times.total();
        }
        if (row.counted & kToday) row.orders_today += i32(by);
    }
    if (!is_opening || !(b.kinds & bit_of(Duplicates))) return;
    const u64 hash = hash_of(o);
    if (const i64 window_ns = b.duplicates_window_ns; window_ns != 0) {
        seen_.add(key_of(hash, window_ns), o.ts_event, window_ns, by);
        return;
    }
    for (u32 i = 0; i < kLimitScopes; ++i) {
        if (!is_first_window(Duplicates, rows, i)) continue;
        const i64 window_ns = limits_[rows.at[i]].window_ns(Duplicates);
        seen_.add(key_of(hash, window_ns), o.ts_event, window_ns, by);
    }
}

bool Flow::on_fill(u16 account, u16 strategy, u32 instrument, Side side, const OrderRows& rows, i64 now) {
    bool is_new = false;
    for (u32 i = 0; i < kLimitScopes; ++i) {
        Row& row = rows_[rows.at[i]];
        if (row.counted & kToday) {
            ++row.trades_today;
            settle_today(row, limits_[rows.at[i]]);
        }
        if (!(row.counted & kRepeats)) continue;
        const LimitRow& limit = limits_[rows.at[i]];
        const i64 window_ns = limit.window_ns(Repeats);
        const u64 key = key_of(hash_of(Repeats, u64(account) << 32 | strategy, instrument, u8(side)), window_ns);
        const bool is_first = is_first_window(Repeats, rows, i);
        const i64 count = is_first ? seen_.add(key, now, window_ns) : seen_.count(key, now);
        if (count <= limit.value(Repeats) || is_latched(strategy)) continue;
        Row& latched = row_of(strategy);
        latched.latched_limit = limit.value(Repeats);
        latched.latched_observed = count;
        latched.latched_scope = u8(i + 1);
        latched.latched_kind = u8(Repeats);
        is_new = true;
    }
    return is_new;
}

// The scope has that limit, and none before it one over the same window.
bool Flow::is_first_window(LimitKind kind, const OrderRows& rows, u32 scope) const {
    const LimitRow& limit = limits_[rows.at[scope]];
    if (!limit.has(kind)) return false;
    for (u32 i = 0; i < scope; ++i) {
        const LimitRow& before = limits_[rows.at[i]];
        if (before.has(kind) && before.window_ns(kind) == limit.window_ns(kind)) return false;
    }
    return true;
}

void Flow::release(u16 strategy) {
    for (u32 s = 0; s < strategies_max_; ++s) {
        if (strategy != kNoStrategy && strategy != s) continue;
        Row& row = row_of(u16(s));
        row.latched_limit = row.latched_observed = 0;
        row.latched_scope = row.latched_kind = 0;
    }
}

void Flow::on_trading_day(i64 date) {
    if (date == today_) return;
    today_ = date;
    for (u32 at = 0; at < rows_.size(); ++at) {
        rows_[at].orders_today = rows_[at].trades_today = 0;
        settle_today(rows_[at], limits_[at]);
    }
}

// ---- state -----------------------------------------------------------------------------------------

void Flow::save(StateWriter& w) const {
    w.put(today_);
    const auto is_used = [](const Row& row) {
        return row.order_times.width_ns() || row.message_times.width_ns() || row.orders_today || row.trades_today;
    };
    w.put(u64(std::count_if(rows_.begin(), rows_.end(), is_used)));
    for (u32 at = 0; at < rows_.size(); ++at) {
        const Row& row = rows_[at];
        if (!is_used(row)) continue;
        w.put(at);
        w.put(row.order_times);
        w.put(row.message_times);
        w.put(row.orders_today);
        w.put(row.trades_today);
        w.put(RowPad{});
    }
    for (u32 s = 0; s < strategies_max_; ++s) {
        const Row& row = row_of(u16(s));
        w.put(row.latched_limit);
        w.put(row.latched_observed);
        w.put(row.latched_scope);
        w.put(row.latched_kind);
        w.put(LatchPad{});
    }
    seen_.save(w);
}

void Flow::load(StateReader& r) {
    today_ = r.get<i64>();
    std::fill(rows_.begin(), rows_.end(), Row{});
    for (u64 n = r.get<u64>(); n > 0; --n) {
        Row& row = rows_[r.get<u32>() % rows_.size()];
        row.order_times = r.get<Window>();
        row.message_times = r.get<Window>();
        row.orders_today = r.get<i64>();
        row.trades_today = r.get<i64>();
        r.get<RowPad>();
    }
    for (u32 s = 0; s < strategies_max_; ++s) {
        Row& row = row_of(u16(s));
        row.latched_limit = r.get<i64>();
        row.latched_observed = r.get<i64>();
        row.latched_scope = r.get<u8>();
        row.latched_kind = r.get<u8>();
        r.get<LatchPad>();
    }
    seen_.load(r);
    on_limits();
}

}  // namespace openbell
