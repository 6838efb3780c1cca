// What limits of exposure, margin and loss say of one order: the last checks, in money (oms/accounts.h).
#pragma once

#include "oms/accounts.h"
#include "risk/limits.h"
#include "risk/verdict.h"

namespace openbell {

// What an order adds to what is open on its side, and whether it could leave the scope further from flat.
struct MoneyView {
    const Accounts& accounts;
    i128 added;  // price x quantity, beyond what is open of what it replaces
    bool account_reduces, strategy_reduces;
};

inline constexpr u32 kMoneyKinds = bit_of(LimitKind::GrossNotional) | bit_of(LimitKind::NetNotional) |
                                   bit_of(LimitKind::Margin) | bit_of(LimitKind::DailyLoss) |
                                   bit_of(LimitKind::Drawdown);

// An order that binds nothing more passes a full limit, and one that only reduces passes a loss: closing is never
// refused for having lost.
Verdict check_money(const Order&, const MoneyView&, const LimitTable&, const OrderRows&);

}  // namespace openbell
