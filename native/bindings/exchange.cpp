// What Python sees of `exchange`.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <vector>

#include "exchange/publisher.h"
#include "exchange/venue_core.h"
#include "wire/soupbintcp.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
void bind_exchange_venue(nb::module_& m);  // exchange_venue.cpp

namespace {

using namespace exchange;

Bytes bytes_of(const nb::bytes& b) { return {reinterpret_cast<const u8*>(b.c_str()), b.size()}; }
nb::bytes to_bytes(Bytes b) { return nb::bytes(b.data(), b.size()); }
nb::str text_of(std::string_view s) { return nb::str(s.data(), s.size()); }

// Messages `from`.. of a log as SoupBinTCP sequenced packets, up to bytes_max; and the number after the last.
nb::tuple sequenced(const MessageLog& log, u64 from, std::size_t bytes_max) {
    from = std::max<u64>(from, 1);
    u64 end = from;
    std::size_t bytes = 0;
    for (; end < log.next_seq(); ++end) {
        const std::size_t more = soup::kHeaderBytes + log.message(end).size();
        if (bytes + more > bytes_max) break;
        bytes += more;
    }
    std::vector<u8> buffer(bytes);
    ByteWriter out(buffer);
    for (u64 seq = from; seq < end; ++seq) soup::write_sequenced(out, log.message(seq));
    return nb::make_tuple(to_bytes(out.written()), end);
}

void bind_message_log(nb::module_& m) {
    nb::class_<MessageLog>(m, "MessageLog", "Messages numbered from 1, kept for the day; a venue owns it.")
        .def_prop_ro("next_seq", &MessageLog::next_seq)
        .def("sequenced", &sequenced, "from_seq"_a, "bytes_max"_a,
             "(SoupBinTCP sequenced packets, the number after the last), at most so many bytes.");
}

// Every whole packet at the front of a client's stream as (type, payload), the bytes used, and whether what follows is
// no SoupBinTCP at all.
nb::tuple soup_packets(const nb::bytes& stream, std::size_t payload_max) {
    nb::list packets;
    Bytes rest = bytes_of(stream);
    soup::Parsed parsed = soup::parse(rest, payload_max);
    for (; parsed.framing == soup::Framing::Complete; parsed = soup::parse(rest, payload_max)) {
        packets.append(nb::make_tuple(text_of({&parsed.packet.type, 1}), to_bytes(parsed.packet.payload)));
        rest = rest.subspan(parsed.used);
    }
    return nb::make_tuple(packets, stream.size() - rest.size(), parsed.framing == soup::Framing::Broken);
}

void bind_publisher(nb::module_& m) {
    m.def("soup_packets", &soup_packets, "stream"_a, "payload_max"_a,
          "([(type, payload)], bytes used, broken): every whole packet at the front of a stream.");
    nb::class_<Publisher>(m, "Publisher", "MoldUDP64 datagrams of a venue's ITCH messages, sans I/O.")
        .def(
            "__init__",
            [](Publisher* self, const VenueCore& venue, const std::string& session) {
                new (self) Publisher(venue.itch(), session);
            },
            "venue"_a, "session"_a, nb::keep_alive<1, 2>())
        .def(
            "next_packet", [](Publisher& self) { return to_bytes(self.next_packet()); }, "Empty when all were sent.")
        .def("heartbeat", [](Publisher& self) { return to_bytes(self.heartbeat()); })
        .def("end_of_session", [](Publisher& self) { return to_bytes(self.end_of_session()); })
        .def(
            "answer",
            [](Publisher& self, const nb::bytes& request) { return to_bytes(self.answer(bytes_of(request))); },
            "request"_a, "Empty for a request that gets no answer.");
}

}  // namespace

void bind_exchange(nb::module_& m) {
    bind_message_log(m);
    bind_exchange_venue(m);
    bind_publisher(m);
}
}  // namespace openbell
