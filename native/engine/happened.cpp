// What a frame's records do to books, orders and control state.
#include <algorithm>
#include <cmath>

#include "engine/engine.h"

namespace openbell {

void Engine::apply_market(const Market& record) {
    const BookChange change = books_.apply(record);
    if (tap_) tap_->on_book(record, change);
    if (change.fault != BookChange::Ok) ++book_faults_;
    if (change.fault == BookChange::NoInstrument) return;
    // A quote beside a book by price, or one that says the same again, is nothing new.
    if (record.type == u8(Type::Quote) && change.fault == BookChange::Ok && !change.touched) return;
    if (change.fault != BookChange::Ok) {
        const Check check{change.fault};
        tell_check(check, record);
        if (capacity_.checks[check] == CheckPolicy::Halt) {
            broken_[record.instrument] |= kContradicted;
            pull_quotes(record.instrument);
        }
    } else if (record.type == u8(Type::BookClear)) {
        broken_[record.instrument] &= record.flags & kSnapshot ? kLostMessages : 0;
    }
    mark_book(record.instrument, change.touched || change.fault != BookChange::Ok);
    if (record.type == u8(Type::BookExecute) && change.fault == BookChange::Ok) {
        Market trade = record;
        trade.px = change.px;
        trade.qty = change.qty;
        trade.flags = u8((record.flags & ~kBuy) | (change.resting_side == Side::Buy ? kBuy : 0));
        happened_.trades.push(trade);
    }
}

// Strategies and monitors hear of a check that failed, unless its policy is silence.
void Engine::tell_check(Check check, Market found) {
    const CheckPolicy policy = capacity_.checks[check];
    if (policy == CheckPolicy::Drop) return;
    const bool is_of_touch = check == Check::Crossed || check == Check::Locked;
    found.type = u8(Type::FeedCheck);
    found.flags = u8((is_of_touch ? 0 : kDropped) | (policy == CheckPolicy::Halt ? kInvalidates : 0));
    found.ref = u64(check);
    happened_.notices.push(found);
}

// The books as the frame left them: in its middle a venue may well be crossed.
void Engine::check_touch(u32 instrument) {
    risk_.on_touch(instrument, books_.touch(instrument), now_ns_);
    const Check failed = books_.check_touch(instrument, trading(instrument) == TradingState::Trading);
    if (failed == Check::None) return;
    Market found{};
    found.instrument = instrument;
    found.ts_event = now_ns_;
    found.px = books_.touch(instrument).bid_px;
    found.qty = books_.touch(instrument).ask_px;
    tell_check(failed, found);
    if (!books_.is_valid(instrument)) pull_quotes(instrument);
}

// A check of the feed's edge. What names no instrument may have concerned any of the feed's.
void Engine::apply_feed_check(const Market& record, u16 source) {
    if (record.flags & kInvalidates) {
        for (u32 id = 0; id < instruments_.size(); ++id)
            if (record.instrument == id || (record.instrument == kNoInstrument && feed_of_[id] == source))
                contradict(id);
    }
    happened_.notices.push(record);
}

void Engine::contradict(u32 instrument) {
    broken_[instrument] |= kContradicted;
    books_.set_valid(instrument, false);
    pull_quotes(instrument);
    mark_book(instrument);
}

bool Engine::has_contradiction(u16 source) const {
    for (u32 id = 0; id < instruments_.size(); ++id)
        if (broken_[id] & kContradicted && feed_of_[id] == source) return true;
    return false;
}

void Engine::mark_book(u32 instrument, bool is_touched) {
    if (is_touched) touch_marked_[instrument] = seq_;
    if (book_marked_[instrument] == seq_) return;
    book_marked_[instrument] = seq_;
    happened_.books.push(instrument);
}

void Engine::apply_status(const Market& record) {
    if (record.instrument == kNoInstrument) {
        if (TradingState(record.ref) != TradingState::Closed) return;
        for (u32 id = 0; id < instruments_.size(); ++id) set_trading(id, TradingState::Closed);
    } else {
        if (record.instrument >= instruments_.size()) return;
        set_trading(record.instrument, TradingState(record.ref));
    }
    quoter_.forget_refusals();
    happened_.statuses.push(record);
}

void Engine::set_trading(u32 instrument, TradingState state) {
    trading_[instrument] = u8((trading_[instrument] & kVenueHalted) | u8(state));
    if (trading(instrument) != TradingState::Trading) pull_quotes(instrument);
    check_touch(instrument);
}

// The venue's own systems: what is said of the instrument elsewhere stands, and counts again once they resume.
void Engine::apply_venue_halt(const Market& record) {
    if (record.instrument >= instruments_.size()) return;
    if (record.flags & kHere) {
        u8& cell = trading_[record.instrument];
        const bool is_halted = TradingState(record.ref) == TradingState::Halted;
        cell = u8(is_halted ? cell | kVenueHalted : cell & ~kVenueHalted);
        if (trading(record.instrument) != TradingState::Trading) pull_quotes(record.instrument);
        check_touch(record.instrument);
        quoter_.forget_refusals();
    }
    happened_.notices.push(record);
}

void Engine::apply_instrument(const Instrument& record, u16 source) {
    if (record.instrument < instruments_.size()) {  // said again: after a restart, or a change of the day
        instruments_[record.instrument] = record;
        set_scale(record.instrument);
        feed_of_[record.instrument] = source;
        oms_.set_session(record.instrument, source < kSourcesMax ? routes_[source] : u8(0));
        return;
    }
    if (record.instrument != instruments_.size() || instruments_.size() == capacity_.instruments_max)
        throw Error(ErrorKind::Invariant, "instrument ids are dense: expected " + std::to_string(instruments_.size()) +
                                              " of at most " + std::to_string(capacity_.instruments_max) + ", found " +
                                              std::to_string(record.instrument) + " at seq " + std::to_string(seq_) +
                                              "; the feed must refuse what does not fit");
    books_.add_instrument(record.instrument, record.venue);
    const bool is_rebuilding = source < kSourcesMax && feed_sessions_[source].is_rebuilding;
    books_.set_valid(record.instrument, !is_rebuilding);
    broken_[record.instrument] = is_rebuilding ? kLostMessages : 0;
    instruments_.push_back(record);
    feed_of_.push_back(source);
    oms_.set_session(record.instrument, source < kSourcesMax ? routes_[source] : u8(0));
    set_scale(record.instrument);
}

void Engine::set_scale(u32 id) {
    conversions_.set_instrument(instruments_[id]);
    oms_.set_instrument(instruments_[id]);
    accounts_.set_scale(id, conversions_.scale(id), conversions_.amount_scale(id));
}

void Engine::apply_conversion(const Control& record) {
    conversions_.set_rate(record);
    for (u32 id = 0; id < instruments_.size(); ++id) set_scale(id);
    quoter_.forget_refusals();
}

// At the touch as the frame left it, each side for itself; a crossed book says nothing about either.
void Engine::mark_to_market(u32 id) {
    const Touch& touch = books_.touch(id);
    const bool has_bid = touch.bid_qty > 0, has_ask = touch.ask_qty > 0;
    const bool is_good = books_.is_valid(id) && !(has_bid && has_ask && touch.bid_px > touch.ask_px);
    accounts_.mark(id, is_good && has_bid ? touch.bid_px : 0, is_good && has_ask ? touch.ask_px : 0);
}

void Engine::apply_report(const Report& record, u16 source) {
    Report report = record;
    const Applied applied = oms_.on_report(report);
    watch_report(report, applied);
    // The venue's account is the truth: where it contradicts ours, a person has to look before more is opened.
    if (is_applied(applied.kind)) note_fill(report);
    const bool is_elsewhere = number_of(source) != kNoSession && applied.order != nullptr &&
                              applied.order->session != number_of(source);  // the order left by another session
    const bool contradicts = applied.kind == Applied::UnknownOrder || applied.kind == Applied::Illegal;
    if (contradicts || is_elsewhere) doubt_session(number_of(source));
    if (is_elsewhere) doubt_session(applied.order->session);  // that it says nothing of an order shows nothing now
    // What was executed or confirmed too much is in our books: the others are as good as before.
    if (is_incident(applied.kind)) distrust({kNoStrategy, applied.order->instrument});
    if (!is_applied(applied.kind)) return;
    accounts_.refresh(report.strategy, report.instrument);
    if (applied.order != nullptr) {
        const LiveOrder& order = *applied.order;
        // What could not leave is not tried again until the strategy asks for something else.
        const bool was_refused = report.type == u8(Type::NotSent) || report.type == u8(Type::Rejected);
        if (was_refused && quoter_.order_of(order.strategy, order.instrument, Side(order.side)) == order.cl_ord_id)
            quoter_.on_refused(order.strategy, order.instrument, Side(order.side));
        if (applied.became_terminal) close_order(order);
        mark_quote(order.strategy, order.instrument);
        // A cancel that did not leave is tried again when the world says something new, not at once.
        // Where positions may only shrink, each report may have made another order one that grows it.
        if (report.type != u8(Type::Sent) && (must_cancel(order) || !may_grow(order))) sweep_due_ = true;
    }
    if (report.type != u8(Type::Sent)) happened_.reports.push(report);
}

void Engine::close_order(const LiveOrder& order) {
    quoter_.on_order_closed(order);
    if (!stops_.empty()) stops_.forget_order(order.cl_ord_id);
}

// Executions in one direction, again and again: a strategy that lost its mind, or its market.
void Engine::note_fill(const Report& report) {
    if (report.type != u8(Type::Filled)) return;
    if (!risk_.on_fill(0, report.strategy, report.instrument, Side(report.side), now_ns_)) return;
    for (u32 id = 0; id < instruments_.size(); ++id) pull_quote(report.strategy, id);
    sweep_due_ = true;
}

// A value that is no number says nothing.
void Engine::apply_signal(const Signal& record) {
    if (std::isfinite(record.value)) happened_.signals.push(record);
}

// Strategies take it before they are called again, with those that it continues. It holds until the node starts with
// another configuration.
void Engine::change_parameter(const Control& record) {
    if (changing_.size() < kParametersMax)
        changing_.push_back({record.strategy, 0, record.code, u64(record.values[0])});
    if (record.flags & kContinues) return;
    for (const ChangedParameter& one : changing_) {
        const auto known = std::ranges::find_if(
            parameters_, [&](const ChangedParameter& p) { return p.strategy == one.strategy && p.word == one.word; });
        if (known != parameters_.end())
            known->bits = one.bits;
        else if (parameters_.size() < kParametersMax)
            parameters_.push_back(one);
    }
    changing_.clear();
    ++world_.parameters_changed;
}

void Engine::apply_limit(const Limit& record) {
    const bool is_taken = risk_.set_limit(record);
    if (is_taken && record.instrument < instruments_.size())
        risk_.on_touch(record.instrument, books_.touch(record.instrument), now_ns_);
    if (is_taken && LimitKind(record.kind) == LimitKind::MarginBps)
        accounts_.set_margin_bps(record.instrument, record.flags & kRemoved ? kWholeBps : record.value);
    quoter_.forget_refusals();
}

// Another session of a feed is another day: its numbers begin again and the old books are gone.
void Engine::apply_feed_session(const Control& record) {
    if (record.source >= kSourcesMax) return;
    FeedSession& known = feed_sessions_[record.source];
    if (record.type == u8(Type::Disconnected)) known.has_ended = record.code == kFeedEnded;
    if (record.type != u8(Type::Connected)) return;
    if (std::memcmp(known.name, record.text, sizeof known.name - 1) == 0) return;
    const bool is_first = known.name[0] == 0;
    known = {};
    std::memcpy(known.name, record.text, sizeof known.name - 1);
    if (is_first) return;
    source_seq_[record.source] = 0;
    for (u32 id = 0; id < instruments_.size(); ++id) {
        if (feed_of_[id] != record.source) continue;
        Market clear{};
        clear.type = u8(Type::BookClear);
        clear.instrument = id;
        apply_market(clear);
        books_.set_valid(id, true);
        trading_[id] = 0;
        set_trading(id, TradingState::Unknown);
    }
}

void Engine::apply_gap(const Control& record, bool is_open) {
    if (record.source >= source::kOrderEntry) return distrust_session(number_of(record.source));  // gone there
    const bool is_lost = is_open && record.code != 0 && record.code != kGapStale;
    const bool is_rebuilt = !is_open && record.code == kFromSnapshot;
    FeedSession& feed = feed_sessions_[record.source];
    feed.has_lost = is_lost || (feed.has_lost && !is_rebuilt);
    feed.is_rebuilding = (is_open && record.code == kGapRebuilt) || (feed.is_rebuilding && !is_rebuilt);
    for (u32 id = 0; id < instruments_.size(); ++id) {
        if (feed_of_[id] != record.source) continue;
        if (record.instrument != kNoInstrument && record.instrument != id) continue;
        if (is_lost) broken_[id] |= kLostMessages;
        if (is_rebuilt) broken_[id] &= u8(~kLostMessages);
        books_.set_valid(id, !is_open && !broken_[id]);
        mark_book(id);
        mark_to_market(id);
        if (is_open) pull_quotes(id);
    }
}

}  // namespace openbell
