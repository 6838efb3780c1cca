// Position and profit of one strategy in one instrument, in exact integers at average cost.
//
// Money is in px units x qty units (multiplier not applied). Always: cash == realized - cost, so the total
// profit at a mark, realized + unrealized(mark) = cash + qty x mark, carries no rounding at all. Rounding
// exists only in how a partial close splits cost: the closed part takes cost x closed / |qty|, truncated
// toward zero, and the remainder stays with the open part until it is closed too.
#pragma once

#include "oms/exposure.h"

namespace openbell {

struct Position {
    i64 qty;    // signed lots: the sum of signed fills and adjustments (I12)
    i64 buys;   // lots bought
    i64 sells;  // lots sold
    i64 fills;  // executions and adjustments counted
    i128 cash;  // -sum(px x signed qty)
    i128 cost;  // signed cost of the open position; negative (proceeds) when short
    i128 realized;
    i128 fees;  // paid for its fills, less what adjustments gave, in 1e-4 of the currency; not part of cash or realized

    void apply_fill(Side side, i64 px, i64 fill_qty, i64 fee);
    // A bust: the opposite trade at the same price. Quantity, cash and fees are as if the fill never was; realized
    // profit is that of the opposite trade, because average cost depends on the order of trades.
    void reverse_fill(Side side, i64 px, i64 fill_qty, i64 fee);
    // What a person says was traded and nobody told us: signed lots without a fee, or an amount `given` (negative:
    // taken) in 1e-4 of the currency, or both.
    void adjust(i64 px, i64 signed_qty, i64 given);
    i128 unrealized(i64 mark) const { return i128(qty) * mark - cost; }

  private:
    void trade(i64 px, i64 signed_qty);
};
static_assert(sizeof(Position) == 96);

}  // namespace openbell
