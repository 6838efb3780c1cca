#include "engine/engine.h"

namespace openbell {

Engine::Engine(const EngineCapacity& capacity)
    : books_(capacity.instruments_max, capacity.book_orders_max),
      oms_({capacity.orders_max, capacity.strategies_max, capacity.instruments_max}),
      risk_(capacity.strategies_max, capacity.instruments_max),
      quoter_(capacity.strategies_max, capacity.instruments_max),
      timers_(capacity.timers_max),
      trading_(capacity.instruments_max, u8(TradingState::Unknown)),
      halted_(capacity.strategies_max, 0),
      states_(capacity.strategies_max),
      source_seq_(kSourcesMax, 0),
      world_{books_, oms_, instruments_, trading_, halted_, states_},
      book_marked_(capacity.instruments_max, 0),
      capacity_(capacity) {
    instruments_.reserve(capacity.instruments_max);
    feed_of_.reserve(capacity.instruments_max);
    for (auto& state : states_) state.reserve(kStateBytesMax);
    dirty_quotes_.reserve(std::size_t(capacity.strategies_max) * capacity.instruments_max);
}

// ---- the page --------------------------------------------------------------------------------------

const Decision& Engine::on_event(const FrameView& in, IntentSource& strategies) {
    now_ns_ = in.header->ts_seq;
    seq_ = in.header->seq;
    world_.now_ns = now_ns_;
    world_.seq = seq_;
    happened_.clear();
    decision_.clear();
    dirty_quotes_.clear();

    for (std::size_t i = 0; i < in.count(); ++i) apply(in, i);  // books, orders, control
    if (in.header->source_seq && in.header->source < kSourcesMax)
        source_seq_[in.header->source] = in.header->source_seq;

    if (!happened_.empty()) strategies.decide(in, happened_, world_, decision_);
    take_strategy_output();  // intents -> execution
    reconcile_quotes();      // execution -> risk -> oms
    if (sweep_due_) sweep();

    if (!decision_.empty() || checkpoint_) seal(in);
    return decision_;
}

void Engine::apply(const FrameView& in, std::size_t i) {
    using enum Type;
    switch (in.type_at(i)) {
        case BookAdd:
        case BookModify:
        case BookCancel:
        case BookExecute:
        case BookClear: return apply_market(in.as<Market>(i));
        case Trade: return happened_.trades.push(in.as<Market>(i));
        case Status: return apply_status(in.as<Market>(i));
        case Timer: {
            const auto& timer = in.as<openbell::Timer>(i);
            timers_.disarm(timer.strategy, timer.timer_id);
            return happened_.timers.push(timer);
        }
        case Instrument: return apply_instrument(in.as<openbell::Instrument>(i), in.header->source);
        case Accepted:
        case Rejected:
        case Replaced:
        case Canceled:
        case CancelRejected:
        case Filled:
        case Corrected:
        case Busted:
        case Expired:
        case Sent:
        case NotSent: return apply_report(in.as<Report>(i));
        case Started: return apply_started(in.as<openbell::Started>(i));
        case Limits: risk_.set_limits(in.as<openbell::Limits>(i)); return quoter_.forget_refusals();
        case Arm: return apply_arm(in.as<Control>(i));
        case Kill:
            risk_.kill(KillLevel(in.as<Control>(i).code));
            sweep_due_ = true;
            return quoter_.pull_all();
        case Operator:
            if (OperatorVerb(in.as<Control>(i).code) != OperatorVerb::CancelAll) return;
            draining_ = sweep_due_ = happened_.stopping = true;
            return quoter_.pull_all();
        case Connected:
        case Disconnected: return apply_connection(in.as<Control>(i));
        case Gap: return apply_gap(in.as<Control>(i), true);
        case Recovered: return apply_gap(in.as<Control>(i), false);
        case Resolved: return apply_resolved(in.as<Control>(i));
        case Checkpoint: checkpoint_ = true; return;
        default: return;  // facts for the record: they change nothing here
    }
}

void Engine::seal(const FrameView& in) {
    rolling_ = hash_bytes(decision_.bytes(), rolling_ ^ in.header->seq);
    ++decisions_;
    Hash& hash = decision_.add<Hash>(Type::Hash);
    hash.instrument = kNoInstrument;
    hash.ts_event = now_ns_;
    hash.rolling = rolling_;
    hash.decisions = decisions_;
    if (checkpoint_) {
        checkpoint_ = false;
        hash.flags = 1;
        hash.state = state_hash();
    }
}

// ---- what happened ---------------------------------------------------------------------------------

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
        for (u8& state : trading_) state = u8(TradingState::Closed);
    } else {
        if (record.instrument >= instruments_.size()) return;
        trading_[record.instrument] = u8(record.ref);
        quoter_.forget_refusals();
        if (TradingState(record.ref) != TradingState::Trading) pull_quotes(record.instrument);
    }
    happened_.statuses.push(record);
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

