// The rules of one instrument, as the configuration gives them. Tick tables: tick_rule.h.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "exchange/matching/order_terms.h"
#include "exchange/matching/tick_rule.h"

namespace openbell::exchange {

inline constexpr std::size_t kTickStepsMax = 8;
inline constexpr i64 kBps = 10'000;              // basis points of everything
inline constexpr i64 kQtyMax = 100'000'000'000;  // keeps sums over all orders within 64 bits

enum class Allocation : u8 { Fifo, ProRata };

struct ProRataRules {
    bool grants_top = false;
    i64 fifo_percent = 0;    // of what TOP leaves
    i64 min_allocation = 1;  // smaller shares go to the time pass
};

struct InstrumentRules {
    std::string symbol;               // up to 8 characters
    std::vector<TickStep> ticks{{}};  // ascending; the first from 0
    i64 lot = 1;                      // quantities are multiples
    u32 round_lot = 100;              // told on the feed
    i64 qty_max = 999'999;            // of one order
    i64 listed_px = 0;                // reference before the first trade; 0: none
    i64 limit_collar_bps = 0;         // 0: off
    i64 market_collar_bps = 0;        // 0: off
    Allocation allocation = Allocation::Fifo;
    ProRataRules pro_rata{};

    // The tick that holds at px.
    i64 tick_at(i64 px) const { return exchange::tick_at(ticks, px); }
};

// Throws Config for rules that cannot be.
void check(const InstrumentRules& rules);

}  // namespace openbell::exchange
