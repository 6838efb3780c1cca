// What Python sees of `feed`: datagrams in, batches of records out.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>

#include "bindings/fields.h"
#include "book/books.h"
#include "feed/collector.h"

namespace openbell {
void bind_feed_bench(nb::module_& m);     // feed_bench.cpp
void bind_feed_recovery(nb::module_& m);  // feed_recovery.cpp
void bind_feed_checks(nb::module_& m);    // feed_checks.cpp
nb::dict counters_of(const EdgeCounters& c);

namespace {

// The records so far, as bytes for `numpy.frombuffer`; they are kept no longer.
template <class Record>
nb::bytes take(std::vector<Record>& records) {
    nb::bytes out(reinterpret_cast<const char*>(records.data()), records.size() * sizeof(Record));
    records.clear();
    return out;
}

// An ITCH feed alone: messages that came in order, from a file or a stream.
struct PyItchFeed {
    ItchFeed itch;
    Collector collector{itch};

    PyItchFeed(std::vector<std::string> symbols, i64 midnight_ns, u16 venue, const EdgeConfig& checks)
        : itch(std::move(symbols), midnight_ns, venue, checks) {}

    void push(const nb::bytes& message) { collector.on_message(0, bytes_of(message)); }
    // Nasdaq's file framing, length (2) then message; returns the bytes used, whole messages only.
    std::size_t push_framed(const nb::bytes& data) {
        ByteReader in(bytes_of(data));
        const std::size_t total = in.remaining();
        nb::gil_scoped_release release;
        for (std::size_t used = 0;; used = total - in.remaining()) {
            const Bytes message = in.take(in.be16());
            if (in.failed()) return used;
            collector.on_message(0, message);
        }
    }
    // Into records of the caller's; returns how many bytes and records.
    Framed decode(Bytes data, std::span<Market> out) {
        Framed all;
        while (true) {
            const Framed part = itch.on_framed(data.subspan(all.bytes), out.subspan(all.records));
            all.bytes += part.bytes;
            all.records += part.records;
            collector.take_quarantined();
            if (!part.has_instrument && !part.has_quarantined) return all;
            if (part.has_instrument) collector.add_instrument(itch.instrument());
        }
    }
    nb::tuple decode_into(const nb::bytes& data, nb::ndarray<u8, nb::c_contig, nb::device::cpu> out) {
        const Framed done =
            decode(bytes_of(data), {reinterpret_cast<Market*>(out.data()), out.nbytes() / sizeof(Market)});
        return nb::make_tuple(done.bytes, done.records);
    }
    // Decodes and applies, a datagram's worth at a time; returns how many records the books refused.
    std::size_t apply_framed(const nb::bytes& data, Books& books) {
        Bytes left = bytes_of(data);
        std::array<Market, 128> records;
        std::size_t faults = 0;
        while (true) {
            const Framed done = decode(left, records);
            for (std::size_t i = 0; i < done.records; ++i) {
                books.look_ahead({records.data(), done.records}, i);
                faults += books.apply(records[i]).fault != BookChange::Ok;
            }
            if (done.bytes == 0) return faults;
            left = left.subspan(done.bytes);
        }
    }
};

// A MoldUDP64 session that carries ITCH.
struct PyMoldItchFeed {
    ItchFeed itch;
    MoldReceiver receiver;
    Collector collector{itch};

