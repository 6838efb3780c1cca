// How a pro-rata level is shared out: a pure function. Rules: docs/rulebook.md, Pro-rata.
#pragma once

#include <algorithm>
#include <optional>
#include <span>

#include "exchange/matching/instrument_rules.h"

namespace openbell::exchange {

// `open` holds the open quantities of the level's orders in time order, more than `qty` together; afterwards, what each
// of them is filled. `top` is the order that is filled first, if any.
inline void share_out(i64 qty, std::span<i64> open, std::span<i64> filled, std::optional<std::size_t> top,
                      const ProRataRules& rules) {
    std::fill(filled.begin(), filled.end(), 0);
    const auto fill = [&](std::size_t i, i64 wanted) {
        const i64 got = std::min(wanted, open[i]);
        filled[i] += got;
        open[i] -= got;
        return got;
    };
    const auto in_time = [&](i64 left) {
        for (std::size_t i = 0; i < open.size() && left > 0; ++i) left -= fill(i, left);
    };

    if (top && rules.grants_top) qty -= fill(*top, qty);
    const i64 fifo = i64(i128(qty) * rules.fifo_percent / 100);
    in_time(fifo);
    qty -= fifo;
    i128 all = 0;
    for (i64 o : open) all += o;
    i64 rest = qty;
    for (std::size_t i = 0; i < open.size() && all > 0; ++i) {
        const i64 share = i64(i128(qty) * open[i] / all);
        if (share >= rules.min_allocation) rest -= fill(i, share);
    }
    in_time(rest);
}

}  // namespace openbell::exchange