// ---- what to do about it ---------------------------------------------------------------------------

void Engine::take_strategy_output() {
    const std::size_t said = decision_.count();
    for (std::size_t i = 0; i < said; ++i) {
        switch (decision_.type_at(i)) {
            case Type::Intent: {
                const Intent intent = decision_.as<Intent>(i);
                execute(intent);
                break;
            }
            case Type::TimerArmed: {
                const auto& timer = decision_.as<TimerArmed>(i);
                timers_.arm(timer.strategy, timer.timer_id, timer.deadline);
                break;
            }
            case Type::StrategyState: {
                const auto& part = decision_.as<StrategyState>(i);
                auto& state = states_[part.strategy];
                state.resize(part.size);
                std::memcpy(state.data() + part.offset, part.bytes, part.length);
                break;
            }
            case Type::StrategyHalted: {
                const u16 strategy = decision_.as<Control>(i).strategy;
                halted_[strategy] = 1;
                quoter_.pull(strategy);
                for (u32 id = 0; id < instruments_.size(); ++id) mark_quote(strategy, id);
                sweep_due_ = true;
                break;
            }
            default: break;
        }
    }
}

void Engine::execute(const Intent& intent) {
    if (intent.strategy >= capacity_.strategies_max || halted_[intent.strategy]) return;
    switch (IntentKind(intent.kind)) {
        case IntentKind::Quote:
            if (intent.instrument >= instruments_.size()) return;
            quoter_.set_target(intent);
            return mark_quote(intent.strategy, intent.instrument);
        case IntentKind::Order: return open_order(intent);
        case IntentKind::Cancel: {
            const LiveOrder* order = oms_.find(intent.cl_ord_id);
            if (order && order->strategy == intent.strategy) cancel_order(*order);
            return;
        }
        case IntentKind::CancelAll:
            quoter_.pull(intent.strategy);
            oms_.for_each_live([&](const LiveOrder& order) {
                if (order.strategy == intent.strategy) cancel_order(order);
            });
            return;
        default: return;  // targets and parents are another room's
    }
}

void Engine::open_order(const Intent& intent) {
    Order order{};
    order.type = u8(Type::NewOrder);
    order.side = intent.side;
    order.tif = intent.tif;
    order.instrument = intent.instrument;
    order.px = intent.px;
    order.qty = intent.qty;
    order.strategy = intent.strategy;
    order.tag = intent.tag;
    submit(order, intent.qty);
}

void Engine::cancel_order(const LiveOrder& order) {
    if (is_terminal(OrderState(order.state)) || order.pending == u8(Type::CancelOrder) || decision_.room() < 2) return;
    Order cancel{};
    cancel.type = u8(Type::CancelOrder);
    cancel.side = order.side;
    cancel.instrument = order.instrument;
    cancel.ts_event = now_ns_;
    cancel.cl_ord_id = order.cl_ord_id;
    cancel.px = order.px;
    cancel.qty = order.qty;
    cancel.version = order.pending_version;
    cancel.strategy = order.strategy;
    cancel.tag = order.tag;
    cancel.intent_seq = seq_;
    if (oms_.on_command(cancel) == Reason::None) decision_.add_copy(cancel);
}

void Engine::pull_quotes(u32 instrument) {
    for (u16 strategy = 0; strategy < capacity_.strategies_max; ++strategy) {
        quoter_.pull(strategy, instrument);
        mark_quote(strategy, instrument);
    }
}

