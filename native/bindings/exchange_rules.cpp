// What Python sees of the venue's rules: the pure parts, for tests and studies.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "bindings/fields.h"
#include "exchange/day/bands.h"
#include "exchange/day/circuit_breaker.h"
#include "exchange/day/schedule.h"
#include "exchange/fees.h"
#include "exchange/matching/uncross.h"

using namespace nanobind::literals;

namespace openbell {
namespace {

using namespace exchange;

using Pairs = std::vector<std::pair<i64, i64>>;

template <class Row>
std::vector<Row> rows_of(const Pairs& pairs) {
    std::vector<Row> out;
    for (const auto& [first, second] : pairs) out.push_back({first, second});
    return out;
}

// Market quantities and levels of both sides, kept while the spans of an AuctionBook look at them.
struct AuctionRows {
    AuctionRows(i64 market_buys, const Pairs& buys, i64 market_sells, const Pairs& sells)
        : bids(rows_of<AuctionLevel>(buys)),
          asks(rows_of<AuctionLevel>(sells)),
          book{{market_buys, bids}, {market_sells, asks}} {}
    AuctionRows(const AuctionRows&) = delete;
    AuctionRows& operator=(const AuctionRows&) = delete;

    std::vector<AuctionLevel> bids;
    std::vector<AuctionLevel> asks;
    AuctionBook book;
};

void bind_uncross(nb::module_& m) {
    m.def(
        "uncross",
        [](const Pairs& buys, const Pairs& sells, i64 market_buys, i64 market_sells, const Pairs& ticks, i64 reference,
           i64 lo, i64 hi) {
            const AuctionRows rows(market_buys, buys, market_sells, sells);
            const Uncross u = uncross(rows.book, rows_of<TickStep>(ticks), reference, {lo, hi});
            return std::make_tuple(u.px, u.volume, u.surplus);
        },
        "buys"_a, "sells"_a, "market_buys"_a, "market_sells"_a, "ticks"_a, "reference"_a, "lo"_a = PxRange{}.lo,
        "hi"_a = PxRange{}.hi, "(px, volume, surplus); levels are (px, qty), best first; ticks (from_px, tick)");
    m.def(
        "indicate",
        [](const Pairs& own_buys, const Pairs& own_sells, const Pairs& buys, const Pairs& sells, i64 market_buys,
           i64 market_sells, const Pairs& ticks, i64 reference, i64 lo, i64 hi) {
            const AuctionRows own(market_buys, own_buys, market_sells, own_sells);
            const AuctionRows all(market_buys, buys, market_sells, sells);
            const Indication i = indicate(own.book, all.book, rows_of<TickStep>(ticks), reference, {lo, hi});
            return std::make_tuple(i.far_px, i.near_px, i.reference_px, i.paired_qty, i.imbalance_qty);
        },
        "own_buys"_a, "own_sells"_a, "buys"_a, "sells"_a, "market_buys"_a, "market_sells"_a, "ticks"_a, "reference"_a,
        "lo"_a = PxRange{}.lo, "hi"_a = PxRange{}.hi, "(far_px, near_px, reference_px, paired_qty, imbalance_qty)");
    m.def(
        "price_variation",
        [](i64 near_px, i64 reference_px) { return std::string(1, price_variation(near_px, reference_px)); },
        "near_px"_a, "reference_px"_a);
}

// State as bytes, and back.
template <class T>
nb::bytes saved(const T& value) {
    StateWriter out;
    value.save(out);
    return to_bytes(out.bytes());
}
template <class T>
void load(T& value, const nb::bytes& state) {
    StateReader in(bytes_of(state));
    value.load(in);
}

using WidthRow = std::tuple<i64, i64, i64, bool>;

BandRules band_rules(const std::vector<WidthRow>& widths, i64 wide_from_ns, i64 window_s, i64 move_bps, i64 hold_ns,
                     i64 limit_ns, i64 pause_ns, i64 collar_bps) {
    BandRules rules{{}, wide_from_ns, window_s, move_bps, hold_ns, limit_ns, pause_ns, collar_bps};
    for (const auto& [from_px, bps, px_max, doubles] : widths) rules.widths.push_back({from_px, bps, px_max, doubles});
    return rules;
}

// Bands that own what they refer to.
struct OwnBands {
    OwnBands(BandRules r, const Pairs& t, i64 listed_px)
        : rules(std::move(r)), ticks(rows_of<TickStep>(t)), bands(rules, ticks, listed_px) {}
    OwnBands(const OwnBands&) = delete;
    OwnBands& operator=(const OwnBands&) = delete;

