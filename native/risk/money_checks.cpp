#include "risk/money_checks.h"

#include <algorithm>

#include "risk/tightest.h"

namespace openbell {
namespace {

using enum LimitKind;

// What the limits of one row are compared with; 0 where the order leaves it as it is.
struct Asked {
    i64 gross, net, margin, loss, drawdown;
};

Asked asked_of(const Accounts& accounts, u16 row, const Order& o, i128 added, bool reduces) {
    const Worst w = accounts.worst(row, o.instrument, Side(o.side), added);
    const i64 lost = clamp_money(std::max<i128>(0, -i128(accounts.day_result(row))));
    return {w.is_more ? w.gross : 0, w.net, w.is_more ? w.margin : 0, reduces ? 0 : lost,
            reduces ? 0 : accounts.drawdown(row)};
}

// Nothing of the order nets with what is held and open, and it still has room: what nearly every order is.
bool has_room(const Order& o, const MoneyView& view, const Bounds& bounds, const LimitTable& limits,
              const OrderRows& rows) {
    const auto fits = [&](u16 row, const MoneyBounds& most) {
        return view.accounts.has_room(row, o.instrument, Side(o.side), view.added, view.scale, most);
    };
    if (!fits(kNoStrategy, bounds.money)) return false;
    return !bounds.has_money_of_strategy ||
           fits(o.strategy, money_bounds_of(limits, rows, scope_bit(LimitScope::Strategy)));
}

}  // namespace

Verdict check_money(const Order& o, const MoneyView& view, const Bounds& bounds, const LimitTable& limits,
                    const OrderRows& rows) {
    // What has no rate counts nothing in the sums: they are too small to be compared with what an order opens.
    const bool only_reduces = view.account_reduces && view.strategy_reduces;
    if (!only_reduces && !view.accounts.is_priced(kNoStrategy)) return {Reason::NoConversion, 1, 0};
    if (has_room(o, view, bounds, limits, rows)) return {};
    // One account trades, so the firm's row is the account's.
    const Asked account = asked_of(view.accounts, kNoStrategy, o, view.added, view.account_reduces);
    const Asked strategy = asked_of(view.accounts, o.strategy, o, view.added, view.strategy_reduces);
    const auto refusal = [&](Reason reason, LimitKind kind, i64 Asked::* figure) {
        return tightest_refusal(reason, kind, limits, rows, [&](LimitScope scope, const LimitRow&) {
            return (scope == LimitScope::Strategy ? strategy : account).*figure;
        });
    };
    if (const Verdict v = refusal(Reason::GrossNotional, GrossNotional, &Asked::gross); !v.passes()) return v;
    if (const Verdict v = refusal(Reason::NetNotional, NetNotional, &Asked::net); !v.passes()) return v;
    if (const Verdict v = refusal(Reason::Margin, Margin, &Asked::margin); !v.passes()) return v;
    if (const Verdict v = refusal(Reason::DailyLoss, DailyLoss, &Asked::loss); !v.passes()) return v;
    return refusal(Reason::Drawdown, Drawdown, &Asked::drawdown);
}

}  // namespace openbell