void Engine::mark_quote(u16 strategy, u32 instrument) {
    for (const QuoteKey& key : dirty_quotes_)
        if (key.strategy == strategy && key.instrument == instrument) return;
    if (dirty_quotes_.size() < dirty_quotes_.capacity()) dirty_quotes_.push_back({strategy, instrument});
}

// While the session is down nothing can be changed; Resolved marks every quote again.
void Engine::reconcile_quotes() {
    if (!session_up_) return;
    for (const QuoteKey& key : dirty_quotes_)
        if (reconcile_quote(key)) reconcile_quote(key);  // a refused side pulls what still rests at its old target
}

bool Engine::reconcile_quote(const QuoteKey& key) {
    Order wanted[Quoter::kCommandsMax];
    bool is_refused = false;
    for (Order& order : std::span(wanted, quoter_.reconcile(key.strategy, key.instrument, oms_, wanted))) {
        const LiveOrder* live = order.cl_ord_id ? oms_.find(order.cl_ord_id) : nullptr;
        if (order.type == u8(Type::CancelOrder)) {
            if (live) cancel_order(*live);
            continue;
        }
        if (live) order.prev_version = live->version;
        const u64 id = submit(order, live ? order.qty - live->cum_qty : order.qty);
        if (id == 0) {
            is_refused = true;
            quoter_.on_refused(key.strategy, key.instrument, Side(order.side));
        } else if (order.type == u8(Type::NewOrder)) {
            quoter_.on_order_opened(key.strategy, key.instrument, Side(order.side), id);
        }
    }
    return is_refused;
}

// Cancels whatever must not rest; what does not fit into this decision follows in the next one.
void Engine::sweep() {
    sweep_due_ = false;
    if (!session_up_) return;  // Resolved asks again
    oms_.for_each_live([&](const LiveOrder& order) {
        if (!must_cancel(order) || order.pending == u8(Type::CancelOrder)) return;
        if (decision_.room() < 2) sweep_due_ = true;
        cancel_order(order);
    });
}

bool Engine::must_cancel(const LiveOrder& order) const {
    return draining_ || risk_.killed() != KillLevel::None || halted_[order.strategy];
}

// Reserves the id, asks risk, and only then tells the OMS. Returns the order's id; 0 when it was refused.
u64 Engine::submit(Order candidate, i64 leaves_after) {
    if (decision_.room() < 4) return 0;
    const bool is_new = candidate.type == u8(Type::NewOrder);
    candidate.ts_event = now_ns_;
    candidate.intent_seq = seq_;
    if (is_new) {
        candidate.version = 1;
        candidate.cl_ord_id = oms_.reserve(candidate.strategy);
    }
    Risk::Verdict verdict{};
    if (!session_up_)
        verdict.reason = Reason::SessionDown;
    else if (is_new && (candidate.cl_ord_id == 0 || !oms_.can_open(candidate.strategy)))
        verdict.reason = Reason::OrdersFull;
    else
        verdict = risk_.check(candidate, leaves_after, view_of(candidate));

    if (verdict.reason == Reason::None) verdict.reason = oms_.on_command(candidate);
    if (verdict.reason != Reason::None) {
        ++refusals_;
        Order refused = candidate;
        refused.type = u8(Type::Refused);
        refused.reason = u16(verdict.reason);
        refused.limit = verdict.limit;
        refused.observed = verdict.observed;
        decision_.add_copy(refused);
        return 0;
    }
    Order approved = candidate;
    approved.type = u8(Type::Approved);
    decision_.add_copy(approved);
    decision_.add_copy(candidate);
    return candidate.cl_ord_id;
}

RiskView Engine::view_of(const Order& candidate) const {
    static constexpr Touch kNoTouch{};
    const bool known = candidate.instrument < instruments_.size();
    return RiskView{
        known ? &instruments_[candidate.instrument] : nullptr,
        known ? books_.touch(candidate.instrument) : kNoTouch,
        known && books_.is_valid(candidate.instrument),
        known ? TradingState(trading_[candidate.instrument]) : TradingState::Unknown,
        known ? oms_.exposure(candidate.instrument) : Exposure{},
        known ? oms_.exposure(candidate.strategy, candidate.instrument) : Exposure{},
    };
}

}  // namespace openbell
