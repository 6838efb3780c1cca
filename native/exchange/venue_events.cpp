// What the engine says, and who hears it: the feed, the owners, the ledger.
#include "exchange/venue_core.h"

namespace openbell::exchange {
namespace {

// ITCH trading state of a phase; NUL: nothing is told.
char state_of(Phase phase, bool is_pause) {
    switch (phase) {
        case Phase::Closed: return '\0';
        case Phase::Halted: return 'H';
        case Phase::Continuous: return 'T';
        case Phase::ReopeningCall: return is_pause ? 'P' : 'Q';
        case Phase::OpeningCall:
        case Phase::ClosingCall: break;
    }
    return 'Q';
}

Liquidity liquidity_of(Auction auction) {
    switch (auction) {
        case Auction::Opening: return Liquidity::Opening;
        case Auction::Closing: return Liquidity::Closing;
        case Auction::Reopening: break;
    }
    return Liquidity::Reopening;
}

Liquidity maker_of(const Terms& terms, bool is_shown) {
    if (terms.peg == Peg::Mid) return Liquidity::MidMaker;
    return is_shown ? Liquidity::Maker : Liquidity::HiddenMaker;
}

// What an order's report names as its price: as entered, or what a rule made of it.
u32 told_px(const LiveOrder& order, i64 px) {
    const bool is_other = order.terms.type == OrderType::Limit && px != order.terms.px;
    return is_other ? u32(px) : order.words.px;
}

}  // namespace

void VenueCore::on_match_event(const MatchEvent& e) {
    itch_.order_event(e);
    day_.touch(e.instrument);
    switch (e.type) {
        case MatchEventType::Accepted: return on_accepted(e);
        case MatchEventType::Executed: return on_executed(e);
        case MatchEventType::Replaced: return on_replaced(e);
        case MatchEventType::Reduced:
        case MatchEventType::Discarded: return on_withdrawn(e);
        case MatchEventType::Refreshed:
        case MatchEventType::Repriced: return on_moved(e);
        case MatchEventType::PhaseChanged:
            if (char state = state_of(e.phase, day_[e.instrument].is_pause))
                itch_.trading_action(e.instrument, state, day_[e.instrument].reason);
            return;
        case MatchEventType::Crossed: return on_crossed(e);
        case MatchEventType::Rested:
        case MatchEventType::Triggered: return;
    }
}

void VenueCore::on_accepted(const MatchEvent& e) {
    LiveOrder& order = orders_.at(e.tag);
    order.ref = e.ref;
    report(e.account, [&](const Door& door, Addressee to) {
        door.accepted(to, symbol(e.instrument), order, told_px(order, e.px));
    });
}

void VenueCore::on_executed(const MatchEvent& e) {
    LiveOrder& order = orders_.at(e.tag);
    LiveOrder& aggressor = orders_.at(e.aggressor_tag);
    if (e.is_auction) {
        fill(order, e, e.leaves, liquidity_of(e.auction));
        return fill(aggressor, e, e.aggressor_leaves, liquidity_of(e.auction));
    }
    if (Bands* bands = day_[e.instrument].bands.get()) bands->on_trade(e.px, clock_.now_ns);
    const Liquidity maker = maker_of(order.terms, e.shown_ref != 0);
    fill(order, e, e.leaves, maker);
    fill(aggressor, e, e.aggressor_leaves, maker == Liquidity::MidMaker ? Liquidity::MidTaker : Liquidity::Taker);
}

// An auction's print is one trade.
void VenueCore::on_crossed(const MatchEvent& e) { day_[e.instrument].crossed_px = e.qty > 0 ? e.px : 0; }

void VenueCore::fill(LiveOrder& order, const MatchEvent& e, i64 leaves, Liquidity liquidity) {
    order.cum_qty += e.qty;
    order.leaves_qty = leaves;
    order.status = OrderStatus::PartiallyFilled;
    ledger_.add_fill(order, e.match_number, e.px, e.qty, liquidity, fee_of(order.account, liquidity, e.px, e.qty));
    report(order.account,
           [&](const Door& door, Addressee to) { door.executed(to, order, e.px, e.qty, liquidity, e.match_number); });
    if (leaves == 0) close(order, OrderStatus::Filled);
}

// Quantity that an order lost without trading: one that rested, or one that may not rest.
void VenueCore::on_withdrawn(const MatchEvent& e) {
    LiveOrder& order = orders_.at(e.tag);
    order.leaves_qty = e.leaves;
    report(order.account, [&](const Door& door, Addressee to) {
        if (e.cause == Cause::SelfMatch) return door.prevented(to, order, e);
        if (modified_ == order.slot) return door.modified(to, order);
        door.canceled(to, order, e.qty, e.cause);
    });
    if (e.leaves == 0) close(order, e.cause == Cause::Timeout ? OrderStatus::Expired : OrderStatus::Canceled);
}

void VenueCore::on_replaced(const MatchEvent& e) {
    LiveOrder& order = orders_.at(e.tag);
    LiveOrder& prev = orders_.at(order.prev_slot);
    order.ref = e.ref;
    order.leaves_qty = e.leaves;
    if (order.cum_qty > 0) order.status = OrderStatus::PartiallyFilled;
    open(order, e.priority == Priority::Kept ? prev.slot : 0);
    report(e.account, [&](const Door& door, Addressee to) {
        door.replaced(to, symbol(e.instrument), order, prev, told_px(order, e.px));
    });
    prev.leaves_qty = 0;
    close(prev, OrderStatus::Replaced);
}

// A slice of an iceberg, or a displayed order that a band moved; pegs are nobody's news.
void VenueCore::on_moved(const MatchEvent& e) {
    if (e.shown_ref == 0) return;
    const LiveOrder& order = orders_.at(e.tag);
    report(order.account, [&](const Door& door, Addressee to) {
        if (e.type == MatchEventType::Refreshed) return door.refreshed(to, order, e);
        door.repriced(to, order, e);
    });
}

}  // namespace openbell::exchange
