#include "risk/money_checks.h"

#include <algorithm>

#include "risk/tightest.h"

namespace openbell {
namespace {

using enum LimitKind;

// Whose row a scope asks: one account trades, so the firm's is the account's.
u16 row_of(LimitScope scope, const Order& o) { return scope == LimitScope::Strategy ? o.strategy : kNoStrategy; }

Verdict check_bound(const Order& o, const MoneyView& view, const LimitTable& limits, const OrderRows& rows) {
    const Side side{o.side};
    const Worst account = view.accounts.worst(kNoStrategy, o.instrument, side, view.added);
    const Worst strategy = view.accounts.worst(o.strategy, o.instrument, side, view.added);
    const auto of = [&](LimitScope scope) -> const Worst& {
        return scope == LimitScope::Strategy ? strategy : account;
    };
    const auto refusal = [&](Reason reason, LimitKind kind, auto&& observed) {
        return tightest_refusal(reason, kind, limits, rows,
                                [&](LimitScope scope, const LimitRow&) { return observed(of(scope)); });
    };
    if (const Verdict v =
            refusal(Reason::GrossNotional, GrossNotional, [](const Worst& w) { return w.is_more ? w.gross : 0; });
        !v.passes())
        return v;
    if (const Verdict v = refusal(Reason::NetNotional, NetNotional, [](const Worst& w) { return w.net; }); !v.passes())
        return v;
    return refusal(Reason::Margin, Margin, [](const Worst& w) { return w.is_more ? w.margin : 0; });
}

Verdict check_result(const Order& o, const MoneyView& view, const LimitTable& limits, const OrderRows& rows) {
    const auto refusal = [&](Reason reason, LimitKind kind, auto&& lost) {
        return tightest_refusal(reason, kind, limits, rows, [&](LimitScope scope, const LimitRow&) -> i64 {
            const bool reduces = scope == LimitScope::Strategy ? view.strategy_reduces : view.account_reduces;
            return reduces ? 0 : lost(row_of(scope, o));
        });
    };
    const Accounts& accounts = view.accounts;
    const Verdict lost = refusal(Reason::DailyLoss, DailyLoss, [&](u16 row) {
        return clamp_money(std::max<i128>(0, -i128(accounts.day_result(row))));
    });
    if (!lost.passes()) return lost;
    return refusal(Reason::Drawdown, Drawdown, [&](u16 row) { return accounts.drawdown(row); });
}

}  // namespace

Verdict check_money(const Order& o, const MoneyView& view, const LimitTable& limits, const OrderRows& rows, u32 kinds) {
    // What has no rate counts nothing in the sums: they are too small to be compared.
    if (!view.accounts.is_priced(kNoStrategy)) return {Reason::NoConversion, 1, 0};
    constexpr u32 kBoundKinds = bit_of(GrossNotional) | bit_of(NetNotional) | bit_of(Margin);
    if (kinds & kBoundKinds) {
        if (const Verdict v = check_bound(o, view, limits, rows); !v.passes()) return v;
    }
    if (kinds & (bit_of(DailyLoss) | bit_of(Drawdown))) return check_result(o, view, limits, rows);
    return {};
}

}  // namespace openbell
