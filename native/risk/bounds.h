// What an order of one strategy in one instrument has to stay within, its scopes taken together.
//
// Scopes that compare the same number make one bound, the smallest of their limits: an order within it passes all of
// them, and only one beyond it asks the rows which of them refuses. Bounds are drawn up by the first order that is
// asked after the limits changed, so that every other order of the pair reads three lines and no row of limits.
#pragma once

#include <vector>

#include "oms/accounts.h"
#include "risk/limits.h"

namespace openbell {

struct alignas(64) Bounds {
    // Whose numbers are compared.
    static constexpr u32 kAccount = 0, kStrategy = 1;
    // Whose orders are counted.
    static constexpr u32 kNode = 0, kOfStrategy = 1, kOfInstrument = 2, kOfPair = 3;

    u64 key;         // account, strategy, instrument
    u32 generation;  // of the limits they were drawn up from; 0 = never
    u32 kinds;       // bits of those that any scope limits
    u32 pair_row;    // of the strategy in the instrument
    u8 permitted[2];
    bool is_complete;            // the strategy is known, every limit that must be there is, and all could be taken
    bool has_money_of_strategy;  // it has limits of sums of its own
    i64 order_qty;
    i64 order_notional;
    i64 collar_bps;
    i64 book_age;
    i64 drift_bps;

    i64 held[2][2];      // by side (buy, sell)
    i64 open_orders[4];  // allowed with the new one: by whose

    i64 duplicates;
    i64 duplicates_window_ns;  // 0: none, or scopes count over windows of their own
    MoneyBounds money;         // of the account and the firm
};
static_assert(sizeof(Bounds) == 192 && offsetof(Bounds, held) == 64 && offsetof(Bounds, duplicates) == 128);

inline constexpr u32 kMoneyKinds = bit_of(LimitKind::GrossNotional) | bit_of(LimitKind::NetNotional) |
                                   bit_of(LimitKind::Margin) | bit_of(LimitKind::DailyLoss) |
                                   bit_of(LimitKind::Drawdown);
// Of what the rows in `from` (bits by number) allow together.
MoneyBounds money_bounds_of(const LimitTable&, const OrderRows&, u32 from);

class BoundsTable {
  public:
    BoundsTable(const LimitTable& limits, u32 strategies_max, u32 instruments_max);

    // Stays as it is until the next call.
    const Bounds& of(const Order& o) {
        Bounds& known = bounds_[place_of(o)];
        if (known.key != key_of(o) || known.generation != limits_.generation()) draw(known, o);
        return known;
    }
    void prefetch(const Order& o) const {
        const char* at = reinterpret_cast<const char*>(&bounds_[place_of(o)]);
        for (std::size_t line = 0; line < sizeof(Bounds); line += 64) __builtin_prefetch(at + line);
    }

  private:
    friend class RiskBench;
    static constexpr std::size_t kPairsMax = 1 << 14;  // with more of them, some take the place of others

    static u64 key_of(const Order& o) { return u64(o.account) << 48 | u64(o.strategy) << 32 | o.instrument; }
    std::size_t place_of(const Order& o) const {
        return (std::size_t(o.strategy) * instruments_max_ + o.instrument) & (bounds_.size() - 1);
    }
    void draw(Bounds&, const Order&) const;

    const LimitTable& limits_;
    u32 strategies_max_, instruments_max_;
    std::vector<Bounds> bounds_;
};

}  // namespace openbell
