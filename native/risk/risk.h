// Pre-trade risk: may this new order or replace reach a venue? Cancels are exempt by type and never come here.
//
// It fails closed: not armed, no limits, an unknown state, an invalid book or a missing reference refuse. An order
// passes every scope it belongs to that has the limit (risk/limits.h); of those that refuse, the tightest is named. A
// limit of zero allows zero. Every refusal names the limit and what was observed; docs/refusals.md explains each code
// in the order in which they are asked. What passes is compared with the bounds that its scopes make together
// (risk/bounds.h), without dividing; only what they refuse is compared with each scope, to name it. Nothing can
// overflow.
#pragma once

#include <vector>

#include "book/books.h"
#include "money.h"
#include "oms/accounts.h"
#include "oms/exposure.h"
#include "risk/arming.h"
#include "risk/bounds.h"
#include "risk/drift.h"
#include "risk/flow.h"
#include "risk/limits.h"
#include "risk/verdict.h"
#include "state.h"

namespace openbell {

struct RiskView {
    const Instrument* instrument;  // null = unknown
    const Touch& touch;            // the live reference
    bool book_valid;
    TradingState trading;
    Exposure account;  // before this command; for a replace the old leaves are in it
    Exposure strategy;
    MoneyScale money;  // of the instrument
    i64 now_ns;
    i64 heard_ns;         // when the feed of the instrument last said anything
    i64 orders;           // open, of the whole account
    i64 strategy_orders;  // open, of the strategy
    i64 own_px;           // of an order of ours that this one would meet; 0 = none
    const Accounts& accounts;
};

class Risk {
  public:
    Risk(u32 strategies_max, u32 instruments_max, u32 pairs_max);
    Risk(const Risk&) = delete;  // its parts know each other
    Risk& operator=(const Risk&) = delete;

    // False: it was not taken, and nothing passes until the limits are given anew.
    bool set_limit(const Limit&);
    void clear_limits();                                             // a latched strategy stays latched
    void release_repeats(u16 strategy) { flow_.release(strategy); }  // kNoStrategy: all

    // What the checks over time are told.
    void on_command(const Order&);
    void on_withdrawn(const Order&);  // what was told in this frame will not be sent
    bool on_fill(u16 account, u16 strategy, u32 instrument, Side, i64 now);  // true: the strategy is latched by it
    void on_touch(u32 instrument, const Touch&, i64 now);
    void on_trading_day(i64 date) { flow_.on_trading_day(date); }

    Arming& arming() { return arming_; }
    const Arming& arming() const { return arming_; }
    // Of the node as a whole.
    ArmState armed() const { return arming_.armed_of({}); }
    KillLevel killed() const { return arming_.killed_of({}); }
    bool is_latched(u16 strategy) const { return flow_.is_latched(strategy); }
    const LimitTable& limits() const { return limits_; }

    // `candidate`: NewOrder, or ReplaceOrder with qty the total of the chain, executed shares included, and prev_qty =
    // executed + still open of what it replaces. `leaves_qty` is what will be open at the venue.
    Verdict check(const Order& candidate, const RiskView&);
    // Calls what `check` will read of this order, by whoever has something else to do meanwhile.
    void prefetch(const Order&) const;

    void save(StateWriter&) const;
    void load(StateReader&);

  private:
    friend class RiskBench;  // puts all of it out of the caches
    Verdict check_gate(const Order&) const;
    Verdict check_reduces(const Order&, i64 added, const RiskView&) const;
    struct Asked;
    Verdict check_permission(const Asked&) const;
    Verdict check_known(const Asked&) const;
    Verdict check_market(const Asked&) const;
    Verdict check_form(const Asked&) const;
    Verdict check_size(const Asked&, bool is_limited) const;
    Verdict check_px(const Asked&) const;
    Verdict check_drift(const Asked&) const;
    Verdict check_held(const Asked&) const;

    u32 strategies_max_;
    u32 instruments_max_;
    Arming arming_;
    LimitTable limits_;
    BoundsTable bounds_;
    Flow flow_;
    std::vector<DriftHistory> drift_;
};

}  // namespace openbell
