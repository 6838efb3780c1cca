#include "feed/glimpse_client.h"

#include <algorithm>

namespace openbell {

GlimpseClient::GlimpseClient(const Config& config) : config_(config), assembly_(kAssemblyBytes) {}

void GlimpseClient::on_connected(i64 now_ns) {
    end_ = GlimpseEnd::None;
    is_accepted_ = false;
    messages_ = 0;
    assembled_ = out_begin_ = out_end_ = 0;
    last_received_ = last_sent_ = now_ns;
    const soup::LoginRequest login{Alpha<6>(config_.user), Alpha<10>(config_.password), {}, 1};
    write([&login](ByteWriter& out) { soup::write_login_request(out, login); });
}

void GlimpseClient::leave(GlimpseEnd end) {
    if (is_going_on()) end_ = end;
}

void GlimpseClient::on_tick(i64 now_ns) {
    if (!is_going_on()) return;
    if (now_ns - last_received_ >= config_.silence_ns) return leave(GlimpseEnd::Silent);
    if (now_ns - last_sent_ < config_.heartbeat_ns || !is_accepted_) return;
    last_sent_ = now_ns;
    // Bytes that wait for the socket are as good a sign of life.
    if (outgoing().empty()) write([](ByteWriter& out) { soup::write_client_heartbeat(out); });
}

i64 GlimpseClient::next_tick() const {
    return std::min(last_received_ + config_.silence_ns, last_sent_ + config_.heartbeat_ns);
}

void GlimpseClient::on_bytes(Bytes bytes, i64 now_ns, GlimpseListener& to) {
    if (!bytes.empty()) last_received_ = now_ns;
    while (!bytes.empty() && is_going_on()) {
        const std::size_t n = std::min(bytes.size(), assembly_.size() - assembled_);
        std::memcpy(assembly_.data() + assembled_, bytes.data(), n);
        assembled_ += n;
        bytes = bytes.subspan(n);
        const std::size_t used = read_packets(to);
        assembled_ -= used;
        std::memmove(assembly_.data(), assembly_.data() + used, assembled_);
    }
}

std::size_t GlimpseClient::read_packets(GlimpseListener& to) {
    std::size_t used = 0;
    while (is_going_on()) {
        const soup::Parsed parsed = soup::parse({assembly_.data() + used, assembled_ - used});
        if (parsed.framing == soup::Framing::Incomplete) break;
        if (parsed.framing == soup::Framing::Broken) {
            leave(GlimpseEnd::BadStream);
            break;
        }
        on_packet(parsed.packet, to);
        used += parsed.used;
    }
    return used;
}

void GlimpseClient::on_packet(const soup::Packet& packet, GlimpseListener& to) {
    switch (packet.type) {
        case soup::type::kDebug:
        case soup::type::kServerHeartbeat: return;
        case soup::type::kLoginRejected: return leave(GlimpseEnd::Refused);
        case soup::type::kEndOfSession: return leave(GlimpseEnd::Closed);
        case soup::type::kLoginAccepted:
            if (is_accepted_ || !soup::parse_login_accepted(packet.payload)) return leave(GlimpseEnd::BadStream);
            is_accepted_ = true;
            return to.on_snapshot_begin();
        case soup::type::kSequenced:
            if (!is_accepted_) return leave(GlimpseEnd::BadStream);
            return on_message(packet.payload, to);
        default: return leave(GlimpseEnd::BadStream);
    }
}

void GlimpseClient::on_message(Bytes message, GlimpseListener& to) {
    ++messages_;
    if (message.empty() || char(message[0]) != glimpse::kEndOfSnapshot) return to.on_snapshot_message(message);
    const auto next_seq = glimpse::parse_end_of_snapshot(message);
    if (!next_seq) return leave(GlimpseEnd::BadStream);
    leave(to.on_snapshot_end(*next_seq) ? GlimpseEnd::Complete : GlimpseEnd::Unusable);
    write([](ByteWriter& out) { soup::write_logout(out); });
}

void GlimpseClient::taken(std::size_t n) {
    out_begin_ += std::min(n, out_end_ - out_begin_);
    if (out_begin_ == out_end_) out_begin_ = out_end_ = 0;
}

// What does not fit is not sent: a server that does not even take a heartbeat is not alive.
template <class Write>
void GlimpseClient::write(Write&& write) {
    ByteWriter out(std::span<u8>(outgoing_).subspan(out_end_));
    write(out);
    if (!out.failed()) out_end_ += out.size();
}

}  // namespace openbell
