// What Python sees of the venue core.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "exchange/doors/ouch_letters.h"
#include "exchange/feed_snapshot.h"
#include "exchange/venue_core.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
namespace {

using namespace exchange;

Bytes bytes_of(const nb::bytes& b) { return {reinterpret_cast<const u8*>(b.c_str()), b.size()}; }
nb::bytes to_bytes(Bytes b) { return nb::bytes(b.data(), b.size()); }
nb::str text_of(std::string_view s) { return nb::str(s.data(), s.size()); }
nb::str text_of(char letter) { return nb::str(&letter, 1); }

std::vector<InstrumentRules> rules_of(const std::vector<std::tuple<std::string, i64, u32>>& rows) {
    std::vector<InstrumentRules> out;
    for (const auto& [symbol, tick, round_lot] : rows) {
        InstrumentRules rules;
        rules.symbol = symbol;
        rules.ticks = {{0, tick}};
        rules.round_lot = round_lot;
        out.push_back(std::move(rules));
    }
    return out;
}

VenueLimits limits_of(std::size_t orders_max, std::size_t tokens_max, std::size_t messages_max, std::string dir) {
    return {orders_max, tokens_max, messages_max, std::move(dir)};
}

nb::list list_of(const std::vector<std::vector<u8>>& messages) {
    nb::list out;
    for (const auto& message : messages) out.append(to_bytes(message));
    return out;
}

std::vector<Bytes> views_of(const std::vector<nb::bytes>& messages) {
    std::vector<Bytes> out;
    for (const nb::bytes& message : messages) out.push_back(bytes_of(message));
    return out;
}

nb::tuple row_of(const OrderRow& o, i64 leaves) {
    return nb::make_tuple(name_text(o.name), name_text(o.prev_name), o.instrument, text_of(o.side), int(o.status), o.px,
                          o.qty, o.cum_qty, leaves, o.ref);
}

// Open ones too, by entry.
nb::list orders_of(const VenueCore& venue, u32 account) {
    std::vector<std::pair<OrderRow, i64>> rows;
    for (const OrderRow& row : venue.ledger().orders_of(account)) rows.emplace_back(row, 0);
    for (const LiveOrder* order : venue.open_orders_of(account))
        rows.emplace_back(Ledger::row_of(*order), order->leaves_qty);
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first.number < b.first.number; });
    nb::list out;
    for (const auto& [row, leaves] : rows) out.append(row_of(row, leaves));
    return out;
}

nb::list open_orders_of(const VenueCore& venue, u32 account) {
    nb::list out;
    for (const LiveOrder* o : venue.open_orders_of(account))
        out.append(nb::make_tuple(o->ref, o->instrument, o->side, o->terms.px, o->qty, o->cum_qty, o->leaves_qty));
    return out;
}

nb::list fills_of(const VenueCore& venue, u32 account) {
    nb::list out;
    for (const FillRow& f : venue.ledger().fills_of(account))
        out.append(nb::make_tuple(f.match_number, name_text(f.name), f.instrument, text_of(f.side_letter), f.px, f.qty,
                                  text_of(liquidity_letter(f.liquidity)), f.fee, int(f.state), f.ref));
    return out;
}

