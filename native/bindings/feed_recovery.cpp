// What Python sees of the recovery of a feed: one login at a snapshot server, and what is kept meanwhile. For tests.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings/fields.h"
#include "feed/glimpse_client.h"
#include "feed/live_buffer.h"

namespace openbell {
void bind_feed_recovery(nb::module_& m);  // called by bind_feed

namespace {

using namespace nb::literals;

// Keeps what a login brought.
class PyGlimpse final : private GlimpseListener {
  public:
    PyGlimpse(const std::string& user, const std::string& password, u64 first, i64 heartbeat_ns, i64 silence_ns)
        : client(config_of(user, password, heartbeat_ns, silence_ns)), first_(first) {}

    void on_bytes(const nb::bytes& bytes, i64 now_ns) { client.on_bytes(bytes_of(bytes), now_ns, *this); }
    nb::bytes take_outgoing() {
        nb::bytes out = to_bytes(client.outgoing());
        client.taken(out.size());
        return out;
    }

    GlimpseClient client;
    nb::list messages;
    u64 next_seq = 0;
    u64 begun = 0;

  private:
    static GlimpseClient::Config config_of(const std::string& user, const std::string& password, i64 heartbeat_ns,
                                           i64 silence_ns) {
        GlimpseClient::Config config;
        std::memcpy(config.user, user.data(), std::min(user.size(), sizeof config.user - 1));
        std::memcpy(config.password, password.data(), std::min(password.size(), sizeof config.password - 1));
        config.heartbeat_ns = heartbeat_ns;
        config.silence_ns = silence_ns;
        return config;
    }
    void on_snapshot_begin() override { ++begun; }
    void on_snapshot_message(Bytes message) override { messages.append(to_bytes(message)); }
    bool on_snapshot_end(u64 seq) override {
        next_seq = seq;
        return seq >= first_;
    }

    u64 first_;
};

void bind_glimpse(nb::module_& m) {
    nb::enum_<GlimpseEnd>(m, "GlimpseEnd")
        .value("NONE", GlimpseEnd::None)
        .value("COMPLETE", GlimpseEnd::Complete)
        .value("UNUSABLE", GlimpseEnd::Unusable)
        .value("CLOSED", GlimpseEnd::Closed)
        .value("REFUSED", GlimpseEnd::Refused)
        .value("SILENT", GlimpseEnd::Silent)
        .value("BAD_STREAM", GlimpseEnd::BadStream);
    nb::class_<PyGlimpse>(m, "GlimpseClient", "One login at a GLIMPSE server, sans I/O.")
        .def(nb::init<const std::string&, const std::string&, u64, i64, i64>(), "user"_a, "password"_a, "first"_a = 0,
             "heartbeat_ns"_a = 1'000'000'000, "silence_ns"_a = 15'000'000'000,
             "A snapshot of before message `first` is of no use.")
        .def(
            "on_connected", [](PyGlimpse& g, i64 now_ns) { g.client.on_connected(now_ns); }, "now_ns"_a = 0)
        .def("on_disconnected", [](PyGlimpse& g) { g.client.on_disconnected(); })
        .def("on_bytes", &PyGlimpse::on_bytes, "data"_a, "now_ns"_a = 0)
        .def(
            "on_tick", [](PyGlimpse& g, i64 now_ns) { g.client.on_tick(now_ns); }, "now_ns"_a)
        .def("take_outgoing", &PyGlimpse::take_outgoing)
        .def_prop_ro("end", [](const PyGlimpse& g) { return g.client.end(); })
        .def_ro("messages", &PyGlimpse::messages)
        .def_ro("next_seq", &PyGlimpse::next_seq)
        .def_ro("begun", &PyGlimpse::begun);
}

bool keep(LiveBuffer& buffer, const nb::bytes& datagram, u64 seq, i64 ts_recv, u8 line) {
    const auto packet = mold::parse(bytes_of(datagram));
    if (!packet) throw nb::value_error("expected a MoldUDP64 packet");
    return buffer.keep({packet->blocks, packet->header.seq, seq, ts_recv, packet->header.messages(), line});
}

nb::tuple front(LiveBuffer& buffer) {
    const Delivery delivery = buffer.front();
    nb::list messages;
    delivery.for_each([&](u64, Bytes message) { messages.append(to_bytes(message)); });
    return nb::make_tuple(delivery.seq, delivery.ts_recv, delivery.line, messages);
}

void bind_live_buffer(nb::module_& m) {
    nb::class_<LiveBuffer>(m, "LiveBuffer", "What a feed says while a snapshot of it is read.")
        .def(nb::init<std::size_t>(), "bytes_max"_a)
        .def("start", &LiveBuffer::start, "next_seq"_a)
        .def("keep", &keep, "datagram"_a, "seq"_a, "ts_recv"_a = 0, "line"_a = 0)
        .def("drop_below", &LiveBuffer::drop_below, "seq"_a)
        .def("front", &front, "(first message number, ts_recv, line, messages)")
        .def("pop", &LiveBuffer::pop)
        .def_prop_ro("empty", &LiveBuffer::empty)
        .def_prop_ro("first", &LiveBuffer::first)
        .def_prop_ro("end", &LiveBuffer::end);
}

}  // namespace

void bind_feed_recovery(nb::module_& m) {
    bind_glimpse(m);
    bind_live_buffer(m);
}

}  // namespace openbell
