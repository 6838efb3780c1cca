// Loops that measure the matching engine without Python in between; bench/matching.py calls them.
//
// The stream is recorded from an engine of the same build, so that making it costs nothing while it is timed: fed with
// the same operations, an engine hands out the same references.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <ctime>

#include "error.h"
#include "exchange/matching/engine.h"
#include "rng.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
namespace {

using namespace exchange;

enum class Verb : u8 { Add, Cancel, Replace, Aggress };
constexpr std::size_t kVerbs = 4;

struct Operation {
    Verb verb;
    Side side;
    u32 instrument;
    u32 account;
    u64 ref;  // of Cancel and Replace
    u64 tag;
    i64 px;
    i64 qty;
};

// How often each verb comes, in percent; what is left is Aggress.
constexpr u64 kAddPercent = 60, kCancelPercent = 30, kReplacePercent = 5;
constexpr u64 kAggressPercent = 100 - kAddPercent - kCancelPercent - kReplacePercent;
// Orders that one aggressive order takes on average, so that as many leave the book as come.
constexpr double kOrdersTaken = double(kAddPercent - kCancelPercent) / kAggressPercent;
constexpr i64 kTick = 100, kStartPx = 100'000'000, kQtyMax = 10;
constexpr i64 kThroughPx = 1'000 * kTick;  // an aggressive order's limit lies so far behind the touch
constexpr u64 kAccounts = 100;

// Of this thread's processor: what others do to the machine is not the engine's.
i64 thread_time_ns() {
    timespec t;
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return i64(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

i64 now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

// The cheapest sink that still reads what it is told.
class CountingSink final : public MatchSink {
  public:
    void on_match_event(const MatchEvent& e) override {
        ++events;
        sum += u64(e.qty) + e.ref;
    }
    bool operator==(const CountingSink& other) const { return events == other.events && sum == other.sum; }
    u64 events = 0;
    u64 sum = 0;
};

// The rules that a plain order can meet: a tick table and collars.
std::vector<InstrumentRules> rules_of(u32 instruments) {
    InstrumentRules rules;
    rules.ticks = {{0, 1}, {1'000'000, kTick}};
    rules.listed_px = kStartPx;
    rules.limit_collar_bps = 1'000;
    rules.market_collar_bps = 500;
    return std::vector<InstrumentRules>(instruments, rules);
}

void open_all(MatchingEngine& engine, u32 instruments) {
    for (u32 i = 0; i < instruments; ++i) engine.set_phase(i, Phase::Continuous);
}

// Nobody trades with himself.
Terms terms_of(const Operation& op, Tif tif = Tif::Day) {
    return {.px = op.px, .qty = op.qty, .tif = tif, .self_trade = SelfTrade::CancelOldest, .group = op.account + 1};
}

inline u64 apply(MatchingEngine& engine, const Operation& op) {
    switch (op.verb) {
        case Verb::Add: return engine.submit(op.instrument, op.account, op.side, terms_of(op), op.tag).ref;
        case Verb::Aggress:
            return engine.submit(op.instrument, op.account, op.side, terms_of(op, Tif::Ioc), op.tag).ref;
        case Verb::Replace: return engine.replace(op.ref, terms_of(op), op.tag).ref;
        case Verb::Cancel: return engine.reduce(op.ref, 0, Cause::User);
    }
    return 0;
}

// Chooses operations and plays them on an engine of its own. Its orders are numbered from 1: the number is the tag.
class MixWriter final : private MatchSink {
  public:
    MixWriter(u32 instruments, std::size_t orders_open, double depth_ticks, u64 seed)
        : engine_(rules_of(instruments), 2 * orders_open, *this),
          rng_(seed),
          side_target_(double(orders_open) / (2.0 * instruments)),
          depth_ticks_(depth_ticks),
          live_(instruments) {
        orders_.resize(1);
        open_all(engine_, instruments);
        told_ = {};
    }

    Operation add() { return played(added(u32(rng_.below(live_.size())))); }
    Operation mixed() {
        const u32 instrument = u32(rng_.below(live_.size()));
        const u64 what = rng_.below(100);
        if (what < kAddPercent || live_[instrument].empty()) return played(added(instrument));
        if (what < kAddPercent + kCancelPercent) return played(canceled(instrument));
        if (what < kAddPercent + kCancelPercent + kReplacePercent) return played(replaced(instrument));
        return played(aggressive(instrument));
    }
    const CountingSink& told() const { return told_; }

  private:
    struct Order {
        u64 ref = 0;
        u32 instrument = 0;
        u32 account = 0;
        std::size_t at = 0;  // in live_[instrument]
        Side side = Side::Buy;
    };

    Operation played(const Operation& op) {
        if (apply(engine_, op) == 0) throw Error(ErrorKind::Invariant, "matching bench: the engine refused its stream");
        return op;
    }
    Operation added(u32 instrument) {
        const Side side = rng_.below(2) ? Side::Buy : Side::Sell;
        const u32 account = u32(rng_.below(kAccounts));
        orders_.push_back({0, instrument, account, 0, side});
        return {Verb::Add,
                side,
                instrument,
                account,
                0,
                orders_.size() - 1,
                passive(instrument, side),
                1 + i64(rng_.below(kQtyMax))};
    }
    Operation canceled(u32 instrument) {
        const Order& order = any(instrument);
        return {Verb::Cancel, order.side, instrument, order.account, order.ref, 0, 0, 0};
    }
    // Half of the replaces change the price, half the size.
    Operation replaced(u32 instrument) {
        const Order& order = any(instrument);
        const OpenOrder& resting = *engine_.find(order.ref);
        const u64 tag = u64(&order - orders_.data());
        const bool moves = rng_.below(2);
        return {Verb::Replace,
                order.side,
                instrument,
                order.account,
                order.ref,
                tag,
                moves ? passive(instrument, order.side) : resting.px,
                1 + i64(rng_.below(kQtyMax))};
    }
    // Takes more from a side that is too full, less from one that is thin.
    Operation aggressive(u32 instrument) {
        const Side side = rng_.below(2) ? Side::Buy : Side::Sell;
        const bool hit_asks = side == Side::Buy;
        const double taken = kOrdersTaken * double(open_of(instrument, hit_asks)) / side_target_;
        const i64 qty = 1 + i64(rng_.uniform() * taken * double(kQtyMax + 1));
        const Touch touch = engine_.touch(instrument, hit_asks ? Side::Sell : Side::Buy);
        const i64 px = touch.qty == 0 ? kStartPx : touch.px + (hit_asks ? kThroughPx : -kThroughPx);
        return {Verb::Aggress, side, instrument, u32(rng_.below(kAccounts)), 0, 0, px, qty};
    }

    // Behind the opposite touch by 1 tick and an exponential distance.
    i64 passive(u32 instrument, Side side) {
        const bool is_bid = side == Side::Buy;
        const Touch other = engine_.touch(instrument, is_bid ? Side::Sell : Side::Buy);
        const i64 distance = kTick * (1 + i64(-depth_ticks_ * std::log(1.0 - rng_.uniform())));
        const i64 from = other.qty ? other.px : kStartPx;
        return is_bid ? from - distance : from + distance;
    }
    const Order& any(u32 instrument) {
        const auto& live = live_[instrument];
        return orders_[live[rng_.below(live.size())]];
    }
    u64& open_of(u32 instrument, bool is_ask) { return open_.at(2 * instrument + is_ask); }

    void on_match_event(const MatchEvent& e) override {
        told_.on_match_event(e);
        if (e.tag == 0) return;
        Order& order = orders_[e.tag];
        if (e.type == MatchEventType::Replaced) order.ref = e.ref;
        if (e.type == MatchEventType::Rested && order.ref == 0) enter(order, e);
        const bool takes = e.type == MatchEventType::Executed || e.type == MatchEventType::Reduced;
        if (takes && e.leaves == 0) leave(order);
    }
    void enter(Order& order, const MatchEvent& e) {
        auto& live = live_[order.instrument];
        order.ref = e.ref;
        order.at = live.size();
        live.push_back(u32(e.tag));
        ++open_of(order.instrument, order.side == Side::Sell);
    }
    void leave(const Order& order) {
        auto& live = live_[order.instrument];
        live[order.at] = live.back();
        orders_[live[order.at]].at = order.at;
        live.pop_back();
        --open_of(order.instrument, order.side == Side::Sell);
    }

    MatchingEngine engine_;
    SplitMix64 rng_;
    double side_target_;
    double depth_ticks_;
    std::vector<Order> orders_;
    std::vector<std::vector<u32>> live_;  // per instrument
    std::vector<u64> open_ = std::vector<u64>(2 * live_.size());
    CountingSink told_;
};

// A recorded stream: first what fills the book and warms it, then what is measured.
class MatchingMix {
  public:
    MatchingMix(u32 instruments, std::size_t orders_open, double depth_ticks, std::size_t operations, u64 seed)
        : instruments_(instruments), orders_max_(2 * orders_open) {
        MixWriter writer(instruments, orders_open, depth_ticks, seed);
        for (std::size_t i = 0; i < orders_open; ++i) before_.push_back(writer.add());
        for (std::size_t i = 0; i < operations / 4; ++i) before_.push_back(writer.mixed());
        for (std::size_t i = 0; i < operations; ++i) timed_.push_back(writer.mixed());
        told_ = writer.told();
    }

    // Operations a second of processor time.
    double rate() const {
        CountingSink sink;
        MatchingEngine engine(rules_of(instruments_), orders_max_, sink);
        fill(engine, sink);
        const i64 start = thread_time_ns();
        for (const Operation& op : timed_) apply(engine, op);
        const i64 took = thread_time_ns() - start;
        check(sink);
        return double(timed_.size()) * 1e9 / double(took);
    }

    // ns of each operation, by verb; what two reads of the clock take in a row is subtracted.
    std::array<std::vector<i64>, kVerbs> latencies() const {
        CountingSink sink;
        MatchingEngine engine(rules_of(instruments_), orders_max_, sink);
        fill(engine, sink);
        std::vector<i64> took(timed_.size());
        for (std::size_t i = 0; i < timed_.size(); ++i) {
            const i64 start = now_ns();
            apply(engine, timed_[i]);
            took[i] = now_ns() - start;
        }
        check(sink);
        std::array<std::vector<i64>, kVerbs> out;
        const i64 floor = clock_floor_ns();
        for (std::size_t i = 0; i < timed_.size(); ++i)
            out[std::size_t(timed_[i].verb)].push_back(std::max<i64>(0, took[i] - floor));
        return out;
    }

    // Events that the engine told, per operation.
    double events_per_operation() const { return double(told_.events) / double(before_.size() + timed_.size()); }

  private:
    void fill(MatchingEngine& engine, CountingSink& sink) const {
        open_all(engine, instruments_);
        sink = {};
        for (const Operation& op : before_) apply(engine, op);
    }
    void check(const CountingSink& sink) const {
        if (!(sink == told_))
            throw Error(ErrorKind::Invariant, "matching bench: expected " + std::to_string(told_.events) +
                                                  " events as when the stream was made, found " +
                                                  std::to_string(sink.events) + " or others");
    }
    static i64 clock_floor_ns() {
        std::vector<i64> floors(10'001);
        for (i64& floor : floors) {
            const i64 start = now_ns();
            floor = now_ns() - start;
        }
        std::nth_element(floors.begin(), floors.begin() + 5'000, floors.end());
        return floors[5'000];
    }

    u32 instruments_;
    std::size_t orders_max_;
    std::vector<Operation> before_;
    std::vector<Operation> timed_;
    CountingSink told_;
};

}  // namespace

void bind_matching_bench(nb::module_& m) {
    const auto free = nb::call_guard<nb::gil_scoped_release>();
    nb::class_<MatchingMix>(m, "MatchingMix",
                            "A recorded stream of operations: 60 % add, 30 % cancel, 5 % replace, 5 % aggressive.")
        .def(nb::init<u32, std::size_t, double, std::size_t, u64>(), "instruments"_a, "orders_open"_a, "depth_ticks"_a,
             "operations"_a, "seed"_a)
        .def("rate", &MatchingMix::rate, free, "Operations a second of processor time, of a fresh engine.")
        .def("latencies", &MatchingMix::latencies, free, "ns of each operation: adds, cancels, replaces, aggressive.")
        .def_prop_ro("events_per_operation", &MatchingMix::events_per_operation);
}

}  // namespace openbell
