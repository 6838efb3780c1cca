// What Python sees of `wire`: one message at a time, for tests and tools. Batches are the business of `feed`.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <tuple>
#include <vector>

#include "bindings/fields.h"
#include "wire/glimpse.h"
#include "wire/itch50.h"
#include "wire/moldudp64.h"
#include "wire/ouch42.h"
#include "wire/soupbintcp.h"
#include "wire/token.h"

namespace openbell {

void bind_wire_ouch50(nb::module_& m);

namespace {

template <class... Args>
nb::bytes written(bool (*write)(ByteWriter&, Args...), std::type_identity_t<Args>... args) {
    std::vector<u8> buffer(soup::kHeaderBytes + soup::kPayloadBytesMax);
    ByteWriter out(buffer);
    if (!write(out, args...)) throw Error(ErrorKind::Decode, "packet: payload longer than 65534 bytes");
    return to_bytes(out.written());
}

void bind_itch(nb::module_& m) {
    m.def("itch_decode", &decode_to_dict<itch50::All>, nb::arg("message"),
          "The message as a dict with `type`; None when its type is unknown or it is cut.");
    m.def("itch_encode", [](const nb::dict& fields) { return encode_any(itch50::All{}, fields); }, nb::arg("fields"));
    m.def("itch_layouts", [] { return layouts_of(itch50::All{}); }, "type -> [(field, offset, bytes)] behind the type");
    m.def("itch_lengths", [] { return lengths_of(itch50::All{}); }, "type -> bytes");
}

void bind_ouch(nb::module_& m) {
    m.def("ouch_decode_inbound", &decode_to_dict<ouch42::Inbound>, nb::arg("message"));
    m.def("ouch_decode_outbound", &decode_to_dict<ouch42::Outbound>, nb::arg("message"));
    m.def("ouch_encode_inbound", [](const nb::dict& d) { return encode_any(ouch42::Inbound{}, d); }, nb::arg("fields"));
    m.def(
        "ouch_encode_outbound", [](const nb::dict& d) { return encode_any(ouch42::Outbound{}, d); }, nb::arg("fields"));
    m.def(
        "ouch_token",
        [](u64 cl_ord_id, u32 version) -> nb::object {
            const auto token = ouch42::encode_token({cl_ord_id, version});
            return token ? latin1(token->raw()) : nb::none();
        },
        nb::arg("cl_ord_id"), nb::arg("version"), "14 characters; None when the version needs more than three digits.");
    m.def(
        "ouch_token_decode",
        [](const std::string& token) -> std::optional<std::tuple<u64, u32>> {
            if (token.size() != 14) return std::nullopt;
            const auto key = ouch42::decode_token(ouch42::Token(token));
            if (!key) return std::nullopt;
            return std::tuple(key->cl_ord_id, key->version);
        },
        nb::arg("token"), "(cl_ord_id, version), or None for a token that is not ours.");
}

void bind_soup(nb::module_& m) {
    using namespace soup;
    m.def(
        "soup_parse",
        [](const nb::bytes& stream, std::size_t payload_max) {
            constexpr const char* kNames[] = {"incomplete", "complete", "broken"};
            const Parsed p = parse(bytes_of(stream), payload_max);
            return nb::make_tuple(kNames[int(p.framing)], latin1({&p.packet.type, 1}), to_bytes(p.packet.payload),
                                  p.used);
        },
        nb::arg("stream"), nb::arg("payload_max") = kPayloadBytesMax,
        "(framing, type, payload, bytes used) of the first packet of a stream.");
    m.def(
        "soup_packet", [](char type, const nb::bytes& b) { return written(&write, type, bytes_of(b)); },
        nb::arg("type"), nb::arg("payload"));
    m.def(
        "soup_login_request",
        [](const std::string& user, const std::string& password, const std::string& session, u64 next_seq) {
            return written(&write_login_request, {Alpha<6>(user), Alpha<10>(password), Session(session), next_seq});
        },
        nb::arg("user"), nb::arg("password"), nb::arg("session"), nb::arg("next_seq"));
    m.def(
        "soup_login_accepted",
        [](const std::string& session, u64 next_seq) {
            return written(&write_login_accepted, {Session(session), next_seq});
        },
        nb::arg("session"), nb::arg("next_seq"));
    m.def(
        "soup_parse_login_request",
        [](const nb::bytes& payload) -> nb::object {
            const auto login = parse_login_request(bytes_of(payload));
            if (!login) return nb::none();
            return nb::make_tuple(latin1(login->user.trimmed()), latin1(login->password.trimmed()),
                                  latin1(login->session.trimmed()), login->next_seq);
        },
        nb::arg("payload"));
    m.def(
        "soup_parse_login_accepted",
        [](const nb::bytes& payload) -> nb::object {
            const auto login = parse_login_accepted(bytes_of(payload));
            if (!login) return nb::none();
            return nb::make_tuple(latin1(login->session.trimmed()), login->next_seq);
        },
        nb::arg("payload"));
}

nb::list pack_messages(const std::string& session, u64 seq, const std::vector<nb::bytes>& messages, std::size_t limit) {
    nb::list packets;
    mold::PacketBuilder builder(mold::Session(session), seq, limit);
    for (const nb::bytes& message : messages) {
        auto packed = builder.add(bytes_of(message));
        if (packed == mold::PacketBuilder::Packed::PacketFull) {
            packets.append(to_bytes(builder.take()));
            packed = builder.add(bytes_of(message));
        }
        if (packed != mold::PacketBuilder::Packed::Yes)
            throw Error(ErrorKind::Decode, "a message of " + std::to_string(message.size()) + " bytes fits no packet");
    }
    if (!builder.empty()) packets.append(to_bytes(builder.take()));
    return packets;
}

void bind_mold(nb::module_& m) {
    using namespace mold;
    m.def(
        "mold_parse",
        [](const nb::bytes& datagram) -> nb::object {
            const auto packet = parse(bytes_of(datagram));
            if (!packet) return nb::none();
            nb::list messages;
            packet->for_each([&messages](u64, Bytes message) { messages.append(to_bytes(message)); });
            return nb::make_tuple(latin1(packet->header.session.raw()), packet->header.seq, packet->header.count,
                                  messages);
        },
        nb::arg("datagram"), "(session, seq, count, messages), or None when it is malformed.");
    m.def("mold_pack", &pack_messages, nb::arg("session"), nb::arg("seq"), nb::arg("messages"),
          nb::arg("packet_bytes_max") = kPacketBytesSafe, "The messages, packed into as few datagrams as hold them.");
    m.def(
        "mold_heartbeat",
        [](const std::string& s, u64 seq) { return to_bytes(PacketBuilder(Session(s), seq).heartbeat()); },
        nb::arg("session"), nb::arg("seq"));
    m.def(
        "mold_end_of_session",
        [](const std::string& s, u64 seq) { return to_bytes(PacketBuilder(Session(s), seq).end_of_session()); },
        nb::arg("session"), nb::arg("seq"));
    m.def(
        "mold_request",
        [](const std::string& session, u64 seq, u16 count) {
            return written(&write_request, {Session(session), seq, count});
        },
        nb::arg("session"), nb::arg("seq"), nb::arg("count"));
    m.def(
        "mold_parse_request",
        [](const nb::bytes& datagram) -> nb::object {
            const auto request = parse_request(bytes_of(datagram));
            if (!request) return nb::none();
            return nb::make_tuple(latin1(request->session.raw()), request->seq, request->count);
        },
        nb::arg("datagram"));
}

void bind_glimpse(nb::module_& m) {
    m.def(
        "glimpse_end", [](u64 next_seq) { return written(&glimpse::write_end_of_snapshot, next_seq); },
        nb::arg("next_seq"), "The End of Snapshot message.");
    m.def(
        "glimpse_parse_end", [](const nb::bytes& b) { return glimpse::parse_end_of_snapshot(bytes_of(b)); },
        nb::arg("message"), "Number of the feed to go on with; None when this is no End of Snapshot.");
}

}  // namespace

void bind_wire(nb::module_& m) {
    bind_itch(m);
    bind_glimpse(m);
    bind_ouch(m);
    bind_wire_ouch50(m);
    bind_soup(m);
    bind_mold(m);
}

}  // namespace openbell