    BandRules rules;
    std::vector<TickStep> ticks;
    Bands bands;
};

void bind_bands(nb::module_& m) {
    m.attr("NEVER") = kNever;
    const BandRules d;
    nb::class_<BandRules>(m, "BandRules", "widths: (from_px, bps, px_max, doubles_before_close)")
        .def(nb::new_(&band_rules), "widths"_a, "wide_from_ns"_a = d.wide_from_ns, "window_s"_a = d.window_s,
             "move_bps"_a = d.move_bps, "hold_ns"_a = d.hold_ns, "limit_ns"_a = d.limit_ns, "pause_ns"_a = d.pause_ns,
             "collar_bps"_a = d.collar_bps);
    nb::enum_<BandAction>(m, "BandAction")
        .value("SET_BANDS", BandAction::SetBands)
        .value("ENTER_LIMIT", BandAction::EnterLimit)
        .value("LEAVE_LIMIT", BandAction::LeaveLimit)
        .value("PAUSE", BandAction::Pause)
        .value("END_CALL", BandAction::EndCall)
        .value("EXTEND", BandAction::Extend)
        .value("REOPEN", BandAction::Reopen);
    nb::class_<OwnBands>(m, "Bands")
        .def(nb::init<BandRules, const Pairs&, i64>(), "rules"_a, "ticks"_a, "listed_px"_a = 0)
        .def(
            "open",
            [](OwnBands& self, i64 reference, i64 midnight, i64 now) { self.bands.open(reference, midnight, now); },
            "reference"_a, "midnight_ns"_a, "now"_a)
        .def("stop", [](OwnBands& self) { self.bands.stop(); })
        .def(
            "on_trade", [](OwnBands& self, i64 px, i64 now) { self.bands.on_trade(px, now); }, "px"_a, "now"_a)
        .def(
            "on_touch", [](OwnBands& self, i64 bid, i64 ask, i64 now) { self.bands.on_touch(bid, ask, now); }, "bid"_a,
            "ask"_a, "now"_a)
        .def(
            "on_call_price", [](OwnBands& self, i64 px) { self.bands.on_call_price(px); }, "px"_a)
        .def(
            "next",
            [](OwnBands& self, i64 now) {
                const auto c = self.bands.next(now);
                using Row = std::tuple<BandAction, i64, i64, i64, i64, i64, u32>;
                return c ? std::optional<Row>({c->action, c->at, c->lo, c->hi, c->reference, c->until, c->extension})
                         : std::nullopt;
            },
            "now"_a, "(action, at, lo, hi, reference, until, extension), or None when nothing is due")
        .def_prop_ro("next_due", [](const OwnBands& self) { return self.bands.next_due(); })
        .def_prop_ro("reference", [](const OwnBands& self) { return self.bands.reference(); })
        .def("save", [](const OwnBands& self) { return saved(self.bands); })
        .def("load", [](OwnBands& self, const nb::bytes& state) { load(self.bands, state); }, "state"_a);
}

using StepRow = std::tuple<i64, StepKind, Phase, Auction, i64, std::string>;

ScheduleRules schedule_rules(const std::vector<StepRow>& steps, i64 call_interval_ns) {
    ScheduleRules rules{{}, call_interval_ns};
    for (const auto& [at_ns, kind, phase, auction, interval_ns, name] : steps)
        rules.steps.push_back({at_ns, kind, phase, auction, interval_ns, name});
    return rules;
}

// A schedule that owns its rules.
struct OwnSchedule {
    explicit OwnSchedule(ScheduleRules r) : rules(std::move(r)), schedule(rules) {}
    OwnSchedule(const OwnSchedule&) = delete;
    OwnSchedule& operator=(const OwnSchedule&) = delete;

