// The engine's state as bytes: snapshots, restore, and the hash that says two engines are equal.
#include <algorithm>

#include "engine/engine.h"

namespace openbell {

const Instrument* Engine::instrument(u32 id) const { return id < instruments_.size() ? &instruments_[id] : nullptr; }

u32 Engine::find_instrument(u16 venue, std::string_view symbol) const {
    for (const Instrument& known : instruments_) {
        const std::string_view name = symbol_of(known);
        if (known.venue == venue && name == symbol) return known.instrument;
    }
    return kNoInstrument;
}

TradingState Engine::trading(u32 id) const {
    return id < instruments_.size() ? trading_state(trading_[id]) : TradingState::Unknown;
}

std::string_view Engine::session_name(u16 source) const {
    const u8 session = number_of(source);
    if (session == kNoSession) return {};
    const char* name = sessions_[session].name;
    return {name, strnlen(name, sizeof(OrderSession::name))};
}

std::string_view Engine::feed_session(u16 source) const {
    const char* name = feed_sessions_[source].name;
    return {name, strnlen(name, sizeof(FeedSession::name))};
}

void Engine::save(StateWriter& out) const {
    out.put(now_ns_);
    out.put(seq_);
    out.put(started_);
    conversions_.save(out);
    for (u8 session : routes_) out.put(session);
    out.put(u64(instruments_.size()));
    for (u32 id = 0; id < instruments_.size(); ++id) {
        out.put(instruments_[id]);
        out.put(feed_of_[id]);
        out.put(trading_[id]);
        out.put(broken_[id]);
    }
    books_.save(out);
    oms_.save(out);
    accounts_.save(out);
    risk_.save(out);
    breakers_.save(out);
    quoter_.save(out);
    targets_.save(out);
    stops_.save(out);
    timers_.save(out);
    for (u32 strategy = 0; strategy < capacity_.strategies_max; ++strategy) {
        out.put(halted_[strategy]);
        out.put(versions_[strategy]);
        out.put(u64(states_[strategy].size()));
        out.put_bytes(states_[strategy]);
    }
    for (const auto* list : {&parameters_, &changing_}) {
        out.put(u64(list->size()));
        for (const ChangedParameter& one : *list) out.put(one);
    }
    out.put(u64(carries_.size()));
    for (const Carry& one : carries_) out.put(one);
    out.put(world_.parameters_changed);
    for (u64 seq : source_seq_) out.put(seq);
    for (i64 heard : heard_ns_) out.put(heard);
    for (const FeedSession& session : feed_sessions_) out.put(session);
    for (const OrderSession& session : sessions_) out.put(session);
    out.put(sessions_up_);
    out.put(u8(draining_));
    out.put(u8(sweep_due_));
    out.put(rolling_);
    out.put(decisions_);
    out.put(refusals_);
    out.put(book_faults_);
}

void Engine::load(StateReader& in) {
    now_ns_ = in.get<i64>();
    seq_ = in.get<u64>();
    started_ = in.get<Started>();
    world_.seed = started_.seed;
    conversions_.load(in);
    for (u8& session : routes_) session = std::min(in.get<u8>(), kNoSession);
    for (u64 n = in.get<u64>(), id = 0; id < n; ++id) {
        const auto record = in.get<Instrument>();
        apply_instrument(record, in.get<u16>());
        trading_[id] = in.get<u8>();
        broken_[id] = in.get<u8>();
    }
    books_.load(in);
    oms_.load(in);
    accounts_.load(in);
    risk_.load(in);
    breakers_.load(in);
    plan_breakers();
    quoter_.load(in);
    targets_.load(in);
    stops_.load(in);
    timers_.load(in);
    for (u32 strategy = 0; strategy < capacity_.strategies_max; ++strategy) {
        halted_[strategy] = in.get<u8>();
        versions_[strategy] = in.get<u64>();
        const Bytes state = in.get_bytes(in.get<u64>());
        states_[strategy].assign(state.begin(), state.end());
    }
    flattening_ = u32(std::ranges::count_if(halted_, is_flattening));
    for (auto* list : {&parameters_, &changing_}) {
        list->clear();
        for (u64 n = in.get<u64>(); n > 0; --n) list->push_back(in.get<ChangedParameter>());
    }
    carries_.clear();
    for (u64 n = in.get<u64>(); n > 0; --n) carries_.push_back(in.get<Carry>());
    world_.parameters_changed = in.get<u64>();
    for (u64& seq : source_seq_) seq = in.get<u64>();
    for (i64& heard : heard_ns_) heard = in.get<i64>();
    for (FeedSession& session : feed_sessions_) session = in.get<FeedSession>();
    for (OrderSession& session : sessions_) session = in.get<OrderSession>();
    sessions_up_ = in.get<u64>();
    draining_ = in.get<u8>() != 0;
    sweep_due_ = in.get<u8>() != 0;
    rolling_ = in.get<u64>();
    decisions_ = in.get<u64>();
    refusals_ = in.get<u64>();
    book_faults_ = in.get<u64>();
    if (!in.done()) throw Error(ErrorKind::Snapshot, "snapshot goes on: expected its end after the engine's state");
    std::fill(book_marked_.begin(), book_marked_.end(), 0);
    std::fill(touch_marked_.begin(), touch_marked_.end(), 0);
    std::fill(quote_marked_.begin(), quote_marked_.end(), 0);
}

u64 Engine::state_hash() const {
    StateWriter out;
    save(out);
    return hash_bytes(out.bytes(), 0);
}

}  // namespace openbell
