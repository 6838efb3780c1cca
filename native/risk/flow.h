// What was sent and executed lately: rates, equal orders, repeated executions, orders for each trade.
//
// Everything is counted for the rows that have such a limit, from the records that the engine decides and hears, so
// a replay counts the same. A limit that is set again with the same window goes on with what was counted. What every
// order asks of a row stands in its first line, counts as they were when they last grew: they are never too small, and
// only where they leave no room the windows are asked what has left them since.
#pragma once

#include <vector>

#include "risk/bounds.h"
#include "risk/keyed_windows.h"
#include "risk/verdict.h"

namespace openbell {

class Flow {
  public:
    Flow(const LimitTable& limits, u32 strategies_max);

    // May this new order or replace of a known strategy be sent, for all that was sent before?
    Verdict check(const Order&, const Bounds&, const OrderRows&, u64 equals, i64 now) const;
    // By what its equals are counted, where one window does for every scope.
    u64 key_of_equals(const Order&, const Bounds&) const;

    void prefetch(u32 row) const { __builtin_prefetch(&rows_[row]); }
    void prefetch_equals(u64 key) const { seen_.prefetch(key); }
    void on_limit(u32 row, LimitKind);                                 // a limit of that row was set or removed
    void on_limits();                                                  // any of any row may have been
    void forget(u32 row);                                              // it is of nobody now
    void on_command(const Order&, const Bounds&, const OrderRows&);    // it will be sent; cancels are messages too
    void on_withdrawn(const Order&, const Bounds&, const OrderRows&);  // it will not be, after all; in the same frame
    // True: it was one execution too many, and from here on the strategy is latched.
    bool on_fill(u16 account, u16 strategy, u32 instrument, Side, const OrderRows&, i64 now);
    void on_trading_day(i64 date);  // orders and trades of another day are counted anew

    bool is_latched(u16 strategy) const { return row_of(strategy).latched_kind != 0; }  // of one that is known
    void release(u16 strategy);  // a person looked; kNoStrategy: at all of them

    void save(StateWriter&) const;
    void load(StateReader&);

  private:
    friend class RiskBench;
    struct alignas(64) Row {
        u32 orders, orders_most;      // in the window; without a limit anything is allowed
        u32 messages, messages_most;  // without the reserve
        i64 orders_today, orders_today_most;
        i64 trades_today;
        i64 latched_limit, latched_observed;  // of a strategy
        u8 latched_scope, latched_kind;
        u8 counted;  // bits of what this row has a limit of: kOrders ...
        u8 pad[5];
        Window order_times, message_times;

        bool has_room() const {
            return orders < orders_most && messages < messages_most && orders_today < orders_today_most;
        }
    };
    static_assert(sizeof(Row) == 192);
    static constexpr u8 kOrders = 1, kMessages = 2, kToday = 4, kRepeats = 8;

    void count(const Order&, const Bounds&, const OrderRows&, u32 by);
    Verdict check_duplicates(const Order&, const OrderRows&, i64 now) const;
    Verdict check_rate(Reason, LimitKind, const OrderRows&, i64 now) const;
    Verdict check_orders_per_trade(const OrderRows&) const;
    bool is_first_window(LimitKind, const OrderRows&, u32 scope) const;
    void settle(u32 row);
    void settle_today(Row&, const LimitRow&);
    Row& row_of(u16 strategy) { return rows_[limits_.row_of_strategy(strategy)]; }
    const Row& row_of(u16 strategy) const { return rows_[limits_.row_of_strategy(strategy)]; }

    const LimitTable& limits_;
    u32 strategies_max_;
    std::vector<Row> rows_;  // as those of the limits
    KeyedWindows seen_;
    i64 today_ = 0;
};

}  // namespace openbell
