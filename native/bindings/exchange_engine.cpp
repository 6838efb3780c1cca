// What Python sees of the matching engine: the engine with a sink that keeps events until they are taken.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <tuple>
#include <utility>

#include "exchange/matching/engine.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
namespace {

using namespace exchange;

constexpr const char* kEventFields[] = {"type",
                                        "side",
                                        "cause",
                                        "priority",
                                        "phase",
                                        "auction",
                                        "is_auction",
                                        "instrument",
                                        "account",
                                        "aggressor_account",
                                        "ref",
                                        "tag",
                                        "shown_ref",
                                        "prev_ref",
                                        "prev_shown_ref",
                                        "aggressor_ref",
                                        "aggressor_tag",
                                        "aggressor_shown_ref",
                                        "match_number",
                                        "px",
                                        "prev_px",
                                        "qty",
                                        "shown_qty",
                                        "leaves",
                                        "aggressor_leaves",
                                        "prevented_qty"};

nb::tuple row_of(const MatchEvent& e) {
    return nb::make_tuple(int(e.type), int(e.side), int(e.cause), int(e.priority), int(e.phase), int(e.auction),
                          e.is_auction, e.instrument, e.account, e.aggressor_account, e.ref, e.tag, e.shown_ref,
                          e.prev_ref, e.prev_shown_ref, e.aggressor_ref, e.aggressor_tag, e.aggressor_shown_ref,
                          e.match_number, e.px, e.prev_px, e.qty, e.shown_qty, e.leaves, e.aggressor_leaves,
                          e.prevented_qty);
}

class RecordedMatching : private MatchSink {
  public:
    RecordedMatching(std::vector<InstrumentRules> rules, std::size_t orders_max, bool matches)
        : engine(std::move(rules), orders_max, *this, matches) {}
    RecordedMatching(const RecordedMatching&) = delete;
    RecordedMatching& operator=(const RecordedMatching&) = delete;

    nb::list take_events() {
        nb::list rows;
        for (const MatchEvent& event : std::exchange(events_, {})) rows.append(row_of(event));
        return rows;
    }

    MatchingEngine engine;

