#include "oms/transitions.h"

#include <algorithm>

namespace openbell {
namespace {

bool is_quantity(i64 v) { return v >= 0 && v <= kQtyMax; }

void clear_bits(LiveOrder& o, u8 bits) {
    o.unsent = u8(o.unsent & ~bits);
    o.in_doubt = u8(o.in_doubt & ~bits);
}

void stop_changing(LiveOrder& o) {
    o.flags = u8(o.flags & ~kChanging);
    o.pending_px = o.pending_qty = 0;
}

void adopt_replace(LiveOrder& o, i64 px, i64 leaves) {
    const i64 total = o.pending_qty;
    clear_bits(o, kNewBit | kReplaceBit);
    stop_changing(o);
    o.version = o.pending_version;
    o.px = px;
    o.leaves_qty = leaves;
    o.qty = std::max(total, o.cum_qty);  // what was taken away from the old version is forgotten with it
}

// A price of 0 is not told.
bool is_worse(const LiveOrder& o, i64 px, i64 asked) {
    return px > 0 && (Side(o.side) == Side::Buy ? px > asked : px < asked);
}

// Against what was asked: its quantity less what is executed, and its price. The order stays as large as was asked, so
// that what is executed beyond it is an Overfill as well.
Applied::Kind confirmed(LiveOrder& o, const Report& r, i64 asked_leaves, i64 asked_px) {
    const bool is_more = r.leaves_qty > std::max<i64>(asked_leaves, 0);
    const bool has_worse_px = is_worse(o, r.px, asked_px);
    if (is_more) o.flags |= kOverfilled;
    if (has_worse_px) o.flags |= kWorsePx;
    return is_more || has_worse_px ? Applied::BeyondAsked : Applied::Done;
}

// A fill came first and says more, unless the venue holds what was not asked: then its word counts, at its worst.
Applied::Kind confirmed_late(LiveOrder& o, const Report& r, i64 executed) {
    const Applied::Kind kind = confirmed(o, r, o.qty, o.px);
    if (!is_live(o) || kind == Applied::Done) return kind;
    if (r.leaves_qty > o.qty) o.leaves_qty = std::max(o.leaves_qty, r.leaves_qty - executed);
    if (is_worse(o, r.px, o.px)) o.px = r.px;
    return kind;
}

bool has_terms(const Report& r) { return is_quantity(r.leaves_qty) && r.px >= 0 && r.px <= kPxMax; }

// A second copy; or the first after a fill that proved it. What of that was executed before the replace is not known,
// so nothing is taken from what the venue says is too much.
Applied::Kind apply_replaced_again(LiveOrder& o, const Report& r) {
    if (r.version != o.version || o.flags & kLeavesTold || !has_terms(r)) return Applied::Duplicate;
    if (confirmed_late(o, r, 0) == Applied::Done) return Applied::Duplicate;
    o.flags |= kLeavesTold;
    return Applied::BeyondAsked;
}

u8 bit_of(Type command) {
    switch (command) {
        case Type::NewOrder: return kNewBit;
        case Type::ReplaceOrder: return kReplaceBit;
        case Type::CancelOrder: return kCancelBit;
        default: return 0;
    }
}

OrderState resting_state(const LiveOrder& o) {
    if (o.version == 0) return OrderState::PendingNew;
    return o.cum_qty > 0 ? OrderState::PartiallyFilled : OrderState::New;
}

}  // namespace

void settle(LiveOrder& o) {
    if (!is_live(o)) return;
    // A cancel of a version the venue does not hold was or will be ignored in silence.
    const bool is_settled = o.version > 0 && !is_changing(o);
    if (o.cancel_version != 0 && is_settled && o.cancel_version != o.version) {
        o.cancel_version = 0;
        clear_bits(o, kCancelBit);
    }
    const OrderState resting = resting_state(o);
    OrderState shown = resting;
    Type pending{};
    if (is_changing(o)) pending = o.pending_version > 1 ? Type::ReplaceOrder : Type::NewOrder;
    if (is_replacing(o)) shown = OrderState::PendingReplace;
    if (o.cancel_version != 0) {
        pending = Type::CancelOrder;
        shown = OrderState::PendingCancel;
    }
    if (o.in_doubt != 0) shown = OrderState::InDoubt;
    o.pending = u8(pending);
    o.state = u8(shown);
    o.prev_state = u8(resting);
}

void end_order(LiveOrder& o, OrderState terminal) {
    stop_changing(o);
    o.flags = u8(o.flags & ~kCancelWanted);
    o.unsent = o.in_doubt = o.pending = 0;
    o.cancel_version = 0;
    o.leaves_qty = 0;
    o.prev_state = o.state;
    o.state = u8(terminal);
}

bool confirm_version(LiveOrder& o, u32 version) {
    if (version > o.pending_version) return false;
    if (!is_live(o)) return true;
    const bool proves_change = is_changing(o) && (version == o.pending_version || (version == 0 && o.version == 0));
    if (!proves_change) return true;
    if (o.pending_version > 1) {
        const i64 leaves = o.pending_qty - o.cum_qty;
        adopt_replace(o, o.pending_px, leaves > 0 ? leaves : 0);
        o.flags = u8(o.flags & ~kLeavesTold);
    } else {
        clear_bits(o, kNewBit);
        stop_changing(o);
        o.version = 1;
    }
    return true;
}

void withdraw(LiveOrder& o, u8 bit) {
    clear_bits(o, bit);
    if (bit == kNewBit) return end_order(o, OrderState::Rejected);
    if (bit == kReplaceBit) return stop_changing(o);
    o.cancel_version = 0;
}

Applied::Kind apply_accepted(LiveOrder& o, const Report& r) {
    if (o.flags & kAckSeen) return Applied::Duplicate;
    if (r.version > 1 || !has_terms(r)) return Applied::Illegal;
    if (OrderState(o.state) == OrderState::Rejected) return Applied::Illegal;  // alive at the venue, dead for us
    o.flags |= kAckSeen;
    o.order_id = r.order_id;
    if (o.version > 1) return Applied::Done;  // what was asked then is replaced
    if (o.version == 1 || !is_live(o)) return confirmed_late(o, r, o.cum_qty);
    confirm_version(o, 1);
    const Applied::Kind kind = confirmed(o, r, o.qty - o.cum_qty, o.px);
    if (r.px > 0) o.px = r.px;
    o.leaves_qty = r.leaves_qty;
    if (r.leaves_qty > 0) {
        o.qty = std::min(o.qty, o.cum_qty + r.leaves_qty);
    } else {
        end_order(o, OrderState::Canceled);  // OUCH: accepted and dead at once, nothing follows
    }
    return kind;
}

Applied::Kind apply_rejected(LiveOrder& o, const Report& r) {
    if (r.version > o.pending_version) return Applied::Illegal;
    if (!is_live(o)) {
        if (r.version > o.version && o.version > 0) return Applied::Ignored;  // of a replace the end overtook
        return OrderState(o.state) == OrderState::Rejected ? Applied::Duplicate : Applied::Illegal;
    }
    const bool names_change = r.version == 0 || r.version == o.pending_version;
    if (!is_changing(o)) return r.version > o.version ? Applied::Duplicate : Applied::Illegal;
    if (!names_change) return r.version > o.version ? Applied::Duplicate : Applied::Illegal;
    withdraw(o, o.pending_version > 1 ? kReplaceBit : kNewBit);
    return Applied::Done;
}

Applied::Kind apply_replaced(LiveOrder& o, const Report& r) {
    if (r.version > o.pending_version || r.version == 0) return Applied::Illegal;
    if (r.version <= o.version) return r.version > 1 ? apply_replaced_again(o, r) : Applied::Illegal;
    if (!is_live(o) || !is_replacing(o) || r.version != o.pending_version) return Applied::Illegal;
    if (!has_terms(r)) return Applied::Illegal;
    const Applied::Kind kind = confirmed(o, r, o.pending_qty - o.cum_qty, o.pending_px);
    adopt_replace(o, r.px > 0 ? r.px : o.pending_px, r.leaves_qty);
    o.flags |= kLeavesTold;
    if (r.order_id != 0) o.order_id = r.order_id;
    if (r.leaves_qty == 0) end_order(o, OrderState::Canceled);
    return kind;
}

Applied::Kind apply_canceled(LiveOrder& o, const Report& r) {
    if (is_of_older(o, r)) return Applied::Ignored;  // the replace gave it back
    if (!is_live(o)) return OrderState(o.state) == OrderState::Canceled ? Applied::Duplicate : Applied::Illegal;
    if (r.version > o.pending_version || r.last_qty <= 0) return Applied::Illegal;
    LiveOrder after = o;
    confirm_version(after, r.version);
    if (r.last_qty > after.leaves_qty) return Applied::Illegal;
    o = after;
    o.leaves_qty -= r.last_qty;
    if (o.leaves_qty == 0) {
        end_order(o, OrderState::Canceled);
    } else if (Reason(r.reason) == Reason::UserCancel) {
        withdraw(o, kCancelBit);  // our cancel is answered, and it did not take all
    }
    return Applied::Done;
}

Applied::Kind apply_cancel_rejected(LiveOrder& o, const Report& r) {
    if (r.version > o.pending_version) return Applied::Illegal;
    if (!is_live(o)) return Applied::Ignored;  // too late to cancel: the usual race
    const bool is_of_replace = Type(r.command) == Type::ReplaceOrder;
    if (!is_of_replace && o.cancel_version != 0) {
        withdraw(o, kCancelBit);
        return Applied::Done;
    }
    if (is_replacing(o) && (r.version == 0 || r.version == o.pending_version)) {
        withdraw(o, kReplaceBit);
        return Applied::Done;
    }
    return Applied::Ignored;
}

Applied::Kind apply_expired(LiveOrder& o, const Report& r) {
    if (!is_live(o)) return OrderState(o.state) == OrderState::Expired ? Applied::Duplicate : Applied::Illegal;
    if (!confirm_version(o, r.version)) return Applied::Illegal;
    end_order(o, OrderState::Expired);
    return Applied::Done;
}

Applied::Kind apply_sent(LiveOrder& o, const Report& r) {
    const u8 bit = bit_of(Type(r.command));
    if (bit == 0) return Applied::Illegal;
    if (!(o.unsent & bit)) return Applied::Ignored;  // the venue's answer was read first
    o.unsent = u8(o.unsent & ~bit);
    return Applied::Done;
}

Applied::Kind apply_not_sent(LiveOrder& o, const Report& r) {
    const u8 bit = bit_of(Type(r.command));
    if (bit == 0) return Applied::Illegal;
    if (!is_live(o)) return Applied::Ignored;
    if (!((o.unsent | o.in_doubt) & bit)) return Applied::Illegal;  // already sent, or proved to be there
    withdraw(o, bit);
    return Applied::Done;
}

}  // namespace openbell
