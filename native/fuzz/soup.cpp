// Any SoupBinTCP stream as a server or client meets it, in pieces: the packets do not depend on where it was cut,
// each is written again byte for byte, and every parser of payloads survives them.
// Input: | pieces (1) | size of a piece (1), that many times | stream |; the sizes repeat.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "wire/ouch42.h"
#include "wire/ouch50.h"
#include "wire/soupbintcp.h"

namespace {

using namespace openbell;

constexpr std::size_t kPayloadBytesMax = 200;  // of the session, so that longer packets are met

void must(bool claim) {
    if (!claim) std::abort();
}

void check_login_request(Bytes payload) {
    const auto login = soup::parse_login_request(payload);
    if (!login) return;
    std::array<u8, soup::kHeaderBytes + soup::kLoginRequestBytes> buffer;
    ByteWriter out(buffer);
    must(soup::write_login_request(out, *login));
    const auto again = soup::parse_login_request(out.written().subspan(soup::kHeaderBytes));
    must(again && again->next_seq == login->next_seq && again->user.trimmed() == login->user.trimmed());
    must(again->password.trimmed() == login->password.trimmed());
    must(again->session.trimmed() == login->session.trimmed());
}

void check_login_accepted(Bytes payload) {
    const auto login = soup::parse_login_accepted(payload);
    if (!login) return;
    std::array<u8, soup::kHeaderBytes + soup::kLoginAcceptedBytes> buffer;
    ByteWriter out(buffer);
    must(soup::write_login_accepted(out, *login));
    const auto again = soup::parse_login_accepted(out.written().subspan(soup::kHeaderBytes));
    must(again && again->next_seq == login->next_seq && again->session.trimmed() == login->session.trimmed());
}

void check_packet(const soup::Packet& packet, Bytes bytes) {
    std::array<u8, soup::kHeaderBytes + kPayloadBytesMax> buffer;
    ByteWriter out(buffer);
    must(soup::write(out, packet.type, packet.payload));
    must(out.size() == bytes.size() && std::memcmp(buffer.data(), bytes.data(), out.size()) == 0);
    check_login_request(packet.payload);
    check_login_accepted(packet.payload);
    soup::parse_login_rejected(packet.payload);
    ouch42::Inbound::visit(packet.payload, [](const auto&) {});
    ouch42::Outbound::visit(packet.payload, [](const auto&) {});
    ouch50::Inbound::visit(packet.payload, [](const auto&) {});
    ouch50::Outbound::visit(packet.payload, [](const auto&) {});
}

struct Followed {
    std::size_t used = 0;  // bytes of whole packets
    bool is_broken = false;
};

// Follows what has arrived from `used` on, from a block of its own so that one byte too far is seen.
void follow(Bytes arrived, Followed& at) {
    const std::vector<u8> block(arrived.begin() + long(at.used), arrived.end());
    Bytes rest(block);
    for (;;) {
        const soup::Parsed parsed = soup::parse(rest, kPayloadBytesMax);
        at.is_broken = parsed.framing == soup::Framing::Broken;
        if (parsed.framing != soup::Framing::Complete) return must(parsed.used == 0);
        must(parsed.used == soup::kHeaderBytes + parsed.packet.payload.size() && parsed.used <= rest.size());
        check_packet(parsed.packet, rest.first(parsed.used));
        rest = rest.subspan(parsed.used);
        at.used += parsed.used;
    }
}

Followed follow_in_pieces(Bytes stream, Bytes sizes) {
    Followed at;
    std::size_t arrived = 0;
    for (std::size_t i = 0; arrived < stream.size() && !at.is_broken; ++i) {
        const std::size_t piece = sizes.empty() ? stream.size() : std::size_t(sizes[i % sizes.size()]) + 1;
        arrived = std::min(stream.size(), arrived + piece);
        follow(stream.first(arrived), at);
    }
    return at;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader in(Bytes(data, size));
    const Bytes sizes = in.take(in.be8());
    const Bytes stream = in.take(in.remaining());
    Followed whole;
    follow(stream, whole);
    const Followed pieces = follow_in_pieces(stream, sizes);
    must(pieces.used == whole.used && pieces.is_broken == whole.is_broken);
    return 0;
}
