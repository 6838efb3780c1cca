// What everything is worth: result, exposure and margin of the account and of each strategy, in money of the base
// currency. Explained in docs/money.md.
//
// Derived from the OMS and the marks, never kept beside them: of each (strategy, instrument) the exact integers become
// money once, rounded against us, and a row is the sum of its instruments. A report, a command or a touch changes
// the instruments concerned and nothing else. The last row is the account, with positions netted over strategies.
#pragma once

#include <vector>

#include "money.h"
#include "oms/oms.h"

namespace openbell {

inline constexpr i64 kWholeBps = 10'000;

// A row's money. Profit is positive; gross, net and margin are what is bound at worst.
struct Totals {
    i64 realized;
    i64 unrealized;  // at what closing would bring: long at the bid, short at the ask
    i64 fees;
    i64 day;       // result since the day began: all three, less what they were then
    i64 peak;      // the day's best result, 0 at its start
    i64 drawdown;  // how far below the peak
    i64 gross;     // the sum over instruments of the larger side, with every open order of that side filled
    i64 net;       // long less short with every open order of one side filled, the side where that is more
    i64 margin;    // what gross binds
    u32 doubtful;  // instruments held whose mark is not of now
    u32 unpriced;  // instruments traded whose currency has no rate: they count 0 here, and nothing may be opened
};

struct Earned {
    i64 realized, unrealized, fees;
};

// What limits of exposure compare: as it would be with more open on one side.
struct Worst {
    i64 gross;
    i64 net;  // the side's: if everything open on it were filled
    i64 margin;
    bool is_more;  // gross grows by it; if not, the order binds nothing that was free
};

// The most that may be bound or lost; kMoneyMax: anything.
struct MoneyBounds {
    i64 gross, net, margin, loss, drawdown;
};

class Accounts {
  public:
    explicit Accounts(const Oms& oms);

    // Position or open orders of a strategy in an instrument may have changed: after every command and report.
    void refresh(u16 strategy, u32 instrument);
    // The touch as the frame left it; of a side that shows nothing to trust (0) what was known stays, in doubt.
    void mark(u32 instrument, i64 bid_px, i64 ask_px);
    // Money of its prices, and of 1e-4 of its currency.
    void set_scale(u32 instrument, const MoneyScale& scale, const MoneyScale& fee_scale);
    void set_margin_bps(u32 instrument, i64 bps);  // as long as nothing is said: 10 000, all of it
    void clear_margins();
    // A trading day begins, if it is later than the one there is: results count from here.
    void start_day(i64 yyyymmdd);
    // Once the frame's records are in: peaks.
    bool settle();  // whether any result may have changed

    Totals totals(u16 strategy) const;  // kNoStrategy: the account
    // Realized, unrealized, fees of a row in one instrument.
    Earned earned(u16 strategy, u32 instrument) const;
    i64 day() const { return day_; }
    i64 day_result(u16 strategy) const { return rows_[row_of(strategy)].result; }
    i64 drawdown(u16 strategy) const;
    i64 position(u16 strategy, u32 instrument) const { return oms_.position(strategy, instrument).qty; }
    bool is_priced(u16 strategy) const { return rows_[row_of(strategy)].unpriced == 0; }

    // With `value` (price x quantity) more open on that side of an instrument: the row, and the instrument in it.
    Worst worst(u16 strategy, u32 instrument, Side side, i128 value) const;
    Worst worst_of_instrument(u16 strategy, u32 instrument, Side side, i128 value) const;
    // Whether the row stays within bounds even if nothing of the value nets; not: ask `worst`. `scale`: the
    // instrument's.
    bool has_room(u16 strategy, u32 instrument, Side side, i128 value, const MoneyScale& scale,
                  const MoneyBounds& most) const;

    void save(StateWriter&) const;
    void load(StateReader&);  // after the OMS and the scales

  private:
    friend class RiskBench;
    // What one instrument binds.
    struct Bound {
        i64 gross, margin;
        i64 if_bought, if_sold;  // long less short, short less long, with every open order of the side filled
    };
    // What one instrument adds to a row.
    struct Share {
        i64 realized, unrealized, fees;
        Bound bound;
        u32 next;  // row that trades the same instrument
        u8 is_listed, is_doubtful, is_unpriced, pad;
    };
    static_assert(sizeof(Share) == 64);
    struct alignas(64) Row {
        i128 gross, if_bought, if_sold;  // first what every order asks
        i64 result;                      // of the day
        u32 doubtful, unpriced;
        i128 margin;
        i128 realized, unrealized, fees;
        i128 day_base;
        i64 peak;
        bool is_dirty;
    };
    struct Mark {
        i64 bid_px = 0, ask_px = 0;  // as last known, 0 = never
        i64 margin_bps = kWholeBps;
        u8 has_bid = 0, has_ask = 0;  // now
        u8 pad[6] = {};
    };
    static_assert(sizeof(Mark) == 32);
    static constexpr u32 kNone = 0xFFFF'FFFF;

    std::size_t row_of(u16 strategy) const { return strategy < strategies_max_ ? strategy : strategies_max_; }
    u16 strategy_of(std::size_t row) const { return row == strategies_max_ ? kNoStrategy : u16(row); }
    Share& share(std::size_t row, u32 instrument) { return shares_[row * instruments_max_ + instrument]; }
    const Share& share(std::size_t row, u32 instrument) const { return shares_[row * instruments_max_ + instrument]; }

    void set_dirty(std::size_t row);
    void update(std::size_t row, u32 instrument);
    void update_all(u32 instrument);
    Share share_of(std::size_t row, u32 instrument) const;
    Bound bound_of(std::size_t row, u32 instrument, Side side, i128 value) const;
    static i128 value_held(const Position& position, const Mark& mark);
    static void add(Row& row, const Share& share, int sign);
    static i64 result_of(const Row& row);

    const Oms& oms_;
    u32 strategies_max_;
    u32 instruments_max_;
    i64 day_ = 0;
    std::vector<Row> rows_;
    std::vector<Share> shares_;
    std::vector<u32> first_;  // by instrument: the first row that trades it
    std::vector<Mark> marks_;
    std::vector<MoneyScale> scales_;
    std::vector<MoneyScale> fee_scales_;
    std::vector<u32> dirty_;  // rows
};

}  // namespace openbell