std::vector<std::tuple<i64, i64>> holdings_of(const VenueCore& venue, u32 account) {
    std::vector<std::tuple<i64, i64>> rows;
    for (u32 i = 0; i < venue.instruments(); ++i) {
        const Holding held = venue.ledger().holding(account, i);
        rows.emplace_back(held.position, held.cash);
    }
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

InputJournalOptions journal_options(std::string journal_dir, std::string hot_dir, u64 segment_bytes,
                                    u32 hot_segments_max) {
    return {std::move(journal_dir), std::move(hot_dir), segment_bytes, hot_segments_max};
}

using Venue = nb::class_<VenueCore>;

void bind_configuration(Venue& venue) {
    venue
        .def(
            "__init__",
            [](VenueCore* self, std::vector<InstrumentRules> instruments, i64 midnight_ns, std::size_t orders_max,
               std::size_t tokens_max, std::size_t messages_max, bool matches, std::string memory_dir) {
                new (self) VenueCore(std::move(instruments), midnight_ns,
                                     limits_of(orders_max, tokens_max, messages_max, std::move(memory_dir)), matches);
            },
            "instruments"_a, "midnight_ns"_a, "orders_max"_a, "tokens_max"_a, "messages_max"_a, "matches"_a = true,
            "memory_dir"_a = "", "Locate n is the n-th of `instruments`.")
        .def(
            "__init__",
            [](VenueCore* self, const std::vector<std::tuple<std::string, i64, u32>>& instruments, i64 midnight_ns,
               std::size_t orders_max, std::size_t tokens_max, std::size_t messages_max, bool matches,
               std::string memory_dir) {
                new (self) VenueCore(rules_of(instruments), midnight_ns,
                                     limits_of(orders_max, tokens_max, messages_max, std::move(memory_dir)), matches);
            },
            "instruments"_a, "midnight_ns"_a, "orders_max"_a, "tokens_max"_a, "messages_max"_a, "matches"_a = true,
            "memory_dir"_a = "", "`instruments` are (symbol, tick in 1e-4, round lot).")
        .def(
            "add_account",
            [](VenueCore& self, bool internal, Protocol protocol, u32 group, SelfTrade self_trade, u32 orders_per_s,
               u32 burst, i64 volume) {
                return self.add_account({.protocol = internal ? Protocol::Internal : protocol,
                                         .group = group,
                                         .self_trade = self_trade,
                                         .orders_per_s = orders_per_s,
                                         .burst = burst,
                                         .volume = volume});
            },
            "internal"_a = false, nb::kw_only(), "protocol"_a = Protocol::Ouch42, "group"_a = 0,
            "self_trade"_a = SelfTrade::Allow, "orders_per_s"_a = 0, "burst"_a = 1, "volume"_a = 0,
            "Its number. `group` and `self_trade`: self-trade prevention; `orders_per_s` 0: no limit; `volume`: shares "
            "of the days before, for its fees.")
        .def("set_fees", &VenueCore::set_fees, "fees"_a)
        .def("set_schedule", &VenueCore::set_schedule, "instrument"_a.none(), "rules"_a,
             "The day of an instrument, or (None) of all.")
        .def("set_bands", &VenueCore::set_bands, "instrument"_a, "rules"_a)
        .def("set_breaker", &VenueCore::set_breaker, "index_close"_a,
             "Market-wide circuit breaker; the index of the day before in 1e-8.")
        .def("add_drop_copy", &VenueCore::add_drop_copy, "accounts"_a,
             "`accounts` are (number, name before its reports)")
        .def(
            "open_journal",
            [](VenueCore& self, std::string journal_dir, std::string hot_dir, const std::string& session,
               u64 segment_bytes, u32 hot_segments_max) {
                return self.open_journal(journal_options(journal_dir, hot_dir, segment_bytes, hot_segments_max),
                                         session);
            },
            "journal_dir"_a, "hot_dir"_a, "session"_a, "segment_bytes"_a = kSegmentBytesDefault,
            "hot_segments_max"_a = 16,
            "Journal every input from now on; what the journal holds is applied first: how many inputs that was.")
        .def("close_journal", &VenueCore::close_journal, "No input may follow.");
}

void bind_inputs(Venue& venue) {
    venue.def("open_day", &VenueCore::open_day, "now_ns"_a)
        .def("close_day", &VenueCore::close_day, "now_ns"_a)
        .def("set_state", &VenueCore::set_state, "instrument"_a, "state"_a, "now_ns"_a)
        .def("advance", &VenueCore::advance, "now_ns"_a)
        .def("index", &VenueCore::index, "value"_a, "now_ns"_a,
             "The market's index in 1e-8: a fall may halt everything.")
        .def(
            "receive",
            [](VenueCore& self, u32 account, const nb::bytes& message, i64 now_ns) {
                return self.receive(account, bytes_of(message), now_ns);
            },
            "account"_a, "message"_a, "now_ns"_a, "False for bytes that are no message of the account's protocol.")
        .def("cancel_all", &VenueCore::cancel_all, "account"_a, "now_ns"_a)
        .def(
            "submit",
            [](VenueCore& self, u32 account, u32 instrument, Side side, i64 px, i64 qty, Tif tif, i64 now_ns) {
                const OrderType type = px == kMarketPx ? OrderType::Market : OrderType::Limit;
                return self.submit(account, instrument, side, {.px = px, .qty = qty, .tif = tif, .type = type}, now_ns);
            },
            "account"_a, "instrument"_a, "side"_a, "px"_a, "qty"_a, "tif"_a, "now_ns"_a,
            "An order of an internal account; its reference, 0 when it did not rest.")
        .def("submit_terms", &VenueCore::submit, "account"_a, "instrument"_a, "side"_a, "terms"_a, "now_ns"_a,
             "As `submit`, with everything an order can say.")
        .def(
            "cancel", [](VenueCore& self, u64 order_id, i64 now_ns) { return self.reduce(order_id, 0, now_ns); },
            "order_id"_a, "now_ns"_a)
        .def("reduce", nb::overload_cast<u64, i64, i64>(&VenueCore::reduce), "order_id"_a, "leaves"_a, "now_ns"_a,
             "Leaves so much of an internal order; False when it is not live or would not shrink.")
        .def(
            "bust",
            [](VenueCore& self, u64 match_number, char reason, i64 now_ns) {
                return self.bust(match_number, reason, now_ns);
            },
            "match_number"_a, "reason"_a, "now_ns"_a, "Take a trade back; `reason` as OUCH spells it: E, C, S, X.")
        .def(
            "correct",
            [](VenueCore& self, u64 match_number, i64 px, i64 qty, char reason, i64 now_ns) {
                return self.correct(match_number, px, qty, reason, now_ns);
            },
            "match_number"_a, "px"_a, "qty"_a, "reason"_a, "now_ns"_a)
        .def("reject_next", &VenueCore::reject_next, "account"_a, "count"_a, "now_ns"_a,
             "A fault: so many orders and replaces of the account are rejected from now on.")
        .def("shift_clock", &VenueCore::shift_clock, "ns"_a, "now_ns"_a, "A fault: reported times are off by so much.")
        .def("divert", &VenueCore::divert, "account"_a.none(), "on"_a, "now_ns"_a = 0,
             "Keep what is new for an account (None: for the feed) outside its log until it is settled.")
        .def(
            "settle",
            [](VenueCore& self, std::optional<u32> account, const std::vector<nb::bytes>& messages, i64 now_ns) {
                self.settle(account, views_of(messages), now_ns);
            },
            "account"_a.none(), "messages"_a, "now_ns"_a = 0,
            "Put `messages` into the log instead of what was diverted.")
        .def("end_faults", &VenueCore::end_faults, "now_ns"_a, "Who commanded them is gone: what waits is told.")
        .def(
            "publish",
            [](VenueCore& self, const std::vector<nb::bytes>& messages) {
                for (const nb::bytes& message : messages) self.publish(bytes_of(message));
            },
            "messages"_a, "Messages of a tape, passed through as they are.");
}

void bind_answers(Venue& venue) {
    venue.def("leaves", &VenueCore::leaves, "order_id"_a, "Open quantity of an order, 0 when it is not live.")
        .def(
            "touch",
            [](const VenueCore& self, u32 instrument, Side side) {
                Touch touch = self.engine().touch(instrument, side);
                return std::make_tuple(touch.px, touch.qty);
            },
            "instrument"_a, "side"_a, "(px, qty); qty 0 when the side is empty")
        .def(
            "phase", [](const VenueCore& self, u32 instrument) { return self.engine().phase(instrument); },
            "instrument"_a)
        .def(
            "last_px", [](const VenueCore& self, u32 instrument) { return self.engine().last_px(instrument); },
            "instrument"_a, "Of the last trade; 0 before the first.")
        .def("reports", &VenueCore::reports, "account"_a, nb::rv_policy::reference_internal)
        .def("drop_copy", &VenueCore::drop_copy, "copy"_a, nb::rv_policy::reference_internal)
        .def("take_changed_accounts", &VenueCore::take_changed_accounts,
             "Accounts with new reports since the last call, each once.")
        .def(
            "diverted", [](VenueCore& self, std::optional<u32> account) { return list_of(self.diverted(account)); },
            "account"_a.none())
        .def_prop_ro("itch_next", [](const VenueCore& self) { return self.itch().next_seq(); })
        .def("itch_message",
             [](const VenueCore& self, u64 seq) {
                 if (seq == 0 || seq >= self.itch().next_seq()) throw nb::index_error("no such message");
                 return to_bytes(self.itch().message(seq));
             })
        .def("orders", &orders_of, "account"_a,
             "(name, previous name, instrument, side, status, px, qty, cum, leaves, reference) of every order")
        .def("open_orders_of", &open_orders_of, "account"_a,
             "(reference, instrument, side, px, qty, cum, leaves) of the open ones, oldest first")
        .def("fills", &fills_of, "account"_a,
             "(match number, name, instrument, side, px, qty, liquidity, fee, state, reference)")
        .def("holdings", &holdings_of, "account"_a, "(position, cash) per instrument")
        .def(
            "holding",
            [](const VenueCore& self, u32 account, u32 instrument) {
                const Holding held = self.ledger().holding(account, instrument);
                return std::make_tuple(held.position, held.cash);
            },
            "account"_a, "instrument"_a, "(position, cash)")
        .def(
            "audit",
            [](const VenueCore& self) {
                self.ledger().audit();
                self.engine().audit();
            },
            "Raises InvariantError unless all sums to 0 and the books do not contradict themselves.")
        .def_prop_ro("open_orders", [](const VenueCore& self) { return self.engine().open_orders(); })
        .def_prop_ro("is_open", &VenueCore::is_open)
        .def_prop_ro("is_durable", &VenueCore::is_durable, "Whether all that was applied survives the host.")
        .def_prop_ro("state_hash", &VenueCore::state_hash)
        .def("counters", &counters_of);
}

// (session, midnight_ns) of the journal in these directories, None without one.
std::optional<std::tuple<std::string, i64>> journal_beginning(std::string journal_dir, std::string hot_dir) {
    const auto found = beginning_of({.journal_dir = std::move(journal_dir), .hot_dir = std::move(hot_dir)});
    if (!found) return std::nullopt;
    return std::tuple(std::string(found->session, strnlen(found->session, sizeof found->session)), found->midnight_ns);
}

void bind_snapshot(nb::module_& m) {
    nb::class_<SnapshotPackets>(m, "SnapshotPackets", "A snapshot of a feed as SoupBinTCP packets, read as a log is.")
        .def_prop_ro("next_seq", &SnapshotPackets::next_seq)
        .def(
            "sequenced",
            [](const SnapshotPackets& self, u64 from, std::size_t bytes_max) {
                const auto [packets, next] = self.packets(from, bytes_max);
                return nb::make_tuple(to_bytes(packets), next);
            },
            "from_seq"_a, "bytes_max"_a, "(packets, the number after the last), at most so many bytes.");
    nb::class_<FeedSnapshot>(m, "FeedSnapshot", "What makes a newcomer's books those of who has heard the whole feed.")
        .def(
            "__init__", [](FeedSnapshot* self, const VenueCore& venue) { new (self) FeedSnapshot(venue.itch()); },
            "venue"_a, nb::keep_alive<1, 2>())
        .def("follow", &FeedSnapshot::follow, "messages_max"_a, "Hear so many more messages; whether that was all.")
        .def(
            "take", [](FeedSnapshot& self) { return std::const_pointer_cast<SnapshotPackets>(self.take()); },
            "As of the last message heard.")
        .def_prop_ro("orders", &FeedSnapshot::orders);
}

}  // namespace

void bind_exchange_venue(nb::module_& m) {
    nb::enum_<Protocol>(m, "Protocol", nb::is_arithmetic())
        .value("INTERNAL", Protocol::Internal)
        .value("OUCH42", Protocol::Ouch42)
        .value("OUCH50", Protocol::Ouch50);
    nb::enum_<Amended>(m, "Amended", nb::is_arithmetic())
        .value("DONE", Amended::Done)
        .value("UNKNOWN", Amended::Unknown)
        .value("BUSTED", Amended::Busted)
        .value("VALUE", Amended::Value)
        .value("PROTOCOL", Amended::Protocol);
    Venue venue(m, "VenueCore", "The venue sans I/O: order-entry messages of accounts in, their reports and ITCH out.");
    bind_configuration(venue);
    bind_inputs(venue);
    bind_answers(venue);
    bind_snapshot(m);
    m.def("exchange_journal_beginning", &journal_beginning, "journal_dir"_a, "hot_dir"_a,
          "(session, midnight_ns) of the exchange whose journal this is; None when there is none yet.");
}

}  // namespace openbell
