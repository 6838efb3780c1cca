#include "engine/engine.h"

namespace openbell {

Engine::Engine(const EngineCapacity& capacity)
    : books_(capacity.instruments_max, capacity.book_orders_max),
      oms_({capacity.orders_max, capacity.strategies_max, capacity.instruments_max}),
      accounts_(oms_),
      risk_(capacity.strategies_max, capacity.instruments_max, capacity.limits_max),
      breakers_(capacity.strategies_max, capacity.instruments_max),
      quoter_(capacity.strategies_max, capacity.instruments_max),
      targets_(capacity.strategies_max, capacity.instruments_max),
      timers_(capacity.timers_max),
      conversions_(capacity.instruments_max),
      trading_(capacity.instruments_max, u8(TradingState::Unknown)),
      halted_(capacity.strategies_max, 0),
      states_(capacity.strategies_max),
      versions_(capacity.strategies_max, 0),
      source_seq_(kSourcesMax, 0),
      heard_ns_(kSourcesMax, 0),
      feed_sessions_(kSourcesMax),
      broken_(capacity.instruments_max, 0),
      sessions_(kSessionsMax),
      routes_(kSourcesMax, 0),
      world_{books_, oms_, accounts_, stops_, instruments_, trading_, halted_, states_, versions_, parameters_},
      book_marked_(capacity.instruments_max, 0),
      touch_marked_(capacity.instruments_max, 0),
      quote_marked_(std::size_t(capacity.strategies_max) * capacity.instruments_max, 0),
      capacity_(capacity) {
    books_.set_policies(capacity.checks);
    plan_breakers();
    instruments_.reserve(capacity.instruments_max);
    feed_of_.reserve(capacity.instruments_max);
    for (auto& state : states_) state.reserve(kStateBytesMax);
    parameters_.reserve(kParametersMax);
    carries_.reserve(kCarriesMax);
    carried_.reserve(kStateBytesMax);
    changing_.reserve(kParametersMax);
    basket_.reserve(Decision::kRecordsMax);
    dirty_quotes_.reserve(std::size_t(capacity.strategies_max) * capacity.instruments_max);
}

// ---- the page --------------------------------------------------------------------------------------

void Engine::hear(const FrameView& in) {
    now_ns_ = in.header->ts_seq;
    seq_ = in.header->seq;
    world_.now_ns = now_ns_;
    world_.seq = seq_;
    happened_.clear();
    decision_.clear();
    denied_.clear();
    dirty_quotes_.clear();

    if (in.header->source < kSourcesMax) heard_ns_[in.header->source] = now_ns_;
    for (std::size_t i = 0; i < in.count(); ++i) apply(in, i);  // books, orders, control
    for (u32 id : happened_.books) {
        if (touch_marked_[id] != seq_) {
            risk_.on_touch(id, books_.touch(id), now_ns_);  // time goes on for it
            continue;
        }
        check_touch(id);
        mark_to_market(id);
    }
    if (accounts_.settle() || breakers_.is_due()) check_breakers();
    if (in.header->source_seq && in.header->source < kSourcesMax)
        source_seq_[in.header->source] = in.header->source_seq;

    if (!stops_.empty()) watch_stops();
}

const Decision& Engine::answer(const FrameView& in, IntentSource& strategies) {
    if (in.header->source == source::kStrategies) take_said(in);
    if (!happened_.empty()) strategies.decide(in, happened_, world_, decision_);
    take_strategy_output();  // intents -> execution
    if (!stops_.empty()) release_stops();
    if (flattening_ > 0) end_flattening();
    reconcile_quotes();  // execution -> risk -> oms
    // What came of sending is no reason to send again at once.
    const bool is_outcome = in.type_at(0) == Type::Sent || in.type_at(0) == Type::NotSent;
    if (sweep_due_ && !is_outcome) sweep();

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
        case BookClear:
        case BookLevel:
        case Quote: return apply_market(in.as<Market>(i));
        case Trade: return happened_.trades.push(in.as<Market>(i));
        case Status: return apply_status(in.as<Market>(i));
        case FeedCheck: return apply_feed_check(in.as<Market>(i), in.header->source);
        case VenueHalt: return apply_venue_halt(in.as<Market>(i));
        case Imbalance:
        case AuctionPrices:
        case AuctionCollar:
        case DirectListing:
        case BreakerLevels:
        case Breaker:
        case ShortSale:
        case Participant:
        case IpoQuoting:
        case RetailInterest: return happened_.notices.push(in.as<Market>(i));
        case Signal: return apply_signal(in.as<openbell::Signal>(i));
        case Timer: return apply_timer(in.as<openbell::Timer>(i));
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
        case NotSent: return apply_report(in.as<Report>(i), in.header->source);
        case Denied: return happened_.reports.push(in.as<Report>(i));
        case Started: return apply_started(in.as<openbell::Started>(i));
        case Limit: return apply_limit(in.as<openbell::Limit>(i));
        case Conversion: return apply_conversion(in.as<Control>(i));
        case Parameters: return apply_parameters(in.as<Control>(i));
        case Adjustment: return apply_adjustment(in.as<Control>(i));
        case Break:
            if (BreakNews(in.as<Control>(i).flags) == BreakNews::Opened) breakers_.on_break(now_ns_);
            return;
        case FeeRate: return oms_.set_fee_rate(in.as<Control>(i));
        case TradingDay:
            risk_.on_trading_day(in.as<Control>(i).values[0]);
            return accounts_.start_day(in.as<Control>(i).values[0]);
        case Arm: return apply_arm(in.as<Control>(i));
        case Kill: return apply_kill(in.as<Control>(i));
        case Operator: return apply_operator(in.as<Control>(i));
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

}  // namespace openbell
