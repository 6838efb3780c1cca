// What a frame's records do to books, orders and control state.
#include "engine/engine.h"

namespace openbell {

void Engine::apply_market(const Market& record) {
    const BookChange change = books_.apply(record);
    if (change.fault != BookChange::Ok) {
        ++book_faults_;
        if (change.fault != BookChange::NoInstrument) pull_quotes(record.instrument);
    }
    if (change.fault == BookChange::NoInstrument) return;
    mark_book(record.instrument);
    if (record.type == u8(Type::BookExecute) && change.fault == BookChange::Ok) {
        Market trade = record;
        trade.px = change.px;
        trade.qty = change.qty;
        trade.flags = u8((record.flags & ~kBuy) | (change.resting_side == Side::Buy ? kBuy : 0));
        happened_.trades.push(trade);
    }
}

void Engine::mark_book(u32 instrument) {
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
    trading_[instrument] = u8(state);
    if (state != TradingState::Trading) pull_quotes(instrument);
}

void Engine::apply_instrument(const Instrument& record, u16 source) {
    if (record.instrument < instruments_.size()) {  // said again: after a restart, or a change of the day
        instruments_[record.instrument] = record;
        feed_of_[record.instrument] = source;
        return;
    }
    if (record.instrument != instruments_.size() || instruments_.size() == capacity_.instruments_max)
        throw Error(ErrorKind::Invariant, "instrument ids are dense: expected " + std::to_string(instruments_.size()) +
                                              " of at most " + std::to_string(capacity_.instruments_max) + ", found " +
                                              std::to_string(record.instrument) + " at seq " + std::to_string(seq_) +
                                              "; the feed must refuse what does not fit");
    books_.add_instrument(record.instrument, record.venue);
    books_.set_valid(record.instrument, true);
    instruments_.push_back(record);
    feed_of_.push_back(source);
}

void Engine::apply_report(const Report& record) {
    Report report = record;
    const Applied applied = oms_.on_report(report);
    if (applied.kind == Applied::Ignored || applied.kind == Applied::UnknownOrder) return;
    if (applied.order != nullptr) {
        const LiveOrder& order = *applied.order;
        // What could not leave is not tried again until the strategy asks for something else.
        const bool was_refused = report.type == u8(Type::NotSent) || report.type == u8(Type::Rejected);
        if (was_refused && quoter_.order_of(order.strategy, order.instrument, Side(order.side)) == order.cl_ord_id)
            quoter_.on_refused(order.strategy, order.instrument, Side(order.side));
        if (applied.became_terminal) quoter_.on_order_closed(order);
        mark_quote(order.strategy, order.instrument);
        // A cancel that did not leave is tried again when the world says something new, not at once.
        if (must_cancel(order) && report.type != u8(Type::Sent) && report.type != u8(Type::NotSent)) sweep_due_ = true;
    }
    if (report.type != u8(Type::Sent)) happened_.reports.push(report);
}

void Engine::apply_started(const Started& record) {
    started_ = record;
    world_.seed = record.seed;
    oms_.on_started(record);
    quoter_.pull_all();  // prices of a dead process are stale
    session_up_ = false;
    draining_ = false;
    risk_.arm(ArmState::Off);
    happened_.started = true;
    checkpoint_ = true;
}

void Engine::apply_arm(const Control& record) {
    if (record.flags & kAfterKill) {  // a person looked: the kill and halted strategies are released together
        risk_.release_kill();
        std::fill(halted_.begin(), halted_.end(), 0);
    }
    risk_.arm(ArmState(record.code));
    quoter_.forget_refusals();
    if (ArmState(record.code) >= ArmState::ReduceOnly) draining_ = false;
}

// Between Connected and Resolved nothing is sent: what the venue replays may still change every order.
void Engine::apply_connection(const Control& record) {
    session_up_ = false;
    if (record.type != u8(Type::Connected)) return;
    std::memcpy(session_name_, record.text, sizeof session_name_ - 1);
    if (record.source < kSourcesMax && record.values[0] > 0) source_seq_[record.source] = u64(record.values[0]) - 1;
}

void Engine::apply_gap(const Control& record, bool is_open) {
    for (u32 id = 0; id < instruments_.size(); ++id) {
        if (feed_of_[id] != record.source) continue;
        books_.set_valid(id, !is_open);
        mark_book(id);
        if (is_open) pull_quotes(id);
    }
}

void Engine::apply_resolved(const Control& record) {
    session_up_ = true;
    quoter_.forget_refusals();  // what could not leave may be tried again, cancels too
    Report settled[256];
    for (std::size_t n = std::size(settled); n == std::size(settled);) {
        n = oms_.on_resolved(record.source, settled);
        for (const Report& report : std::span(settled, n)) {
            if (const LiveOrder* order = oms_.find(report.cl_ord_id)) {
                if (is_terminal(OrderState(order->state))) quoter_.on_order_closed(*order);
            }
            happened_.reports.push(report);
        }
    }
    quoter_.for_each_active([&](u16 strategy, u32 instrument) { mark_quote(strategy, instrument); });
    sweep_due_ = true;
}

}  // namespace openbell
