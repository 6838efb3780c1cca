#include "node/order_session.h"

#include <algorithm>

namespace openbell {

static_assert(kOrdersEnded == u32(SessionEnd::EndOfSession));  // what the engine knows of the ends of a session

OrderSession::OrderSession(const Config& config, StreamPort& port, OuchSession& session, const Gate& gate, Clock& clock)
    : config_(config),
      port_(port),
      session_(session),
      gate_(gate),
      clock_(clock),
      wait_ns_(config.reconnect_ns),
      buffer_(kReceiveBytes) {}

// With bytes still waiting for the socket only cancels queue (law 11).
SendOutcome OrderSession::send(const Order& command, const Engine& engine, i64) {
    const Instrument* instrument = engine.instrument(command.instrument);
    if (instrument == nullptr) return {Reason::NoInstrument, 0, engine.instruments(), command.instrument};
    u8 packet[kOuchPacketBytesMax];
    const std::size_t n = session_.encode(command, *instrument, packet);
    if (n == 0) return refusal(session_.refusal(command, *instrument));
    const i64 ts_sent = clock_.now_ns();
    const std::size_t taken = session_.outgoing().empty() ? port_.send({packet, n}) : 0;
    const bool is_opening = command.type != u8(Type::CancelOrder);
    if (taken == 0 && is_opening) return refusal(Reason::SocketFull);
    if (taken < n && !session_.keep({packet + taken, n - taken})) return refusal(Reason::SocketFull);
    if (is_opening) opening_bytes_ = n - taken, opening_requests_ = gate_.requests_at_pass();
    return {Reason::None, ts_sent};
}

SendOutcome OrderSession::refusal(Reason reason) const {
    if (reason == Reason::SessionDown) return {reason, 0, 1, 0};
    if (reason == Reason::SocketFull) return {reason, 0, 0, i64(session_.outgoing().size())};
    return {reason, 0};  // the protocol has no word for it: no figure either
}

bool OrderSession::poll(i64 now_ns) {
    follow_connection(now_ns);
    if (!was_up_) return false;
    const bool received = receive(now_ns);
    session_.on_tick(now_ns);
    flush();
    if (session_.wants_disconnect()) port_.shutdown();
    return received;
}

void OrderSession::follow_connection(i64 now_ns) {
    const StreamState state = port_.state();
    if (state == StreamState::Up && !was_up_) {
        was_up_ = true;
        session_.on_connected(now_ns);
    } else if (state == StreamState::Down) {
        if (was_up_) {
            was_up_ = false;
            receive(now_ns);  // what arrived before the end still counts
            if (session_.is_resolved()) wait_ns_ = config_.reconnect_ns;
            session_.on_disconnected(now_ns, *this);
            opening_bytes_ = 0;
            retry_at_ = now_ns + next_wait();
        }
        if (now_ns >= retry_at_ && session_.may_reconnect()) {
            retry_at_ = now_ns + next_wait();
            port_.connect();
        }
    }
}

// A venue that does not answer, or lets nobody in, is asked ever more rarely.
i64 OrderSession::next_wait() {
    const i64 wait = wait_ns_;
    wait_ns_ = std::min(2 * wait_ns_, config_.reconnect_max_ns);
    return wait;
}

bool OrderSession::receive(i64 now_ns) {
    const std::size_t n = port_.receive(buffer_);
    if (n > 0) session_.on_bytes({buffer_.data(), n}, now_ns, *this);
    return n > 0;
}

// The rest of a cancel always leaves. That of what opens is no less than a new order: after a kill it stays, and as
// nothing else can follow half a packet the session ends, which cancels what is open.
void OrderSession::flush() {
    const Bytes waiting = session_.outgoing();
    if (waiting.empty()) return;
    const Passage passage = gate_.passage();
    if (opening_bytes_ > 0 && !gate_.is_open_since(opening_requests_)) return session_.end_for_kill();
    const std::size_t taken = port_.send(waiting);
    session_.taken(taken);
    opening_bytes_ -= std::min(opening_bytes_, taken);
}

void OrderSession::on_reports(std::span<const Report> reports, u64 source_seq) {
    FrameHeader* in = driver_->open(config_.source, sizeof(Report));
    std::memcpy(in + 1, reports.data(), reports.size_bytes());
    in->source_seq = source_seq;
    driver_->submit(in, u32(reports.size()));
}

void OrderSession::on_control(const Control& control) { driver_->submit_one(source::kNode, control); }

}  // namespace openbell
