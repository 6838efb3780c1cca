// What doors ask of the venue: orders in, changed and out, under the names their owners gave them.
#include <algorithm>
#include <functional>

#include "exchange/doors/ouch_letters.h"
#include "exchange/venue_core.h"

namespace openbell::exchange {

// Whether the order in a place is the account's of that name.
bool VenueCore::has_name(TokenTable::Place place, u32 account, const OrderName& name) const {
    if (place.is_open) {
        const LiveOrder& order = orders_.at(place.number);
        return order.account == account && order.name == name;
    }
    const OrderRow& row = ledger_.order(place.number);
    return row.account == account && row.name == name;
}

LiveOrder* VenueCore::find(u32 account, const OrderName& name) {
    const u32 cell = names_.find(TokenTable::hash_of(account, name),
                                 [&](TokenTable::Place place) { return has_name(place, account, name); });
    if (cell == TokenTable::kNone || !names_.place(cell).is_open) return nullptr;
    return &orders_.at(names_.place(cell).number);
}

LiveOrder* VenueCore::begin(u32 account, const OrderName& name) {
    const u64 hash = TokenTable::hash_of(account, name);
    const auto is_it = [&](TokenTable::Place place) { return has_name(place, account, name); };
    if (names_.is_full()) {
        ++(names_.find(hash, is_it) == TokenTable::kNone ? counters_.tokens_full : counters_.duplicate_tokens);
        return nullptr;
    }
    names_.prefetch(hash);
    LiveOrder& order = orders_.take(account);
    const TokenTable::Claim claim = names_.claim(hash, order.slot, is_it);
    if (!claim.is_new) {
        orders_.give_back(order);
        ignore(Ignored::Duplicate);
        return nullptr;
    }
    order.cell = claim.cell;
    order.name = name;
    return &order;
}

void VenueCore::enter(LiveOrder& order, Refusal words) {
    Account& account = accounts_[order.account];
    Refusal why = refusal_of_account(account);
    if (why == Refusal::None && order.instrument == kNoInstrument) why = Refusal::Symbol;
    if (why == Refusal::None && !is_open_) why = Refusal::Closed;
    if (why == Refusal::None) why = words;
    if (why == Refusal::None) why = refusal_of_cross(order);
    if (why == Refusal::None) why = submit_to_engine(order).refusal;
    if (why != Refusal::None) reject(order, why);
}

// A replace that may not be done now is rejected and leaves the order as it is; one whose details cannot be takes it
// out. Source: OUCH 4.2 and 5.0, Replace Order.
bool VenueCore::replace(LiveOrder& prev, LiveOrder& order, Refusal words) {
    Account& account = accounts_[order.account];
    order.instrument = prev.instrument;
    order.side = prev.side;
    order.cum_qty = prev.cum_qty;
    order.leaves_qty = order.qty - order.cum_qty;
    order.prev_number = prev.number;
    order.prev_slot = prev.slot;
    order.prev_name = prev.name;
    order.terms.group = prev.terms.group;
    order.terms.self_trade = prev.terms.self_trade;
    Refusal why = refusal_of_account(account);
    if (why == Refusal::None && !is_open_) why = Refusal::Closed;
    if (why == Refusal::None) why = words;
    if (why == Refusal::None && order.leaves_qty <= 0) why = Refusal::Qty;
    const bool is_other_type = order.terms.type != prev.terms.type || order.terms.peg != prev.terms.peg;
    if (why == Refusal::None && is_other_type) why = Refusal::Type;
    if (why == Refusal::None) why = engine_.replace(prev.ref, order.terms, order.slot).refusal;
    if (why == Refusal::None) return true;
    if (is_about_now(why)) {
        reject(order, why);
        return true;
    }
    names_.undo(order.cell, TokenTable::hash_of(order.account, order.name));
    orders_.give_back(order);
    engine_.reduce(prev.ref, 0, Cause::User);
    return false;
}

void VenueCore::reduce(LiveOrder& order, i64 total_qty) {
    const i64 leaves = std::max<i64>(0, total_qty - order.cum_qty);
    if (leaves >= order.leaves_qty) return;
    if (leaves > 0) order.qty = total_qty;
    engine_.reduce(order.ref, leaves, Cause::User);
}

void VenueCore::modify(LiveOrder& order, char side, i64 total_qty) {
    const bool is_same_direction = is_side(side) && side_of(side) == order.side;
    if (!is_same_direction || total_qty > order.qty) return ignore(Ignored::Unsupported);
    if (total_qty <= order.cum_qty) return reduce(order, total_qty);
    order.words.side = side;
    if (total_qty == order.qty)
        return report(order.account, [&](const Door& door, Addressee to) { door.modified(to, order); });
    modified_ = order.slot;
    reduce(order, total_qty);
    modified_ = 0;
}

void VenueCore::mass_cancel(u32 account, const MassCancelFilter& filter) {
    std::vector<u64> refs;
    for (const LiveOrder* order : open_orders_of(account)) {
        const Words& w = order->words;
        if (order->instrument == filter.instrument.value_or(order->instrument) &&
            w.side == filter.side.value_or(w.side) && w.group == filter.group.value_or(w.group) &&
            w.firm == filter.firm.value_or(w.firm))
            refs.push_back(order->ref);
    }
    for (u64 ref : refs) engine_.reduce(ref, 0, Cause::MassCancel);
}

u32& VenueCore::last_user_ref(u32 account, u8 channel) {
    auto& last = accounts_[account].last_user_refs;
    if (channel >= last.size()) last.resize(channel + 1u);
    return last[channel];
}

Addressee VenueCore::addressee(u32 account) {
    note_changed(account);
    return {accounts_[account].reports, clock_.since_midnight()};
}

void VenueCore::ignore(Ignored why) {
    switch (why) {
        case Ignored::Duplicate: ++counters_.duplicate_tokens; return;
        case Ignored::NotLive: ++counters_.dead_orders; return;
        case Ignored::Unsupported: ++counters_.unsupported; return;
    }
}

Refusal VenueCore::refusal_of_account(Account& account) const {
    if (!account.rate.take(clock_.now_ns)) return Refusal::Rate;
    if (!account.is_enabled) return Refusal::Disabled;
    if (account.rejects_ordered > 0) {
        --account.rejects_ordered;
        return Refusal::Ordered;
    }
    return Refusal::None;
}

// An order for the reopening auction alone is one of that call; opening and closing are times in force.
Refusal VenueCore::refusal_of_cross(const LiveOrder& order) const {
    const bool is_too_early = order.words.cross == 'H' && engine_.phase(order.instrument) != Phase::ReopeningCall;
    return is_too_early ? Refusal::PhaseNotAllowed : Refusal::None;
}

// Whether the engine refuses something because of when it comes, and not because of what it is.
bool VenueCore::is_about_now(Refusal why) {
    switch (why) {
        case Refusal::Closed:
        case Refusal::Halted:
        case Refusal::PhaseNotAllowed:
        case Refusal::Full:
        case Refusal::Rate:
        case Refusal::Disabled:
        case Refusal::Ordered: return true;
        default: return false;
    }
}

// ---- from draft to history -----------------------------------------------------------------------

Submitted VenueCore::submit_to_engine(LiveOrder& order) {
    Account& account = accounts_[order.account];
    if (order.terms.group == 0) {
        order.terms.group = account.settings.group;
        order.terms.self_trade = account.settings.self_trade;
    }
    order.leaves_qty = order.qty;
    open(order);
    const Submitted done = engine_.submit(order.instrument, order.account, order.side, order.terms, order.slot);
    if (done.refusal != Refusal::None) orders_.leave(account.open, order);
    return done;
}

void VenueCore::open(LiveOrder& order, u32 before) {
    order.entered_ns = clock_.now_ns;
    orders_.join(accounts_[order.account].open, order, before);
    if (order.expires_ns == 0) return;
    expiries_.push_back({order.expires_ns, order.number, order.slot});
    std::push_heap(expiries_.begin(), expiries_.end(), std::greater<>{});
}

void VenueCore::close(LiveOrder& order, OrderStatus status) {
    order.status = status;
    orders_.leave(accounts_[order.account].open, order);
    record(order);
}

void VenueCore::reject(LiveOrder& order, Refusal why) {
    order.status = OrderStatus::Rejected;
    order.leaves_qty = 0;
    report(order.account, [&](const Door& door, Addressee to) { door.rejected(to, order, why); });
    record(order);
}

// The order becomes history and its slot is free; its name stays used.
void VenueCore::record(LiveOrder& order) {
    const u64 row = ledger_.add_order(order, clock_.now_ns);
    if (order.cell != TokenTable::kNone) names_.put_into_history(order.cell, row);
    orders_.free(order);
    forget_expiries();
}

// So that the first expiry is always one that will happen.
void VenueCore::forget_expiries() {
    while (!expiries_.empty() && orders_.at(expiries_.front().slot).number != expiries_.front().number) {
        std::pop_heap(expiries_.begin(), expiries_.end(), std::greater<>{});
        expiries_.pop_back();
    }
}

}  // namespace openbell::exchange
