// The zero-intelligence flow on a matching engine of its own, for tests and studies of its book.
#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "exchange/matching/zero_intelligence.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
namespace {

using namespace exchange;

constexpr i64 kStartPx = 1'000'000, kTick = 1, kQty = 1;
constexpr std::size_t kOpenMax = 1 << 16;
constexpr u32 kFlowAccount = 0, kOwnAccount = 1;

// What the book did for a while, in ticks and units of time.
struct FlowPath {
    double time = 0;
    u64 limits = 0, cancels = 0;
    std::vector<double> spread_time;  // how long the spread was 1, 2, ... ticks; the last: that or more
    std::vector<double> depth_time;  // integral of the open quantity 1, 2, ... ticks from the opposite best, both sides
    std::vector<double> interval_mids;  // one every `interval`
    std::vector<double> changed_mids;   // after each change
    std::vector<int> trade_signs;       // 1: bought, -1: sold
};

class FlowBook : private MatchSink {
  public:
    FlowBook(const PoissonRates& rates, u64 seed)
        : engine_({rules()}, kOpenMax, *this), flow_(engine_, 0, kFlowAccount, rates, kTick, kQty, kStartPx, seed) {
        engine_.set_phase(0, Phase::Continuous);
    }
    FlowBook(const FlowBook&) = delete;
    FlowBook& operator=(const FlowBook&) = delete;

    // Each of `trials` begins with `bids` and `asks` orders one tick apart and nothing behind them. How often the mid
    // price goes up first.
    u64 ups(u32 bids, u32 asks, u64 trials) {
        return count(trials, [&] {
            play(bids, asks, 0, 0);
            return has_left(Side::Sell);
        });
    }
    // How often somebody's order, the last of the bids and never canceled, is filled before the mid price moves.
    u64 fills(u32 bids, u32 asks, u64 trials) {
        return count(trials, [&] {
            play(bids, asks, 1, 0);
            return own_fills_ == 1;
        });
    }
    // The same of two such orders, one on either side: how often both are.
    u64 makes(u32 bids, u32 asks, u64 trials) {
        return count(trials, [&] {
            play(bids, asks, 1, 1);
            return own_fills_ == 2;
        });
    }

    // Lets the flow go on for `events` and says what the book did.
    FlowPath run(u64 events, double interval, std::size_t ticks) {
        if (ticks == 0) throw Error(ErrorKind::Config, "ticks: expected at least 1, found 0");
        FlowPath path;
        path.spread_time.resize(ticks);
        path.depth_time.resize(ticks);
        path_ = &path;
        for (u64 i = 0; i < events; ++i) {
            const double waited = flow_.wait();
            if (is_quoted()) look(waited, interval);
            flow_.act();
            if (is_quoted()) note_mid();
        }
        path_ = nullptr;
        return path;
    }

  private:
    static InstrumentRules rules() {
        InstrumentRules rules;
        rules.ticks = {{0, kTick}};
        return rules;
    }
    u64 count(u64 trials, auto&& succeeds) {
        u64 n = 0;
        for (u64 i = 0; i < trials; ++i) n += succeeds();
        return n;
    }
    // Until the mid price moves or all of the `own_bids` + `own_asks` last orders are filled.
    void play(u32 bids, u32 asks, u32 own_bids, u32 own_asks) {
        if (bids == 0 || asks == 0) throw Error(ErrorKind::Config, "bids, asks: expected at least 1 of each, found 0");
        flow_.cancel_all();
        fill(Side::Buy, bids - own_bids, own_bids);
        fill(Side::Sell, asks - own_asks, own_asks);
        own_fills_ = 0;
        const u32 enough = own_bids + own_asks ? own_bids + own_asks : 1;
        while (own_fills_ < enough && !has_left(Side::Buy) && !has_left(Side::Sell)) flow_.act();
        for (u64 ref : own_) engine_.reduce(ref, 0, Cause::User);
        own_.clear();
    }
    void fill(Side side, u32 flows, u32 own) {
        for (u32 i = 0; i < flows; ++i) flow_.limit(side, start_px(side));
        for (u32 i = 0; i < own; ++i)
            own_.push_back(engine_.submit(0, kOwnAccount, side, {.px = start_px(side), .qty = kQty}, 0).ref);
    }
    static i64 start_px(Side side) { return side == Side::Buy ? kStartPx : kStartPx + kTick; }
    bool has_left(Side side) const {
        const Touch touch = engine_.touch(0, side);
        return touch.qty == 0 || touch.px != start_px(side);
    }

