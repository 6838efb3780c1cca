#include "venue/ouch_session.h"

#include <algorithm>

#include "error.h"
#include "venue/ouch_commands.h"
#include "venue/ouch_reports.h"

namespace openbell {
namespace {

void put_text(Control& control, std::string_view text) { text.copy(control.text, sizeof control.text - 1); }

std::string_view text_of(SessionEnd end) {
    switch (end) {
        case SessionEnd::None:
        case SessionEnd::Closed: return "closed by the peer or the network";
        case SessionEnd::LoginRefused: return "login refused: correct user and password";
        case SessionEnd::SessionChanged: return "the venue has another session: logging in to it from message 1";
        case SessionEnd::EndOfSession: return "the venue ended the session";
        case SessionEnd::DeadPeer: return "nothing received for dead_ns";
        case SessionEnd::LoginTimeout: return "no answer to the login within login_timeout_ns";
        case SessionEnd::BadStream: return "the stream does not follow its protocol; see the decode fault";
        case SessionEnd::WentBack: return "the venue counts from before our next message: reconcile";
        case SessionEnd::LoggedOut: return "logged out by us";
        case SessionEnd::Killed: return "shut by us: a kill came with a part of an order sent";
    }
    return "";
}

}  // namespace

OuchSession::OuchSession(const Config& config) : config_(config), assembly_(kAssemblyBytes) {
    if (config.heartbeat_ns > 0 && config.dead_ns > config.heartbeat_ns && config.login_timeout_ns > 0) return;
    throw Error(ErrorKind::Config, "expected 0 < heartbeat_ns < dead_ns and 0 < login_timeout_ns, got " +
                                       std::to_string(config.heartbeat_ns) + ", " + std::to_string(config.dead_ns) +
                                       " and " + std::to_string(config.login_timeout_ns) +
                                       " for an OUCH session; the protocol's own are 1 s and 15 s");
}

// Number 0 would mean "only what is generated from now on" and lose what was missed.
void OuchSession::resume(std::string_view session, u64 next_seq) {
    session_ = soup::Session(session);
    next_seq_ = std::max(next_seq, u64(1));
    may_reconnect_ = true;
}

void OuchSession::forget_session() {
    session_ = soup::Session();
    next_seq_ = 1;
}

// ---- connection ----------------------------------------------------------------------------------

void OuchSession::on_connected(i64 now) {
    phase_ = Phase::LoggingIn;
    end_ = SessionEnd::None;
    fault_.reset();
    is_logging_out_ = has_sent_ = false;
    connected_at_ = last_received_ = last_sent_ = now;
    assembled_ = out_begin_ = out_end_ = 0;
    stream_bytes_ = 0;
    const soup::LoginRequest login{Alpha<6>(config_.user), Alpha<10>(config_.password), session_, next_seq_};
    write([&login](ByteWriter& out) { soup::write_login_request(out, login); });
}

void OuchSession::on_disconnected(i64 now, VenueSink& sink) {
    if (phase_ == Phase::Down) return;
    if (end_ == SessionEnd::None) end_ = is_logging_out_ ? SessionEnd::LoggedOut : SessionEnd::Closed;
    phase_ = Phase::Down;
    assembled_ = out_begin_ = out_end_ = 0;
    Control c = control(Type::Disconnected, now);
    c.code = u32(end_);
    put_text(c, text_of(end_));
    sink.on_control(c);
}

void OuchSession::leave(SessionEnd end, bool may_reconnect) {
    end_ = end;
    may_reconnect_ = may_reconnect;
}

void OuchSession::fail(FaultKind kind, const soup::Packet& packet, bool may_reconnect) {
    const bool has_message = kind == FaultKind::BadMessage && !packet.payload.empty();
    fault_ = DecodeFault{
        kind,          packet.type, has_message ? char(packet.payload[0]) : '\0', u32(packet.payload.size()),
        stream_bytes_, next_seq_};
    leave(SessionEnd::BadStream, may_reconnect);
}

void OuchSession::log_out() {
    if (!is_live()) return;
    is_logging_out_ = true;
    write([](ByteWriter& out) { soup::write_logout(out); });
}

void OuchSession::end_for_kill() {
    if (is_listening()) leave(SessionEnd::Killed, true);
}

// ---- time ----------------------------------------------------------------------------------------

void OuchSession::on_tick(i64 now) {
    if (!is_listening()) return;
    if (has_sent_) last_sent_ = now;
    has_sent_ = false;
    if (phase_ == Phase::LoggingIn && now - connected_at_ >= config_.login_timeout_ns) {
        return leave(SessionEnd::LoginTimeout, true);
    }
    if (now - last_received_ >= config_.dead_ns) return leave(SessionEnd::DeadPeer, true);
    if (phase_ == Phase::LoggingIn || now - last_sent_ < config_.heartbeat_ns) return;
    last_sent_ = now;
    // Bytes that wait to be sent are as good a sign of life, and a peer that does not read must not grow them.
    if (outgoing().empty()) write([](ByteWriter& out) { soup::write_client_heartbeat(out); });
}

i64 OuchSession::next_tick() const {
    if (!is_listening()) return INT64_MAX;
    const i64 dead_at = last_received_ + config_.dead_ns;
    const bool logging_in = phase_ == Phase::LoggingIn;
    return std::min(dead_at, logging_in ? connected_at_ + config_.login_timeout_ns : last_sent_ + config_.heartbeat_ns);
}

// ---- what we send --------------------------------------------------------------------------------

Reason OuchSession::refusal(const Order& order, const Instrument& instrument) const {
    if (!is_live()) return Reason::SessionDown;
    if (Type(order.type) != Type::CancelOrder && !outgoing().empty()) return Reason::SocketFull;
    return ouch_expressible(order, instrument);
}

std::size_t OuchSession::encode(const Order& order, const Instrument& instrument, std::span<u8> out) {
    if (refusal(order, instrument) != Reason::None) return 0;
    std::array<u8, kOuchPacketBytesMax> message;
    ByteWriter body(message);
    if (!write_ouch(order, instrument, config_.firm, body)) return 0;
    ByteWriter packet(out);
    if (!soup::write_unsequenced(packet, body.written())) return 0;
    has_sent_ = true;
    return packet.size();
}

void OuchSession::taken(std::size_t n) {
    out_begin_ += std::min(n, out_end_ - out_begin_);
    if (out_begin_ == out_end_) out_begin_ = out_end_ = 0;
}

bool OuchSession::keep(Bytes rest) {
    if (rest.empty()) return true;
    if (rest.size() > outgoing_.size() - (out_end_ - out_begin_)) return false;
    std::memmove(outgoing_.data(), outgoing_.data() + out_begin_, out_end_ - out_begin_);
    out_end_ -= out_begin_;
    out_begin_ = 0;
    std::memcpy(outgoing_.data() + out_end_, rest.data(), rest.size());
    out_end_ += rest.size();
    return true;
}

template <class Write>
void OuchSession::write(Write&& write) {
    std::array<u8, kOuchPacketBytesMax> packet;
    ByteWriter out(packet);
    write(out);
    keep(out.written());
}

// ---- what we receive -----------------------------------------------------------------------------

// The assembly holds more than the longest packet, so every turn of the loop uses up at least one or all bytes.
void OuchSession::on_bytes(Bytes bytes, i64 now, VenueSink& sink) {
    if (!bytes.empty()) last_received_ = now;
    while (!bytes.empty() && is_listening()) {
        const std::size_t n = std::min(bytes.size(), assembly_.size() - assembled_);
        std::memcpy(assembly_.data() + assembled_, bytes.data(), n);
        assembled_ += n;
        bytes = bytes.subspan(n);
        const std::size_t used = read_packets(now, sink);
        assembled_ -= used;
        std::memmove(assembly_.data(), assembly_.data() + used, assembled_);
    }
}

std::size_t OuchSession::read_packets(i64 now, VenueSink& sink) {
    std::size_t used = 0;
    while (is_listening()) {
        const soup::Parsed parsed = soup::parse({assembly_.data() + used, assembled_ - used});
        if (parsed.framing == soup::Framing::Incomplete) break;
        if (parsed.framing == soup::Framing::Broken) {
            fail(FaultKind::Framing, {}, true);
            break;
        }
        on_packet(parsed.packet, now, sink);
        used += parsed.used;
        stream_bytes_ += parsed.used;
    }
    return used;
}

void OuchSession::on_packet(const soup::Packet& packet, i64 now, VenueSink& sink) {
    if (packet.type == soup::type::kDebug) {
        ++counters_.ignored;
    } else if (phase_ == Phase::LoggingIn) {
        on_login_packet(packet, now, sink);
    } else {
        on_session_packet(packet, now, sink);
    }
}

void OuchSession::on_login_packet(const soup::Packet& packet, i64 now, VenueSink& sink) {
    if (packet.type == soup::type::kLoginAccepted) {
        const auto login = soup::parse_login_accepted(packet.payload);
        if (!login) return fail(FaultKind::BadLogin, packet, true);
        on_login_accepted(*login, now, sink);
    } else if (packet.type == soup::type::kLoginRejected) {
        const auto reason = soup::parse_login_rejected(packet.payload);
        if (!reason) return fail(FaultKind::BadLogin, packet, true);
        on_login_rejected(*reason);
    } else if (packet.type == soup::type::kServerHeartbeat) {
        ++counters_.heartbeats;  // of an impatient server; it resolves nothing before the login
    } else {
        fail(FaultKind::Unexpected, packet, true);
    }
}

void OuchSession::on_login_accepted(const soup::LoginAccepted& login, i64 now, VenueSink& sink) {
    if (!session().empty() && login.session.trimmed() != session()) {
        forget_session();
        return leave(SessionEnd::SessionChanged, true);
    }
    if (login.next_seq < next_seq_) return leave(SessionEnd::WentBack, false);
    const u64 missed_from = next_seq_;
    session_ = login.session;
    next_seq_ = login.next_seq;
    phase_ = Phase::Replaying;
    Control connected = control(Type::Connected, now);
    connected.values[0] = i64(next_seq_);
    put_text(connected, session());
    sink.on_control(connected);
    if (missed_from == next_seq_) return;
    Control gap = control(Type::Gap, now);  // the venue does not have them any more: reconcile by other means
    gap.values[0] = i64(missed_from);
    gap.values[1] = i64(next_seq_);
    sink.on_control(gap);
}

void OuchSession::on_login_rejected(soup::RejectReason reason) {
    const bool asked_for_session = !session().empty();
    if (reason == soup::RejectReason::SessionNotAvailable && asked_for_session) {
        forget_session();
        return leave(SessionEnd::SessionChanged, true);
    }
    leave(SessionEnd::LoginRefused, reason == soup::RejectReason::SessionNotAvailable);
}

void OuchSession::on_session_packet(const soup::Packet& packet, i64 now, VenueSink& sink) {
    switch (packet.type) {
        case soup::type::kSequenced: return on_message(packet.payload, sink);
        case soup::type::kServerHeartbeat: return on_heartbeat(now, sink);
        case soup::type::kEndOfSession: return leave(SessionEnd::EndOfSession, false);
        case soup::type::kUnsequenced: ++counters_.ignored; return;  // SoupBinTCP 4.00; OUCH sends none
        case soup::type::kLoginAccepted:
        case soup::type::kLoginRejected: return fail(FaultKind::Unexpected, packet, true);
        default: return fail(FaultKind::UnknownPacket, packet, true);
    }
}

// A message that we cannot read may be a fill. It is not counted, so that the venue will send it again, and
// no reconnection skips it: a person has to look.
void OuchSession::on_message(Bytes message, VenueSink& sink) {
    const OuchReports reports = read_ouch(message, config_.midnight_ns);
    if (reports.undecoded != Undecoded::None) {
        return fail(FaultKind::BadMessage, {soup::type::kSequenced, message}, false);
    }
    const u64 source_seq = next_seq_++;
    ++counters_.messages;
    counters_.reports += reports.count;
    counters_.ignored += reports.count == 0;
    counters_.foreign_tokens += reports.is_foreign;
    if (reports.count) sink.on_reports(reports.span(), source_seq);
}

// The stream is ordered, and a server that still has messages to replay sends those: a heartbeat comes after them.
void OuchSession::on_heartbeat(i64 now, VenueSink& sink) {
    ++counters_.heartbeats;
    if (phase_ != Phase::Replaying) return;
    phase_ = Phase::Resolved;
    Control c = control(Type::Resolved, now);
    c.values[0] = i64(next_seq_);
    put_text(c, session());
    sink.on_control(c);
}

Control OuchSession::control(Type type, i64 now) const {
    Control c{};
    c.type = u8(type);
    c.strategy = kNoStrategy;
    c.instrument = kNoInstrument;
    c.ts_event = now;
    c.source = config_.source;
    return c;
}

}  // namespace openbell
