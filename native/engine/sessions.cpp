// Order sessions: by which of them orders leave, when they do, and what is doubted when a venue's words have a hole.
//
// Each has its own name, numbers and doubt. A doubt of any of them holds the whole node at CANCEL_ONLY: positions of
// several venues hedge each other, and a person who looks at one has to look at all.
#include <algorithm>

#include "engine/engine.h"

namespace openbell {

// A new epoch says anew what goes where.
void Engine::begin_routes() {
    sessions_up_ = 0;
    std::ranges::fill(routes_, u8(0));
    for (const Instrument& known : instruments_) oms_.set_session(known.instrument, 0);
}

void Engine::apply_route(const Control& record) {
    if (record.code >= kSourcesMax) return;
    const u8 session =
        record.values[0] > 0 && record.values[0] < kSourcesMax ? number_of(u16(record.values[0])) : kNoSession;
    routes_[record.code] = session;
    for (u32 id = 0; id < instruments_.size(); ++id)
        if (feed_of_[id] == record.code) oms_.set_session(id, session);
}

u64 Engine::sessions_used() const {
    u64 used = 0;
    for (const u8 session : routes_)
        if (session != kNoSession) used |= u64(1) << session;
    return used;
}

u8 Engine::session_of(u64 cl_ord_id, u32 instrument) const {
    const LiveOrder* order = oms_.find(cl_ord_id);
    return order != nullptr ? order->session : oms_.session_of(instrument);
}

bool Engine::is_session_doubted(u16 source) const {
    const u8 session = number_of(source);
    return session != kNoSession && sessions_[session].is_doubted;
}

// Between Connected and Resolved nothing is sent: what the venue replays may still change every order.
void Engine::apply_connection(const Control& record) {
    if (record.source < source::kOrderEntry) return apply_feed_session(record);
    const u8 session = number_of(record.source);
    if (session == kNoSession) return;
    sessions_up_ &= ~(u64(1) << session);
    OrderSession& known = sessions_[session];
    if (record.type != u8(Type::Connected)) {
        known.has_ended = known.has_ended || record.code == kOrdersEnded;
        return;
    }
    // Another session replays nothing of the old one: what was in flight there and what was told at its end is unknown,
    // unless we heard it end and nothing of it was open.
    const bool is_named = known.name[0] != 0 && record.text[0] != 0;
    const bool is_other = is_named && std::memcmp(known.name, record.text, sizeof known.name - 1) != 0;
    if (is_other && !(known.has_ended && !oms_.has_live(session))) distrust_session(session);
    known.has_ended = false;
    std::memcpy(known.name, record.text, sizeof known.name - 1);
    if (record.values[0] > 0) source_seq_[record.source] = u64(record.values[0]) - 1;
}

void Engine::apply_resolved(const Control& record) {
    const u8 session = number_of(record.source);
    if (session == kNoSession) return;
    sessions_up_ |= u64(1) << session;
    quoter_.forget_refusals();  // what could not leave may be tried again, cancels too
    // Where the venue has contradicted us the absence of evidence shows nothing, and a person settles it; but every
    // cancel is sent again.
    const bool is_doubted = sessions_[session].is_doubted;
    settle_unreached(session, is_doubted ? Unreached::Cancels : Unreached::All);
    if (is_doubted) oms_.doubt_in_flight(session);
    quoter_.for_each_active([&](u16 strategy, u32 instrument) { mark_quote(strategy, instrument); });
    targets_.for_each([&](u16 strategy, u32 instrument) { mark_quote(strategy, instrument); });
    sweep_due_ = true;
}

// It ends here, and its strategies hear of it.
void Engine::settle_unreached(u8 session, Unreached what) {
    Report settled[256];
    for (std::size_t n = std::size(settled); n == std::size(settled);) {
        n = oms_.on_resolved(session, settled, what);
        for (const Report& report : std::span(settled, n)) {
            if (const LiveOrder* order = oms_.find(report.cl_ord_id)) {
                breakers_.on_unreached(*order);
                if (is_terminal(OrderState(order->state))) close_order(*order);
            }
            accounts_.refresh(report.strategy, report.instrument);
            happened_.reports.push(report);
        }
    }
}

// A person has reconciled. What is not there now is settled when it resolves.
void Engine::settle_released() {
    for (u8 session = 0; session < kSessionsMax; ++session)
        if (sessions_up_ >> session & 1) settle_unreached(session, Unreached::InDoubt);
}

// Its venue has contradicted us; what the node itself has told concerns them all.
void Engine::doubt_session(u8 session) {
    if (session == kNoSession) return distrust({});
    sessions_[session].is_doubted = true;
    risk_.arming().doubt({});
    pull_lowered({});
}

// The words of its venue have a hole: what was in flight may be there or not.
void Engine::distrust_session(u8 session) {
    oms_.doubt_in_flight(session);
    doubt_session(session);
}

}  // namespace openbell
