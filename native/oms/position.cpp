#include "oms/position.h"

namespace openbell {
namespace {

i64 magnitude(i64 v) { return v < 0 ? -v : v; }

// cost x part / whole, truncated toward zero, without the product overflowing.
i128 share_of(i128 cost, i64 part, i64 whole) {
    const i128 each = cost / whole;
    const i128 rest = cost % whole;
    return each * part + rest * part / whole;
}

}  // namespace

void Position::apply_fill(Side side, i64 px, i64 fill_qty, i64 fee) {
    fees += fee;
    trade(px, side == Side::Buy ? fill_qty : -fill_qty);
    (side == Side::Buy ? buys : sells) += fill_qty;
    fills += 1;
}

void Position::reverse_fill(Side side, i64 px, i64 fill_qty, i64 fee) {
    fees -= fee;
    trade(px, side == Side::Buy ? -fill_qty : fill_qty);
    (side == Side::Buy ? buys : sells) -= fill_qty;
    fills -= 1;
}

void Position::adjust(i64 px, i64 signed_qty, i64 given) {
    fees -= given;
    trade(px, signed_qty);
    (signed_qty > 0 ? buys : sells) += magnitude(signed_qty);
    fills += 1;
}

void Position::trade(i64 px, i64 signed_qty) {
    cash -= i128(px) * signed_qty;
    const bool reduces = (qty > 0 && signed_qty < 0) || (qty < 0 && signed_qty > 0);
    i64 closed = 0;  // signed as the trade
    if (reduces) {
        const i64 lots = magnitude(signed_qty) < magnitude(qty) ? magnitude(signed_qty) : magnitude(qty);
        closed = signed_qty < 0 ? -lots : lots;
        const i128 cost_out = share_of(cost, lots, magnitude(qty));
        cost -= cost_out;
        realized += -i128(px) * closed - cost_out;
    }
    cost += i128(px) * (signed_qty - closed);
    qty += signed_qty;
}

}  // namespace openbell