  private:
    void on_match_event(const MatchEvent& e) override { events_.push_back(e); }
    std::vector<MatchEvent> events_;
};

std::tuple<u64, Refusal> pair_of(Submitted s) { return {s.ref, s.refusal}; }

void bind_words(nb::module_& m) {
    m.attr("MARKET_PX") = kMarketPx;
    m.attr("WHOLE_QTY") = kWholeQty;
    nb::list fields;
    for (const char* field : kEventFields) fields.append(field);
    m.attr("MATCH_EVENT_FIELDS") = nb::tuple(fields);

    nb::enum_<OrderType>(m, "OrderType", nb::is_arithmetic())
        .value("LIMIT", OrderType::Limit)
        .value("MARKET", OrderType::Market)
        .value("MARKET_TO_LIMIT", OrderType::MarketToLimit)
        .value("STOP", OrderType::Stop)
        .value("STOP_LIMIT", OrderType::StopLimit)
        .value("PEGGED", OrderType::Pegged);
    nb::enum_<Peg>(m, "Peg", nb::is_arithmetic())
        .value("NONE", Peg::None)
        .value("PRIMARY", Peg::Primary)
        .value("MID", Peg::Mid)
        .value("MARKET", Peg::Market);
    nb::enum_<PostOnly>(m, "PostOnly", nb::is_arithmetic())
        .value("NO", PostOnly::No)
        .value("REJECT", PostOnly::Reject)
        .value("SLIDE", PostOnly::Slide);
    nb::enum_<SelfTrade>(m, "SelfTrade", nb::is_arithmetic())
        .value("ALLOW", SelfTrade::Allow)
        .value("CANCEL_NEWEST", SelfTrade::CancelNewest)
        .value("CANCEL_OLDEST", SelfTrade::CancelOldest)
        .value("CANCEL_BOTH", SelfTrade::CancelBoth)
        .value("DECREMENT", SelfTrade::Decrement);
    nb::enum_<Phase>(m, "Phase", nb::is_arithmetic())
        .value("CLOSED", Phase::Closed)
        .value("OPENING_CALL", Phase::OpeningCall)
        .value("CONTINUOUS", Phase::Continuous)
        .value("CLOSING_CALL", Phase::ClosingCall)
        .value("HALTED", Phase::Halted)
        .value("REOPENING_CALL", Phase::ReopeningCall);
    nb::enum_<Auction>(m, "Auction", nb::is_arithmetic())
        .value("OPENING", Auction::Opening)
        .value("CLOSING", Auction::Closing)
        .value("REOPENING", Auction::Reopening);
    nb::enum_<Allocation>(m, "Allocation", nb::is_arithmetic())
        .value("FIFO", Allocation::Fifo)
        .value("PRO_RATA", Allocation::ProRata);
    nb::enum_<Refusal>(m, "Refusal", nb::is_arithmetic())
        .value("NONE", Refusal::None)
        .value("CLOSED", Refusal::Closed)
        .value("HALTED", Refusal::Halted)
        .value("PHASE_NOT_ALLOWED", Refusal::PhaseNotAllowed)
        .value("TYPE", Refusal::Type)
        .value("TIME_IN_FORCE", Refusal::TimeInForce)
        .value("PRICE", Refusal::Price)
        .value("TICK", Refusal::Tick)
        .value("PRICE_COLLAR", Refusal::PriceCollar)
        .value("QTY", Refusal::Qty)
        .value("QTY_MAX", Refusal::QtyMax)
        .value("DISPLAY", Refusal::Display)
        .value("MIN_QTY", Refusal::MinQty)
        .value("POST_ONLY", Refusal::PostOnly)
        .value("STOP_PRICE", Refusal::StopPrice)
        .value("PEG", Refusal::Peg)
        .value("FULL", Refusal::Full)
        .value("NOT_LIVE", Refusal::NotLive)
        .value("SYMBOL", Refusal::Symbol)
        .value("SIDE", Refusal::Side)
        .value("CROSS", Refusal::Cross)
        .value("WORDS", Refusal::Words)
        .value("RATE", Refusal::Rate)
        .value("DISABLED", Refusal::Disabled)
        .value("ORDERED", Refusal::Ordered);
}

void bind_event_words(nb::module_& m) {
    nb::enum_<MatchEventType>(m, "MatchEventType", nb::is_arithmetic())
        .value("ACCEPTED", MatchEventType::Accepted)
        .value("RESTED", MatchEventType::Rested)
        .value("EXECUTED", MatchEventType::Executed)
        .value("REDUCED", MatchEventType::Reduced)
        .value("DISCARDED", MatchEventType::Discarded)
        .value("REPLACED", MatchEventType::Replaced)
        .value("REFRESHED", MatchEventType::Refreshed)
        .value("REPRICED", MatchEventType::Repriced)
        .value("TRIGGERED", MatchEventType::Triggered)
        .value("CROSSED", MatchEventType::Crossed)
        .value("PHASE_CHANGED", MatchEventType::PhaseChanged);
    nb::enum_<Priority>(m, "Priority", nb::is_arithmetic())
        .value("NONE", Priority::None)
        .value("KEPT", Priority::Kept)
        .value("LOST", Priority::Lost)
        .value("REENTERED", Priority::Reentered);
    nb::enum_<Cause>(m, "Cause", nb::is_arithmetic())
        .value("NONE", Cause::None)
        .value("USER", Cause::User)
        .value("IMMEDIATE_OR_CANCEL", Cause::ImmediateOrCancel)
        .value("POST_ONLY", Cause::PostOnly)
        .value("TIMEOUT", Cause::Timeout)
        .value("DISCONNECT", Cause::Disconnect)
        .value("CLOSE", Cause::Close)
        .value("SELF_MATCH", Cause::SelfMatch)
        .value("COLLAR", Cause::Collar)
        .value("AUCTION_OVER", Cause::AuctionOver)
        .value("SUPERVISORY", Cause::Supervisory)
        .value("MASS_CANCEL", Cause::MassCancel);
}

void bind_terms(nb::module_& m) {
    nb::class_<Terms>(m, "Terms", "What an order asks of the matching engine; `display` WHOLE_QTY shows everything.")
        .def(
            "__init__",
            [](Terms* self, i64 px, i64 qty, Tif tif, OrderType type, PostOnly post_only, Peg peg, SelfTrade self_trade,
               bool keeps_place, u32 group, i64 display, i64 min_qty, i64 stop_px, i64 peg_offset) {
                new (self) Terms{px,          qty,   tif,     type,    post_only, peg,       self_trade,
                                 keeps_place, group, display, min_qty, stop_px,   peg_offset};
            },
            "px"_a = kMarketPx, "qty"_a = 0, nb::kw_only(), "tif"_a = Tif::Day, "type"_a = OrderType::Limit,
            "post_only"_a = PostOnly::No, "peg"_a = Peg::None, "self_trade"_a = SelfTrade::Allow,
            "keeps_place"_a = true, "group"_a = 0, "display"_a = kWholeQty, "min_qty"_a = 0, "stop_px"_a = 0,
            "peg_offset"_a = 0);
    nb::class_<InstrumentRules>(m, "InstrumentRules", "The rules of one instrument; ticks are (from px, tick).")
        .def(
            "__init__",
            [](InstrumentRules* self, std::string symbol, const std::vector<std::pair<i64, i64>>& ticks, i64 lot,
               u32 round_lot, i64 qty_max, i64 listed_px, i64 limit_collar_bps, i64 market_collar_bps,
               Allocation allocation, bool grants_top, i64 fifo_percent, i64 min_allocation) {
                new (self) InstrumentRules();
                self->symbol = std::move(symbol);
                self->ticks.clear();
                for (const auto& [from_px, tick] : ticks) self->ticks.push_back({from_px, tick});
                self->lot = lot;
                self->round_lot = round_lot;
                self->qty_max = qty_max;
                self->listed_px = listed_px;
                self->limit_collar_bps = limit_collar_bps;
                self->market_collar_bps = market_collar_bps;
                self->allocation = allocation;
                self->pro_rata = {grants_top, fifo_percent, min_allocation};
            },
            "symbol"_a, nb::kw_only(), "ticks"_a = std::vector<std::pair<i64, i64>>{{0, 100}}, "lot"_a = 1,
            "round_lot"_a = 100, "qty_max"_a = 999'999, "listed_px"_a = 0, "limit_collar_bps"_a = 0,
            "market_collar_bps"_a = 0, "allocation"_a = Allocation::Fifo, "grants_top"_a = false, "fifo_percent"_a = 0,
            "min_allocation"_a = 1);
}

void bind_engine_verbs(nb::module_& m) {
    nb::class_<RecordedMatching>(m, "MatchingEngine", "The matching engine; keeps its events until they are taken.")
        .def(nb::init<std::vector<InstrumentRules>, std::size_t, bool>(), "rules"_a, "orders_max"_a, "matches"_a = true)
        .def(
            "submit",
            [](RecordedMatching& self, u32 instrument, u32 account, Side side, const Terms& terms, u64 tag) {
                return pair_of(self.engine.submit(instrument, account, side, terms, tag));
            },
            "instrument"_a, "account"_a, "side"_a, "terms"_a, "tag"_a = 0, "(ref, refusal); ref 0 when refused")
        .def(
            "refuse",
            [](const RecordedMatching& self, u32 instrument, Side side, const Terms& terms) {
                return self.engine.refuse(instrument, side, terms);
            },
            "instrument"_a, "side"_a, "terms"_a)
        .def(
            "refuse_replace",
            [](const RecordedMatching& self, u64 ref, const Terms& terms) {
                return self.engine.refuse_replace(ref, terms);
            },
            "ref"_a, "terms"_a)
        .def(
            "replace",
            [](RecordedMatching& self, u64 ref, const Terms& terms, u64 tag) {
                return pair_of(self.engine.replace(ref, terms, tag));
            },
            "ref"_a, "terms"_a, "tag"_a = 0, "(ref, refusal); ref 0 when refused")
        .def(
            "reduce",
            [](RecordedMatching& self, u64 ref, i64 leaves, Cause cause) {
                return self.engine.reduce(ref, leaves, cause);
            },
            "ref"_a, "leaves"_a, "cause"_a = Cause::User)
        .def(
            "mass_cancel",
            [](RecordedMatching& self, u32 account, std::optional<u32> instrument, std::optional<Side> side,
               Cause cause) { return self.engine.mass_cancel(account, instrument, side, cause); },
            "account"_a, "instrument"_a.none() = nb::none(), "side"_a.none() = nb::none(),
            "cause"_a = Cause::MassCancel, "How many orders were canceled.")
        .def(
            "set_phase",
            [](RecordedMatching& self, u32 instrument, Phase phase, bool with_closing_auction) {
                self.engine.set_phase(instrument, phase, with_closing_auction);
            },
            "instrument"_a, "phase"_a, "with_closing_auction"_a = false)
        .def(
            "set_bands",
            [](RecordedMatching& self, u32 instrument, i64 lo, i64 hi) { self.engine.set_bands(instrument, lo, hi); },
            "instrument"_a, "lo"_a, "hi"_a, "0 and 0: none")
        .def(
            "indicative",
            [](const RecordedMatching& self, u32 instrument, Auction auction) {
                const Uncross u = self.engine.indicative(instrument, auction);
                return std::make_tuple(u.px, u.volume, u.surplus);
            },
            "instrument"_a, "auction"_a, "(px, paired qty, surplus) if the auction were now")
        .def(
            "indication",
            [](const RecordedMatching& self, u32 instrument) {
                const Indication i = self.engine.indication(instrument);
                return std::make_tuple(i.far_px, i.near_px, i.reference_px, i.paired_qty, i.imbalance_qty);
            },
            "instrument"_a, "(far_px, near_px, reference_px, paired_qty, imbalance_qty)")
        .def(
            "phase", [](const RecordedMatching& self, u32 instrument) { return self.engine.phase(instrument); },
            "instrument"_a)
        .def(
            "last_px", [](const RecordedMatching& self, u32 instrument) { return self.engine.last_px(instrument); },
            "instrument"_a, "0 before the first trade")
        .def(
            "reference_px",
            [](const RecordedMatching& self, u32 instrument) { return self.engine.reference_px(instrument); },
            "instrument"_a)
        .def(
            "touch",
            [](const RecordedMatching& self, u32 instrument, Side side) {
                Touch touch = self.engine.touch(instrument, side);
                return std::make_tuple(touch.px, touch.qty);
            },
            "instrument"_a, "side"_a, "(px, displayed qty)")
        .def(
            "depth_qty",
            [](const RecordedMatching& self, u32 instrument, Side side, i64 px) {
                return self.engine.depth_qty(instrument, side, px);
            },
            "instrument"_a, "side"_a, "px"_a, "Open quantity at px, hidden too.")
        .def(
            "leaves",
            [](const RecordedMatching& self, u64 ref) {
                const OpenOrder* order = self.engine.find(ref);
                return order ? order->leaves : 0;
            },
            "ref"_a, "Open quantity of an order, 0 when it is not live.")
        .def(
            "queue",
            [](const RecordedMatching& self, u32 instrument, Side side) {
                std::vector<std::tuple<u64, i64, i64, i64>> rows;
                self.engine.walk(instrument, side, [&](const OpenOrder& order, i64 shown) {
                    rows.emplace_back(order.ref, order.px, shown, order.leaves);
                });
                return rows;
            },
            "instrument"_a, "side"_a, "(ref, px, displayed qty, open qty) in the order in which they would trade")
        .def(
            "displayed",
            [](const RecordedMatching& self, u32 instrument, Side side) {
                std::vector<std::tuple<u64, i64, i64>> rows;
                self.engine.walk_displayed(instrument, side,
                                           [&](u64 ref, i64 px, i64 qty) { rows.emplace_back(ref, px, qty); });
                return rows;
            },
            "instrument"_a, "side"_a, "(shown_ref, px, qty), best first, then by time")
        .def("save",
             [](const RecordedMatching& self) {
                 StateWriter out;
                 self.engine.save(out);
                 return nb::bytes(out.bytes().data(), out.bytes().size());
             })
        .def(
            "load",
            [](RecordedMatching& self, const nb::bytes& state) {
                StateReader in({reinterpret_cast<const u8*>(state.c_str()), state.size()});
                self.engine.load(in);
            },
            "state"_a, "Into a fresh engine of the same rules and capacity.")
        .def("state_hash", [](const RecordedMatching& self) { return self.engine.state_hash(); })
        .def("audit", [](const RecordedMatching& self) { self.engine.audit(); })
        .def_prop_ro("open_orders", [](const RecordedMatching& self) { return self.engine.open_orders(); })
        .def("take_events", &RecordedMatching::take_events, "Tuples of MATCH_EVENT_FIELDS, enums as integers.");
}

}  // namespace

void bind_exchange_engine(nb::module_& m) {
    bind_words(m);
    bind_event_words(m);
    bind_terms(m);
    bind_engine_verbs(m);
}

}  // namespace openbell
