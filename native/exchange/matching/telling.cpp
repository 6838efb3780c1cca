// The engine's words to its sink. The events of the ordinary path are kept and overwritten: most of their fields stay
// zero for ever, and filling 200 bytes anew costs more than the match.
#include "exchange/matching/engine.h"

namespace openbell::exchange {
namespace {

void name(MatchEvent& event, const OpenOrder& order) {
    event.side = order.side;
    event.instrument = order.instrument;
    event.account = order.account;
    event.ref = order.ref;
    event.tag = order.tag;
    event.leaves = order.leaves;
}

}  // namespace

void MatchingEngine::tell(MatchEventType type, const OpenOrder& order, i64 qty, Cause cause) {
    name(told_, order);
    told_.type = type;
    told_.cause = cause;
    told_.shown_ref = 0;
    told_.px = order.px;
    told_.qty = qty;
    told_.shown_qty = 0;
    sink_.on_match_event(told_);
}

void MatchingEngine::tell_shown(MatchEventType type, const OpenOrder& order) {
    name(told_, order);
    told_.type = type;
    told_.cause = Cause::None;
    told_.shown_ref = shown_ref(order);
    told_.px = order.px;
    told_.qty = displayed_qty(order);
    told_.shown_qty = 0;
    sink_.on_match_event(told_);
}

void MatchingEngine::tell_reduced(const OpenOrder& order, i64 qty, i64 shown, Cause cause) {
    name(told_, order);
    told_.type = MatchEventType::Reduced;
    told_.cause = cause;
    told_.shown_ref = shown_ref(order);
    told_.px = order.px;
    told_.qty = qty;
    told_.shown_qty = shown;
    sink_.on_match_event(told_);
}

void MatchingEngine::tell_trade(const OpenOrder& resting, const OpenOrder& aggressor, i64 qty) {
    name(trade_, resting);
    trade_.aggressor_account = aggressor.account;
    trade_.shown_ref = shown_ref(resting);
    trade_.aggressor_ref = aggressor.ref;
    trade_.aggressor_tag = aggressor.tag;
    trade_.aggressor_leaves = aggressor.leaves;
    trade_.match_number = ++match_number_;
    trade_.px = resting.px;
    trade_.qty = qty;
    sink_.on_match_event(trade_);
}

void MatchingEngine::tell_prevented(MatchEventType type, const OpenOrder& order, const Prevented& what) {
    MatchEvent event{.type = type, .cause = Cause::SelfMatch};
    name(event, order);
    if (type == MatchEventType::Reduced) event.shown_ref = shown_ref(order);
    event.px = what.px;
    event.qty = what.lost;
    event.shown_qty = what.shown;
    event.prevented_qty = what.prevented;
    sink_.on_match_event(event);
}

void MatchingEngine::tell_replaced(const OpenOrder& order, MatchEvent change) {
    name(change, order);
    change.type = MatchEventType::Replaced;
    change.px = order.px;
    sink_.on_match_event(change);
}

void MatchingEngine::tell_moved(const OpenOrder& order, i64 prev_px, u64 prev_shown_ref) {
    MatchEvent event{.type = MatchEventType::Repriced};
    name(event, order);
    event.shown_ref = shown_ref(order);
    event.prev_shown_ref = prev_shown_ref;
    event.px = order.px;
    event.prev_px = prev_px;
    event.qty = order.where == Where::Book && !order.has(kUnseen) ? displayed_qty(order) : 0;
    sink_.on_match_event(event);
}

}  // namespace openbell::exchange
