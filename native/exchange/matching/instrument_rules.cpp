#include "exchange/matching/instrument_rules.h"

#include "error.h"

namespace openbell::exchange {
namespace {

void require(bool holds, const InstrumentRules& rules, const char* name, const char* expected, i64 found) {
    if (holds) return;
    throw Error(ErrorKind::Config, "instrument '" + rules.symbol + "', " + name + ": expected " + expected +
                                       ", found " + std::to_string(found));
}

void check_ticks(const InstrumentRules& rules) {
    const auto& ticks = rules.ticks;
    require(!ticks.empty() && ticks.size() <= kTickStepsMax, rules, "ticks", "1 to 8 steps", i64(ticks.size()));
    require(ticks.front().from_px == 0, rules, "ticks", "the first step from 0", ticks.front().from_px);
    for (std::size_t i = 0; i < ticks.size(); ++i) {
        const auto [from_px, tick] = ticks[i];
        require(tick > 0 && tick <= kPxMax, rules, "ticks", "a positive tick", tick);
        require(from_px % tick == 0, rules, "ticks", "a step from a multiple of its tick", from_px);
        if (i == 0) continue;
        require(from_px > ticks[i - 1].from_px, rules, "ticks", "ascending steps", from_px);
        require(from_px % ticks[i - 1].tick == 0, rules, "ticks", "a step from a multiple of the tick before", from_px);
    }
}

}  // namespace

void check(const InstrumentRules& rules) {
    check_ticks(rules);
    require(rules.lot > 0, rules, "lot", "1 or more", rules.lot);
    require(rules.qty_max > 0 && rules.qty_max <= kQtyMax, rules, "qty_max", "1 to 100 000 000 000", rules.qty_max);
    require(rules.listed_px >= 0 && rules.listed_px <= kPxMax, rules, "listed_px", "0 or a price", rules.listed_px);
    require(rules.limit_collar_bps >= 0, rules, "limit_collar_bps", "0 or more", rules.limit_collar_bps);
    require(rules.market_collar_bps >= 0, rules, "market_collar_bps", "0 or more", rules.market_collar_bps);
    const ProRataRules& p = rules.pro_rata;
    require(p.fifo_percent >= 0 && p.fifo_percent <= 100, rules, "fifo_percent", "0 to 100", p.fifo_percent);
    require(p.min_allocation >= 0, rules, "min_allocation", "0 or more", p.min_allocation);
}

}  // namespace openbell::exchange
