// What Python sees of `exchange`.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "exchange/publisher.h"
#include "exchange/venue_core.h"
#include "wire/soupbintcp.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
namespace {

using namespace exchange;

Bytes bytes_of(const nb::bytes& b) { return {reinterpret_cast<const u8*>(b.c_str()), b.size()}; }
nb::bytes to_bytes(Bytes b) { return nb::bytes(b.data(), b.size()); }
nb::str text_of(std::string_view s) { return nb::str(s.data(), s.size()); }

std::vector<ListedInstrument> listed_of(const std::vector<std::tuple<std::string, i64, u32>>& rows) {
    std::vector<ListedInstrument> out;
    for (const auto& [symbol, tick, round_lot] : rows) out.push_back({symbol, tick, round_lot});
    return out;
}

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

nb::list list_of(const std::vector<std::vector<u8>>& messages) {
    nb::list out;
    for (const auto& message : messages) out.append(to_bytes(message));
    return out;
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

nb::list orders_of(const VenueCore& venue, u32 account) {
    nb::list rows;
    for (u32 index : venue.orders_of(account)) {
        const LedgerOrder& o = venue.orders()[index];
        rows.append(nb::make_tuple(text_of(o.token.trimmed()), text_of(o.prev_token.trimmed()), o.instrument,
                                   text_of({&o.terms.side, 1}), int(o.state), o.terms.px, o.qty, o.cum_qty,
                                   o.leaves_qty, o.order_id));
    }
    return rows;
}

nb::list fills_of(const VenueCore& venue, u32 account) {
    nb::list rows;
    for (const LedgerFill& f : venue.fills_of(account)) {
        const LedgerOrder& o = venue.orders()[f.order];
        rows.append(nb::make_tuple(f.match_id, text_of(o.token.trimmed()), o.instrument, text_of({&o.terms.side, 1}),
                                   f.px, f.qty));
    }
    return rows;
}

std::vector<std::tuple<i64, i64>> holdings_of(const VenueCore& venue, u32 account) {
    std::vector<std::tuple<i64, i64>> rows;
    for (const Holding& h : venue.holdings_of(account)) rows.emplace_back(h.position, h.cash);
    return rows;
}

nb::dict counters_of(const VenueCore& venue) {
    const VenueCounters& c = venue.counters();
    nb::dict out;
    out["duplicate_tokens"] = c.duplicate_tokens;
    out["dead_orders"] = c.dead_orders;
    out["unsupported"] = c.unsupported;
    out["malformed"] = c.malformed;
    out["tokens_full"] = c.tokens_full;
    return out;
}

void bind_venue_core(nb::module_& m) {
    nb::class_<VenueCore>(m, "VenueCore", "The venue sans I/O: OUCH of accounts in, OUCH reports and ITCH out.")
        .def(
            "__init__",
            [](VenueCore* self, const std::vector<std::tuple<std::string, i64, u32>>& instruments, i64 midnight_ns,
               std::size_t orders_max, std::size_t tokens_max, std::size_t messages_max, bool matches,
               std::string memory_dir) {
                new (self) VenueCore(listed_of(instruments), midnight_ns,
                                     {orders_max, tokens_max, messages_max, std::move(memory_dir)}, matches);
            },
            "instruments"_a, "midnight_ns"_a, "orders_max"_a, "tokens_max"_a, "messages_max"_a, "matches"_a = true,
            "memory_dir"_a = "", "`instruments` are (symbol, tick in 1e-4, round lot); locate n is the n-th of them.")
        .def("add_account", &VenueCore::add_account, "internal"_a)
        .def("open_day", &VenueCore::open_day, "now_ns"_a)
        .def("close_day", &VenueCore::close_day, "now_ns"_a)
        .def("set_state", &VenueCore::set_state, "instrument"_a, "state"_a, "now_ns"_a)
        .def("advance", &VenueCore::advance, "now_ns"_a)
        .def(
            "receive",
            [](VenueCore& self, u32 account, const nb::bytes& message, i64 now_ns) {
                return self.receive(account, bytes_of(message), now_ns);
            },
            "account"_a, "message"_a, "now_ns"_a, "False for bytes that are no OUCH message.")
        .def("cancel_all", &VenueCore::cancel_all, "account"_a, "now_ns"_a)
        .def(
            "submit",
            [](VenueCore& self, u32 account, u32 instrument, Side side, i64 px, i64 qty, Tif tif, i64 now_ns) {
                return self.submit(account, instrument, side, {.px = px, .qty = qty, .tif = tif}, now_ns);
            },
            "account"_a, "instrument"_a, "side"_a, "px"_a, "qty"_a, "tif"_a, "now_ns"_a,
            "An order of an internal account; its reference, 0 when it did not rest.")
        .def("cancel", &VenueCore::cancel, "order_id"_a, "now_ns"_a)
        .def("reduce", &VenueCore::reduce, "order_id"_a, "leaves"_a, "now_ns"_a,
             "Leaves so much of an internal order; False when it is not live or would not shrink.")
        .def("leaves", &VenueCore::leaves, "order_id"_a, "Open quantity of an order, 0 when it is not live.")
        .def(
            "publish",
            [](VenueCore& self, const std::vector<nb::bytes>& messages) {
                for (const nb::bytes& message : messages) self.publish(bytes_of(message));
            },
            "messages"_a, "Messages of a tape, passed through as they are.")
        .def(
            "touch",
            [](const VenueCore& self, u32 instrument, Side side) {
                Touch touch = self.engine().touch(instrument, side);
                return std::make_tuple(touch.px, touch.qty);
            },
            "instrument"_a, "side"_a, "(px, qty); qty 0 when the side is empty")
        .def("reports", &VenueCore::reports, "account"_a, nb::rv_policy::reference_internal)
        .def("take_changed_accounts", &VenueCore::take_changed_accounts,
             "Accounts with new reports since the last call, each once.")
        .def("add_drop_copy", &VenueCore::add_drop_copy, "accounts"_a,
             "`accounts` are (number, name before its reports)")
        .def("drop_copy", &VenueCore::drop_copy, "copy"_a, nb::rv_policy::reference_internal)
        .def("divert", &VenueCore::divert, "account"_a.none(), "on"_a,
             "Keep what is new for an account (None: for the feed) outside its log until it is settled.")
        .def(
            "diverted", [](VenueCore& self, std::optional<u32> account) { return list_of(self.diverted(account)); },
            "account"_a.none())
        .def(
            "settle",
            [](VenueCore& self, std::optional<u32> account, const std::vector<nb::bytes>& messages) {
                std::vector<Bytes> out;
                for (const nb::bytes& message : messages) out.push_back(bytes_of(message));
                self.settle(account, out);
            },
            "account"_a.none(), "messages"_a, "Put `messages` into the log instead of what was diverted.")
        .def_prop_ro("itch_next", [](const VenueCore& self) { return self.itch().next_seq(); })
        .def_prop_ro("open_orders", [](const VenueCore& self) { return self.engine().open_orders(); })
        .def("itch_message",
             [](const VenueCore& self, u64 seq) {
                 if (seq == 0 || seq >= self.itch().next_seq()) throw nb::index_error("no such message");
                 return to_bytes(self.itch().message(seq));
             })
        .def("orders", &orders_of, "account"_a,
             "(token, previous token, instrument, side, state, px, qty, cum, leaves, reference) per token")
        .def("fills", &fills_of, "account"_a, "(match number, token, instrument, side, px, qty)")
        .def("holdings", &holdings_of, "account"_a, "(position, cash) per instrument")
        .def("counters", &counters_of);

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
    bind_venue_core(m);
}
}  // namespace openbell
