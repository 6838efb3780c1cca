// What Python sees of `venue`: a session whose verbs return lists, for tests and tools.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>

#include "bindings/fields.h"
#include "venue/gate.h"
#include "venue/ouch_commands.h"
#include "venue/ouch_reports.h"
#include "venue/ouch_session.h"

using namespace nanobind::literals;

namespace openbell {
namespace {

// (source_seq, record): source_seq 0 with a Control record, else the venue's message number with a Report.
struct ListSink final : VenueSink {
    nb::list out;
    template <class Record>
    void add(u64 source_seq, const Record& r) {
        out.append(nb::make_tuple(source_seq, to_bytes({reinterpret_cast<const u8*>(&r), sizeof r})));
    }
    void on_reports(std::span<const Report> reports, u64 source_seq) override {
        for (const Report& r : reports) add(source_seq, r);
    }
    void on_control(const Control& c) override { add(0, c); }
};

template <class Record>
Record record_from(const nb::bytes& bytes) {
    Record out;
    if (bytes.size() != sizeof out) {
        throw Error(ErrorKind::Decode, "expected a record of " + std::to_string(sizeof out) + " bytes, got " +
                                           std::to_string(bytes.size()) + "; make it from openbell.types.RECORDS");
    }
    std::memcpy(&out, bytes.data(), sizeof out);
    return out;
}

template <std::size_t N>
void put_text(char (&to)[N], const std::string& text, const char* name) {
    if (text.size() >= N) {
        throw Error(ErrorKind::Config, std::string("expected ") + name + " of at most " + std::to_string(N - 1) +
                                           " characters, got " + std::to_string(text.size()) + "; shorten it");
    }
    std::copy(text.begin(), text.end(), to);
}

OuchSession* make_session(const std::string& user, const std::string& password, const std::string& firm,
                          i64 heartbeat_ns, i64 dead_ns, i64 login_timeout_ns, u16 source, i64 midnight_ns) {
    OuchSession::Config config;
    put_text(config.user, user, "user");
    put_text(config.password, password, "password");
    put_text(config.firm, firm, "firm");
    config.heartbeat_ns = heartbeat_ns;
    config.dead_ns = dead_ns;
    config.login_timeout_ns = login_timeout_ns;
    config.source = source;
    config.midnight_ns = midnight_ns;
    return new OuchSession(config);
}

nb::dict fault_dict(const DecodeFault& f) {
    nb::dict out;
    out["kind"] = f.kind;
    out["packet_type"] = latin1({&f.packet_type, f.packet_type ? 1u : 0u});
    out["message_type"] = latin1({&f.message_type, f.message_type ? 1u : 0u});
    out["size"] = f.size;
    out["position"] = f.position;
    out["source_seq"] = f.source_seq;
    return out;
}

nb::dict counters_dict(const OuchSession::Counters& c) {
    nb::dict out;
    out["messages"] = c.messages;
    out["reports"] = c.reports;
    out["foreign_tokens"] = c.foreign_tokens;
    out["ignored"] = c.ignored;
    out["heartbeats"] = c.heartbeats;
    return out;
}

void bind_enums(nb::module_& m) {
    nb::enum_<SessionEnd>(m, "SessionEnd", nb::is_arithmetic())
        .value("NONE", SessionEnd::None)
        .value("CLOSED", SessionEnd::Closed)
        .value("LOGIN_REFUSED", SessionEnd::LoginRefused)
        .value("SESSION_CHANGED", SessionEnd::SessionChanged)
        .value("END_OF_SESSION", SessionEnd::EndOfSession)
        .value("DEAD_PEER", SessionEnd::DeadPeer)
        .value("LOGIN_TIMEOUT", SessionEnd::LoginTimeout)
        .value("BAD_STREAM", SessionEnd::BadStream)
        .value("WENT_BACK", SessionEnd::WentBack)
        .value("LOGGED_OUT", SessionEnd::LoggedOut)
        .value("KILLED", SessionEnd::Killed);
    nb::enum_<FaultKind>(m, "FaultKind")
        .value("FRAMING", FaultKind::Framing)
        .value("UNKNOWN_PACKET", FaultKind::UnknownPacket)
        .value("UNEXPECTED", FaultKind::Unexpected)
        .value("BAD_LOGIN", FaultKind::BadLogin)
        .value("BAD_MESSAGE", FaultKind::BadMessage);
}

void bind_session(nb::module_& m) {
    const OuchSession::Config c;
    nb::class_<OuchSession>(m, "OuchSession")
        .def(nb::new_(&make_session), "user"_a = "", "password"_a = "", "firm"_a = "",
             "heartbeat_ns"_a = c.heartbeat_ns, "dead_ns"_a = c.dead_ns, "login_timeout_ns"_a = c.login_timeout_ns,
             "source"_a = c.source, "midnight_ns"_a = c.midnight_ns)
        .def(
            "resume", [](OuchSession& s, const std::string& session, u64 next_seq) { s.resume(session, next_seq); },
            "session"_a, "next_seq"_a)
        .def("set_midnight", &OuchSession::set_midnight, "midnight_ns"_a)
        .def("on_connected", &OuchSession::on_connected, "now"_a)
        .def(
            "on_disconnected",
            [](OuchSession& s, i64 now) {
                ListSink sink;
                s.on_disconnected(now, sink);
                return sink.out;
            },
            "now"_a)
        .def(
            "on_bytes",
            [](OuchSession& s, const nb::bytes& bytes, i64 now) {
                ListSink sink;
                s.on_bytes(bytes_of(bytes), now, sink);
                return sink.out;
            },
            "data"_a, "now"_a, "[(source_seq, record)]; source_seq 0: a Control record")
        .def("on_tick", &OuchSession::on_tick, "now"_a)
        .def_prop_ro("next_tick", &OuchSession::next_tick)
        .def("log_out", &OuchSession::log_out)
        .def(
            "refusal",
            [](const OuchSession& s, const nb::bytes& order, const nb::bytes& instrument) {
                return s.refusal(record_from<Order>(order), record_from<Instrument>(instrument));
            },
            "order"_a, "instrument"_a)
        .def(
            "encode",
            [](OuchSession& s, const nb::bytes& order, const nb::bytes& instrument) {
                std::array<u8, kOuchPacketBytesMax> out;
                return to_bytes(
                    {out.data(), s.encode(record_from<Order>(order), record_from<Instrument>(instrument), out)});
            },
            "order"_a, "instrument"_a, "One packet; empty = cannot, see `refusal`")
        .def_prop_ro("outgoing", [](const OuchSession& s) { return to_bytes(s.outgoing()); })
        .def("taken", &OuchSession::taken, "count"_a)
        .def(
            "keep", [](OuchSession& s, const nb::bytes& rest) { return s.keep(bytes_of(rest)); }, "rest"_a)
        .def_prop_ro("is_live", &OuchSession::is_live)
        .def_prop_ro("is_resolved", &OuchSession::is_resolved)
        .def_prop_ro("wants_disconnect", &OuchSession::wants_disconnect)
        .def_prop_ro("end", &OuchSession::end)
        .def_prop_ro("may_reconnect", &OuchSession::may_reconnect)
        .def_prop_ro("fault",
                     [](const OuchSession& s) -> std::optional<nb::dict> {
                         return s.fault() ? std::optional(fault_dict(*s.fault())) : std::nullopt;
                     })
        .def_prop_ro("next_seq", &OuchSession::next_seq)
        .def_prop_ro("session", [](const OuchSession& s) { return latin1(s.session()); })
        .def_prop_ro("counters", [](const OuchSession& s) { return counters_dict(s.counters()); });
}

}  // namespace

nb::dict gate_counters(const Gate& gate) {
    const GateCounters& c = gate.counters();
    nb::dict out;
    out["passed"] = c.passed;
    out["refused"] = c.refused;
    out["over_sent"] = c.over_sent;
    out["rated"] = c.rated;
    out["cancels_over_rate"] = c.cancels_over_rate;
    return out;
}

void bind_gate(nb::module_& m) {
    nb::class_<GateLimits>(m, "GateLimits", "The perimeter's own limits; a missing one refuses everything.")
        .def(nb::init<>())
        .def_rw("order_qty_max", &GateLimits::order_qty_max)
        .def_rw("order_notional_max", &GateLimits::order_notional_max)
        .def_rw("orders_per_second_max", &GateLimits::orders_per_second_max)
        .def(
            "set_messages",
            [](GateLimits& g, u32 per_second_max, u32 cancels_reserved, u8 session) {
                if (g.messages.size() <= session) g.messages.resize(session + std::size_t(1));
                g.messages[session] = {per_second_max, cancels_reserved};
            },
            "per_second_max"_a, "cancels_reserved"_a = 0, "session"_a = 0,
            "What a venue takes by one order session, cancels included (0: anything), and what is kept for those.");
    nb::class_<Gate>(m, "Gate", "The second check, before the socket: for tests.")
        .def(nb::init<const GateLimits&, const KillCell*>(), "limits"_a, "kill"_a = nb::none(), nb::keep_alive<1, 3>())
        .def(
            "check",
            [](Gate& gate, const nb::bytes& command, const std::optional<nb::bytes>& approval, u32 epoch, i64 now_ns,
               u8 session) {
                constexpr MoneyScale kOne{1, 1};  // price x quantity is money already
                const Order order = record_from<Order>(command);
                const Order approved = approval ? record_from<Order>(*approval) : Order{};
                const GateVerdict said =
                    gate.check(order, approval ? &approved : nullptr, kOne, epoch, now_ns, session);
                return nb::make_tuple(said.reason, said.limit, said.observed);
            },
            "command"_a, "approval"_a, "epoch"_a, "now_ns"_a, "session"_a = 0, "(reason, limit, observed)")
        .def("recall", &Gate::recall, "command"_a, "sent_ns"_a, "session"_a = 0)
        .def("recall_version", &Gate::recall_version, "cl_ord_id"_a, "version"_a)
        .def_prop_ro("counters", &gate_counters);
}

void bind_venue(nb::module_& m) {
    bind_enums(m);
    bind_gate(m);
    bind_session(m);
}

}  // namespace openbell