    bool is_quoted() const { return engine_.touch(0, Side::Buy).qty > 0 && engine_.touch(0, Side::Sell).qty > 0; }
    void look(double waited, double interval) {
        const i64 bid = engine_.touch(0, Side::Buy).px, ask = engine_.touch(0, Side::Sell).px;
        const std::size_t ticks = path_->spread_time.size();
        path_->spread_time[std::min(std::size_t(ask - bid), ticks) - 1] += waited;
        for (i64 i = 1; i <= i64(ticks); ++i) {
            const i64 both = engine_.depth_qty(0, Side::Buy, ask - i) + engine_.depth_qty(0, Side::Sell, bid + i);
            path_->depth_time[i - 1] += waited * double(both);
        }
        path_->time += waited;
        while (double(path_->interval_mids.size()) * interval < path_->time) path_->interval_mids.push_back(mid_);
    }
    void note_mid() {
        const double mid = 0.5 * double(engine_.touch(0, Side::Buy).px + engine_.touch(0, Side::Sell).px);
        if (mid != mid_) path_->changed_mids.push_back(mid);
        mid_ = mid;
    }

    void on_match_event(const MatchEvent& e) override {
        if (e.type == MatchEventType::Executed) own_fills_ += e.account == kOwnAccount;
        if (!path_) return;
        path_->limits += e.type == MatchEventType::Rested;
        path_->cancels += e.type == MatchEventType::Reduced;
        if (e.type == MatchEventType::Executed) path_->trade_signs.push_back(e.side == Side::Sell ? 1 : -1);
    }

    MatchingEngine engine_;
    ZeroIntelligence flow_;
    std::vector<u64> own_;
    u32 own_fills_ = 0;
    double mid_ = kStartPx;
    FlowPath* path_ = nullptr;
};

}  // namespace

void bind_exchange_flow(nb::module_& m) {
    const auto free = nb::call_guard<nb::gil_scoped_release>();
    nb::class_<PoissonRates>(m, "PoissonRates", "Events a unit of time, by distance from the opposite best quote.")
        .def(nb::init<std::vector<double>, double, std::vector<double>>(), "limit"_a, "market"_a, "cancel"_a)
        .def_ro("limit", &PoissonRates::limit)
        .def_ro("market", &PoissonRates::market)
        .def_ro("cancel", &PoissonRates::cancel);
    m.def("sky_perfect", &sky_perfect, "levels"_a, "Rates a minute of Cont, Stoikov, Talreja (2010).");
    nb::class_<FlowPath>(m, "FlowPath", "What a book did for a while, in ticks and units of time.")
        .def_ro("time", &FlowPath::time)
        .def_ro("limits", &FlowPath::limits)
        .def_ro("cancels", &FlowPath::cancels)
        .def_ro("spread_time", &FlowPath::spread_time)
        .def_ro("depth_time", &FlowPath::depth_time)
        .def_ro("interval_mids", &FlowPath::interval_mids)
        .def_ro("changed_mids", &FlowPath::changed_mids)
        .def_ro("trade_signs", &FlowPath::trade_signs);
    nb::class_<FlowBook>(m, "FlowBook", "Zero-intelligence flow on a matching engine of its own.")
        .def(nb::init<const PoissonRates&, u64>(), "rates"_a, "seed"_a)
        .def("ups", &FlowBook::ups, "bids"_a, "asks"_a, "trials"_a, free)
        .def("fills", &FlowBook::fills, "bids"_a, "asks"_a, "trials"_a, free)
        .def("makes", &FlowBook::makes, "bids"_a, "asks"_a, "trials"_a, free)
        .def("run", &FlowBook::run, "events"_a, "interval"_a = 1.0, "ticks"_a = 8, free);
}

}  // namespace openbell
