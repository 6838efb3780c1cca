// What limits of exposure, margin and loss say of one order: the last checks, in money (oms/accounts.h).
#pragma once

#include "oms/accounts.h"
#include "risk/bounds.h"
#include "risk/verdict.h"

namespace openbell {

// What an order adds to what is open on its side, and whether it could leave the scope further from flat.
struct MoneyView {
    const Accounts& accounts;
    const MoneyScale& scale;  // of its instrument, as the accounts have it
    i128 added;               // price x quantity, beyond what is open of what it replaces
    bool account_reduces, strategy_reduces;
};

// An order that binds nothing more passes a full limit, and one that only reduces passes a loss: closing is never
// refused for having lost.
Verdict check_money(const Order&, const MoneyView&, const Bounds&, const LimitTable&, const OrderRows&);

}  // namespace openbell
