// Pre-trade risk: may this new order or replace reach a venue? Cancels are exempt by type and never come here.
//
// It fails closed: not armed, no limits, an unknown state, an invalid book or a missing reference refuse. Two
// scopes are checked, the account (limits with strategy kNoStrategy, required) and the strategy (if set); a
// limit of zero allows zero. Every refusal names the limit and what was observed; docs/refusals.md explains
// each code. The collar is compared without dividing, and nothing can overflow.
#pragma once

#include <vector>

#include "book/books.h"
#include "oms/exposure.h"
#include "risk/arming.h"
#include "state.h"

namespace openbell {

struct RiskView {
    const Instrument* instrument;  // null = unknown
    const Touch& touch;            // the live reference
    bool book_valid;
    TradingState trading;
    Exposure account;  // before this command; for a replace the old leaves are in it
    Exposure strategy;
};

class Risk {
  public:
    struct Verdict {
        Reason reason;  // None = pass
        i64 limit;      // refused: what was allowed, what was found; units by reason, saturated to int64
        i64 observed;
    };

    Risk(u32 strategies_max, u32 instruments_max);

    // False if the strategy or instrument does not fit the capacity; nothing changed then.
    bool set_limits(const Limits&);
    Arming& arming() { return arming_; }
    const Arming& arming() const { return arming_; }
    // Of the node as a whole.
    ArmState armed() const { return arming_.armed_of({}); }
    KillLevel killed() const { return arming_.killed_of({}); }
    // Version of the limits in force, 0 if none are set (a set of version 0 counts as set).
    u32 limits_version(u16 strategy, u32 instrument) const;
    bool has_limits(u16 strategy, u32 instrument) const;

    // `candidate`: NewOrder, or ReplaceOrder with qty the total of the chain, executed shares included, and
    // prev_qty = executed + still open of what it replaces. `leaves_after` is what will be open at the venue.
    Verdict check(const Order& candidate, i64 leaves_after, const RiskView&) const;

    void save(StateWriter&) const;
    void load(StateReader&);

  private:
    struct Scope {  // the limits of one (strategy, instrument); the last row is the account
        i64 order_qty_max, order_notional_max, position_max, collar_bps, open_orders_max;
        u32 version;
        u32 is_set;
    };

    Verdict check_gate(const Order&) const;
    Verdict check_reduces(const Order&, i64 leaves_after, i64 open_before, const RiskView&) const;
    Verdict check_market(const Order&, const RiskView&) const;
    Verdict check_order(const Order&, i64 leaves_after, const Instrument&) const;
    const Scope* scope(u16 strategy, u32 instrument) const;

    u32 strategies_max_;
    u32 instruments_max_;
    Arming arming_;
    std::vector<Scope> scopes_;
};

}  // namespace openbell