    PyMoldItchFeed(std::vector<std::string> symbols, i64 midnight_ns, u16 venue, const MoldConfig& config,
                   const EdgeConfig& checks)
        : itch(std::move(symbols), midnight_ns, venue, checks), receiver(config) {}
};

nb::dict counters_of(const ItchCounters& c) {
    nb::dict d;
    d["messages"] = c.messages, d["markets"] = c.markets, d["instruments"] = c.instruments;
    d["unsubscribed"] = c.unsubscribed, d["unknown"] = c.unknown;
    d["malformed"] = c.malformed;
    return d;
}

nb::dict counters_of(const MoldCounters& c) {
    const auto lines = [&c](auto of) { return nb::make_tuple(of(c.lines[0]), of(c.lines[1]), of(c.lines[2])); };
    nb::dict d;
    d["packets"] = lines([](const LineCounters& l) { return l.packets; });
    d["messages"] = lines([](const LineCounters& l) { return l.messages; });
    d["delivered"] = lines([](const LineCounters& l) { return l.delivered; });
    d["skipped"] = lines([](const LineCounters& l) { return l.skipped; });
    d["lag_count"] = lines([](const LineCounters& l) { return l.lag.count; });
    d["lag_ns"] = lines([](const LineCounters& l) { return l.lag.mean_ns; });
    d["lag_ns_max"] = lines([](const LineCounters& l) { return l.lag.max_ns; });
    d["duplicates"] = c.duplicates, d["out_of_order"] = c.out_of_order;
    d["not_held"] = c.not_held, d["gaps"] = c.gaps, d["requests"] = c.requests;
    d["requests_refused"] = c.requests_refused, d["recovered"] = c.recovered, d["lost"] = c.lost;
    d["wrong_session"] = c.wrong_session, d["malformed"] = c.malformed, d["implausible"] = c.implausible;
    return d;
}

nb::list take_events(Collector& collector) {
    nb::list out;
    for (const FeedEvent& e : collector.events) out.append(nb::make_tuple(e.what, e.from, e.to));
    collector.events.clear();
    return out;
}

nb::list take_seqs(Collector& collector) {
    nb::list out;
    for (u64 seq : collector.seqs) out.append(seq);
    collector.seqs.clear();
    return out;
}

nb::list take_requests(MoldReceiver& receiver) {
    nb::list out;
    while (const auto request = receiver.take_request()) {
        std::array<u8, mold::kHeaderBytes> buffer;
        ByteWriter writer(buffer);
        mold::write_request(writer, *request);
        out.append(to_bytes(writer.written()));
    }
    return out;
}

}  // namespace

void bind_feed(nb::module_& m) {
    bind_feed_bench(m);
    bind_feed_recovery(m);
    bind_feed_checks(m);
    nb::class_<MoldConfig>(m, "MoldConfig", "Limits and times of a MoldUDP64 receiver.")
        .def(nb::init<>())
        .def_rw("held_packets_max", &MoldConfig::held_packets_max)
        .def_rw("packet_bytes_max", &MoldConfig::packet_bytes_max)
        .def_rw("requests_in_flight_max", &MoldConfig::requests_in_flight_max)
        .def_rw("messages_per_request", &MoldConfig::messages_per_request)
        .def_rw("wait_ns", &MoldConfig::wait_ns)
        .def_rw("retry_ns", &MoldConfig::retry_ns)
        .def_rw("tries_max", &MoldConfig::tries_max)
        .def_rw("gap_messages_max", &MoldConfig::gap_messages_max)
        .def_rw("has_server", &MoldConfig::has_server)
        .def_rw("server_keeps", &MoldConfig::server_keeps);

    nb::class_<PyItchFeed>(m, "ItchFeed", "ITCH messages -> records, without a transport.")
        .def(nb::init<std::vector<std::string>, i64, u16, const EdgeConfig&>(),
             nb::arg("symbols") = std::vector<std::string>{}, nb::arg("midnight_ns") = 0, nb::arg("venue") = 0,
             nb::arg("checks") = EdgeConfig{})
        .def("push", &PyItchFeed::push, nb::arg("message"))
        .def("push_framed", &PyItchFeed::push_framed, nb::arg("data"),
             "Messages in Nasdaq's file framing; returns how many bytes held whole messages.")
        .def("decode_into", &PyItchFeed::decode_into, nb::arg("data"), nb::arg("out"),
             "Messages in the same framing into a uint8 array of records that is used again; returns (bytes, records).")
        .def("apply_framed", &PyItchFeed::apply_framed, nb::arg("data"), nb::arg("books"),
             "Messages in the same framing, decoded and applied to books; returns how many records were faults.")
        .def(
            "take_markets", [](PyItchFeed& f) { return take(f.collector.markets); }, "Bytes of RECORDS['Market'].")
        .def(
            "take_instruments", [](PyItchFeed& f) { return take(f.collector.instruments); },
            "Bytes of RECORDS['Instrument'].")
        .def(
            "take_quarantined", [](PyItchFeed& f) { return take(f.collector.quarantined); },
            "Bytes of RECORDS['Quarantined'].")
        .def("begin_snapshot", [](PyItchFeed& f) { f.itch.checks().begin_snapshot(); })
        .def("end_snapshot", [](PyItchFeed& f) { f.itch.checks().end_snapshot(); })
        .def_prop_ro("counters", [](const PyItchFeed& f) { return counters_of(f.itch.counters()); })
        .def_prop_ro("checks", [](const PyItchFeed& f) { return counters_of(f.itch.checks().counters()); });

    nb::class_<PyMoldItchFeed>(m, "MoldItchFeed", "A MoldUDP64 session of ITCH: datagrams -> records, in order.")
        .def(nb::init<std::vector<std::string>, i64, u16, const MoldConfig&, const EdgeConfig&>(),
             nb::arg("symbols") = std::vector<std::string>{}, nb::arg("midnight_ns") = 0, nb::arg("venue") = 0,
             nb::arg("config") = MoldConfig{}, nb::arg("checks") = EdgeConfig{})
        .def(
            "start",
            [](PyMoldItchFeed& f, const std::string& session, u64 next_seq) {
                f.receiver.start(mold::Session(session), next_seq);
            },
            nb::arg("session"), nb::arg("next_seq"), "A blank session is that of the first packet; 0 is its number.")
        .def("allow_switch", [](PyMoldItchFeed& f) { f.receiver.allow_switch(); })
        .def(
            "on_packet",
            [](PyMoldItchFeed& f, const nb::bytes& datagram, u8 line, i64 now_ns) {
                f.receiver.on_packet(bytes_of(datagram), line, now_ns, now_ns, f.collector);
            },
            nb::arg("datagram"), nb::arg("line"), nb::arg("now_ns"), "Lines: 0 A, 1 B, 2 answers to requests.")
        .def(
            "push", [](PyMoldItchFeed& f, const nb::bytes& message) { f.collector.on_message(0, bytes_of(message)); },
            nb::arg("message"),
            "A message from elsewhere, such as a Stock Directory that came before the first packet.")
        .def(
            "resume_at", [](PyMoldItchFeed& f, u64 next_seq) { f.receiver.resume_at(next_seq, f.collector); },
            nb::arg("next_seq"), "What is below is known by other means.")
        .def(
            "poll", [](PyMoldItchFeed& f, i64 now_ns) { f.receiver.poll(now_ns, f.collector); }, nb::arg("now_ns"))
        .def(
            "take_requests", [](PyMoldItchFeed& f) { return take_requests(f.receiver); }, "Packets for the server.")
        .def(
            "take_events", [](PyMoldItchFeed& f) { return take_events(f.collector); }, "[(what, from, to)]")
        .def(
            "take_seqs", [](PyMoldItchFeed& f) { return take_seqs(f.collector); }, "Numbers of the messages delivered.")
        .def("take_markets", [](PyMoldItchFeed& f) { return take(f.collector.markets); })
        .def("take_instruments", [](PyMoldItchFeed& f) { return take(f.collector.instruments); })
        .def("take_quarantined", [](PyMoldItchFeed& f) { return take(f.collector.quarantined); })
        .def_prop_ro("deadline_ns", [](const PyMoldItchFeed& f) { return f.receiver.deadline_ns(); })
        .def_prop_ro("next_seq", [](const PyMoldItchFeed& f) { return f.receiver.next_seq(); })
        .def_prop_ro("is_behind", [](const PyMoldItchFeed& f) { return f.receiver.is_behind(); })
        .def_prop_ro("counters", [](const PyMoldItchFeed& f) { return counters_of(f.receiver.counters()); })
        .def_prop_ro("itch_counters", [](const PyMoldItchFeed& f) { return counters_of(f.itch.counters()); })
        .def_prop_ro("checks", [](const PyMoldItchFeed& f) { return counters_of(f.itch.checks().counters()); });
}

}  // namespace openbell