    ScheduleRules rules;
    Schedule schedule;
};

nb::object due_of(const std::optional<ScheduleDue>& due) {
    if (!due) return nb::none();
    return nb::make_tuple(due->at, due->step ? nb::cast(due->step->name) : nb::none());
}

void bind_schedule(nb::module_& m) {
    nb::enum_<StepKind>(m, "StepKind")
        .value("PHASE", StepKind::Phase)
        .value("AUCTION", StepKind::Auction)
        .value("IMBALANCE", StepKind::Imbalance);
    nb::class_<ScheduleRules>(m, "ScheduleRules", "steps: (at_ns, kind, phase, auction, interval_ns, name)")
        .def(nb::new_(&schedule_rules), "steps"_a, "call_interval_ns"_a = ScheduleRules{}.call_interval_ns)
        .def_prop_ro("steps",
                     [](const ScheduleRules& rules) {
                         std::vector<StepRow> rows;
                         for (const ScheduleStep& s : rules.steps)
                             rows.emplace_back(s.at_ns, s.kind, s.phase, s.auction, s.interval_ns, s.name);
                         return rows;
                     })
        .def_ro("call_interval_ns", &ScheduleRules::call_interval_ns);
    nb::class_<OwnSchedule>(m, "Schedule")
        .def(nb::init<ScheduleRules>(), "rules"_a)
        .def(
            "open_day", [](OwnSchedule& self, i64 midnight_ns) { self.schedule.open_day(midnight_ns); },
            "midnight_ns"_a)
        .def(
            "on_phase", [](OwnSchedule& self, Phase phase, i64 now) { self.schedule.on_phase(phase, now); }, "phase"_a,
            "now"_a)
        .def(
            "next", [](OwnSchedule& self, i64 now) { return due_of(self.schedule.next(now)); }, "now"_a,
            "(at, name of the step, None for an imbalance), or None when nothing is due")
        .def_prop_ro("next_due", [](const OwnSchedule& self) { return self.schedule.next_due(); })
        .def_prop_ro("scheduled_phase", [](const OwnSchedule& self) { return self.schedule.scheduled_phase(); })
        .def("save", [](const OwnSchedule& self) { return saved(self.schedule); })
        .def("load", [](OwnSchedule& self, const nb::bytes& state) { load(self.schedule, state); }, "state"_a);
}

using Rates = std::array<i64, kLiquidities>;

FeeRules fee_rules(const std::vector<std::tuple<i64, Rates, Rates>>& tiers, i64 value_below_px, i64 charge_min,
                   i64 charge_max) {
    FeeRules rules{{}, value_below_px, charge_min, charge_max};
    for (const auto& [volume_min, per_share, per_value] : tiers)
        rules.tiers.push_back({volume_min, per_share, per_value});
    return rules;
}

void bind_fees(nb::module_& m) {
    nb::enum_<Liquidity>(m, "Liquidity", nb::is_arithmetic())
        .value("MAKER", Liquidity::Maker)
        .value("HIDDEN_MAKER", Liquidity::HiddenMaker)
        .value("MID_MAKER", Liquidity::MidMaker)
        .value("TAKER", Liquidity::Taker)
        .value("MID_TAKER", Liquidity::MidTaker)
        .value("OPENING", Liquidity::Opening)
        .value("CLOSING", Liquidity::Closing)
        .value("REOPENING", Liquidity::Reopening);
    nb::class_<FeeRules>(m, "FeeRules", "tiers: (volume_min, per_share, per_value), rates in 1e-6 by Liquidity")
        .def(nb::new_(&fee_rules), "tiers"_a, "value_below_px"_a = 0, "charge_min"_a = 0, "charge_max"_a = 0)
        .def("tier", &fee_tier, "volume"_a)
        .def(
            "terms",
            [](const FeeRules& rules, u32 tier, Liquidity liquidity) {
                const FeeTerms t = terms_of(rules, tier, liquidity);
                return nb::make_tuple(t.per_lot, t.per_value, t.value_below_px, t.charge_min, t.charge_max);
            },
            "tier"_a, "liquidity"_a, "what a FeeRate says of it: per_lot, per_value, value_below_px, bounds")
        .def("fee", &fee, "tier"_a, "liquidity"_a, "px"_a, "qty"_a, "Of one fill, in 1e-4; negative: a rebate");
}

// A breaker that owns its rules.
struct OwnBreaker {
    OwnBreaker(i64 index_close, i64 midnight_ns) : breaker(rules, index_close, midnight_ns) {}
    OwnBreaker(const OwnBreaker&) = delete;
    OwnBreaker& operator=(const OwnBreaker&) = delete;

    BreakerRules rules{};
    CircuitBreaker breaker;
};

void bind_circuit_breaker(nb::module_& m) {
    nb::class_<OwnBreaker>(m, "CircuitBreaker")
        .def(nb::init<i64, i64>(), "index_close"_a, "midnight_ns"_a)
        .def_prop_ro("levels", [](const OwnBreaker& self) { return self.breaker.levels(); })
        .def_prop_ro("breached", [](const OwnBreaker& self) { return self.breaker.breached(); })
        .def(
            "on_index",
            [](OwnBreaker& self, i64 value, i64 now) {
                const auto halt = self.breaker.on_index(value, now);
                return halt ? std::optional(std::make_tuple(halt->level, halt->until)) : std::nullopt;
            },
            "value"_a, "now"_a, "(level, until) of the halt that it demands, or None")
        .def("save", [](const OwnBreaker& self) { return saved(self.breaker); })
        .def("load", [](OwnBreaker& self, const nb::bytes& state) { load(self.breaker, state); }, "state"_a);
}

}  // namespace

void bind_exchange_rules(nb::module_& m) {
    bind_uncross(m);
    bind_bands(m);
    bind_schedule(m);
    bind_fees(m);
    bind_circuit_breaker(m);
}

}  // namespace openbell
