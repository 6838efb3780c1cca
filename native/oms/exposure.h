// What may become position: the position and every open order at its worst case.
#pragma once

#include "records.h"

namespace openbell {

// Larger prices or quantities are refused before they are tracked, so that no sum of them can overflow:
// 2^44 lots x 2^18 orders < 2^63 and 2^48 x 2^44 x 2^35 fills = 2^127.
inline constexpr i64 kPxMax = i64(1) << 48;
inline constexpr i64 kQtyMax = i64(1) << 44;

// Quantities in lots. An order in doubt is open; a pending replace counts the larger of both leaves (I7, I8).
struct Exposure {
    i64 position;
    i64 open_buy;
    i64 open_sell;
    i64 orders;
};

// Price x quantity of the open orders, each at its worst.
struct OpenValue {
    i128 buy;
    i128 sell;
};

}  // namespace openbell
