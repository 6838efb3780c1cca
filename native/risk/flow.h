// What was sent and executed lately: rates, equal orders, repeated executions, orders for each trade.
//
// Everything is counted for the rows that have such a limit, from the records that the engine decides and hears, so
// a replay counts the same. A limit that is set again with the same window goes on with what was counted.
#pragma once

#include <vector>

#include "risk/keyed_windows.h"
#include "risk/limits.h"
#include "risk/verdict.h"

namespace openbell {

class Flow {
  public:
    Flow(const LimitTable& limits, u32 strategies_max);

    // May this new order or replace be sent, for all that was sent before?
    Verdict check(const Order&, const OrderRows&, u32 kinds, i64 now) const;

    void prefetch(u32 row) const {
        __builtin_prefetch(&rows_[row].orders);
        __builtin_prefetch(&rows_[row].messages);
        __builtin_prefetch(&rows_[row].orders_today);
    }
    void on_limit(u32 row, LimitKind);                // a limit of that row was set
    void forget(u32 row) { rows_[row] = {}; }         // the row is of nobody now
    void on_command(const Order&, const OrderRows&);  // it will be sent; cancels are messages too
    // True: it was one execution too many, and from here on the strategy is latched.
    bool on_fill(u16 account, u16 strategy, u32 instrument, Side, const OrderRows&, i64 now);
    void on_trading_day(i64 date);  // orders and trades of another day are counted anew

    bool is_latched(u16 strategy) const { return latched_[strategy].kind != 0; }  // of one that is known
    void release(u16 strategy);  // a person looked; kNoStrategy: at all of them

    void save(StateWriter&) const;
    void load(StateReader&);

  private:
    friend class RiskBench;
    struct alignas(64) Row {
        Window orders, messages;
        i64 orders_today = 0;
        i64 trades_today = 0;
        i64 pad[6] = {};
    };
    struct Latch {
        i64 limit, observed;
        u8 scope, kind;
        u8 pad[6];
    };

    Verdict check_duplicates(const Order&, const OrderRows&, i64 now) const;
    Verdict check_rate(Reason, LimitKind, const OrderRows&, i64 now) const;
    Verdict check_orders_per_trade(const OrderRows&) const;
    bool latch(u64 key, u16 strategy, LimitScope, const LimitRow&, i64 now);

    const LimitTable& limits_;
    std::vector<Row> rows_;  // as those of the limits
    std::vector<Latch> latched_;
    KeyedWindows seen_;
    i64 today_ = 0;
};

}  // namespace openbell
