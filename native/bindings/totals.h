// A row's money as Python sees it.
#pragma once

#include <nanobind/nanobind.h>

#include "oms/accounts.h"

namespace openbell::orders {

inline nanobind::dict totals_of(const Accounts& accounts, u16 strategy) {
    const Totals t = accounts.totals(strategy);
    nanobind::dict out;
    out["realized"] = t.realized;
    out["unrealized"] = t.unrealized;
    out["fees"] = t.fees;
    out["day"] = t.day;
    out["peak"] = t.peak;
    out["drawdown"] = t.drawdown;
    out["gross"] = t.gross;
    out["net"] = t.net;
    out["margin"] = t.margin;
    out["doubtful"] = t.doubtful;
    out["unpriced"] = t.unpriced;
    return out;
}

}  // namespace openbell::orders
