// How one report changes one order: pure functions of the order and the report.
#pragma once

#include "oms/oms.h"

namespace openbell {

// Live: state, prev_state and pending follow from what is confirmed and what is in flight.
void settle(LiveOrder&);
void end_order(LiveOrder&, OrderState terminal);
// The venue spoke of `version`: what that proves about what is in flight. False if it was never commanded.
bool confirm_version(LiveOrder&, u32 version);
void withdraw(LiveOrder&, u8 bit);  // a command that took no effect
// It is about a version that another has replaced; version 0 names none.
constexpr bool is_of_older(const LiveOrder& o, const Report& r) { return r.version != 0 && r.version < o.version; }

Applied::Kind apply_accepted(LiveOrder&, const Report&);
Applied::Kind apply_rejected(LiveOrder&, const Report&);
Applied::Kind apply_replaced(LiveOrder&, const Report&);
Applied::Kind apply_canceled(LiveOrder&, const Report&);
Applied::Kind apply_cancel_rejected(LiveOrder&, const Report&);
Applied::Kind apply_expired(LiveOrder&, const Report&);
Applied::Kind apply_sent(LiveOrder&, const Report&);
Applied::Kind apply_not_sent(LiveOrder&, const Report&);

}  // namespace openbell
