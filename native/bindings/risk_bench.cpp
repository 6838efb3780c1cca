// Pre-trade checks timed in one native call: of one order again and again, and of orders whose limits are not in cache.
#include <immintrin.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>
#include <time.h>

#include "bindings/orders.h"
#include "risk/risk.h"
#include "rng.h"

namespace nb = nanobind;

namespace openbell {
void bind_risk_bench(nb::module_& m);  // called by bind_risk

namespace {

using namespace nb::literals;

// Hot: time of the thread, because others use the processor too. Cold: of the wall, which is cheaper to ask.
i64 ns_of(clockid_t clock) {
    timespec t;
    clock_gettime(clock, &t);
    return i64(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

template <class T>
void flush(const T& value) {
    const char* at = reinterpret_cast<const char*>(&value);
    for (std::size_t i = 0; i < sizeof(T); i += 64) _mm_clflush(at + i);
    _mm_clflush(at + sizeof(T) - 1);
}

}  // namespace

class RiskBench {
  public:
    RiskBench(u32 strategies, u32 instruments, u32 pairs)
        : risk_(strategies, instruments, pairs),
          strategies_(strategies),
          known_(instruments, Instrument{}),
          touches_(instruments, Touch{100'000, 300, 100'200, 400}),
          money_(instruments),
          oms_({64, 1, instruments}),
          accounts_(oms_) {
        for (u32 id = 0; id < instruments; ++id) {
            Instrument& one = known_[id];
            one.instrument = id;
            one.px_decimals = 4;
            one.tick = 100;
            one.lot = one.multiplier = 1;
            money_[id] = money_scale_of(one, kRateOne);
            accounts_.set_scale(id, money_[id], money_[id]);
        }
        risk_.arming().arm({}, ArmState::Full, true);
    }

    bool set_limit(const nb::bytes& limit, bool is_shown) {
        const auto record = orders::record_from<Limit>(limit);
        const bool is_taken = risk_.set_limit(record);
        if (is_taken && is_shown && record.instrument < touches_.size())
            risk_.on_touch(record.instrument, touches_[record.instrument], kNow);
        return is_taken;
    }

    nb::tuple check(const nb::bytes& order) {
        const auto candidate = orders::record_from<Order>(order);
        const Verdict v = risk_.check(candidate, view_of(candidate));
        return nb::make_tuple(v.reason, v.limit, v.observed, u8(v.scope), u8(v.kind));
    }
    nb::bytes save() const { return orders::save(risk_); }
    void load(const nb::bytes& state) { orders::load(risk_, state); }

    // Mean of `count` checks of the same order, ns.
    double hot(const nb::bytes& order, u32 count) {
        const auto candidate = orders::record_from<Order>(order);
        auto sent = candidate;
        sent.ts_event = kNow;
        risk_.on_command(sent);  // the windows are not empty
        const i64 start = ns_of(CLOCK_THREAD_CPUTIME_ID);
        for (u32 i = 0; i < count; ++i) {
            const Verdict v = risk_.check(candidate, view_of(candidate));
            expect_pass(v);
        }
        return double(ns_of(CLOCK_THREAD_CPUTIME_ID) - start) / count;
    }

    // Each check by itself, of another strategy and instrument, after everything it reads was put out of the caches; of
    // a pair that was asked for before, or of one whose bounds have to be drawn up first.
    std::vector<i64> cold(const nb::bytes& order, u32 count, u64 seed, bool is_known) {
        auto candidate = orders::record_from<Order>(order);
        SplitMix64 rng(seed);
        std::vector<i64> spent;
        for (u32 i = 0; i < count; ++i) {
            candidate.strategy = u16(rng.below(strategies_));
            candidate.instrument = u32(rng.below(known_.size()));
            if (is_known) expect_pass(risk_.check(candidate, view_of(candidate)));
            evict(candidate);
            const i64 nothing = ns_of(CLOCK_MONOTONIC);
            const i64 start = ns_of(CLOCK_MONOTONIC);
            risk_.prefetch(candidate);  // as the engine does
            const Verdict v = risk_.check(candidate, view_of(candidate));
            expect_pass(v);
            const i64 end = ns_of(CLOCK_MONOTONIC);
            spent.push_back((end - start) - (start - nothing));
        }
        return spent;
    }

  private:
    static constexpr i64 kNow = 1'000'000'000'000;

    static void expect_pass(const Verdict& v) {
        asm volatile("" : : "m"(v) : "memory");  // every check is made
        if (!v.passes())
            throw Error(ErrorKind::Invariant, "risk bench: expected checks that pass, found reason " +
                                                  std::to_string(int(v.reason)) + "; see bench/risk.py");
    }
    RiskView view_of(const Order& o) const {
        const Exposure held{500, 100, 100, 2};
        return {&known_[o.instrument],
                touches_[o.instrument],
                true,
                TradingState::Trading,
                held,
                held,
                money_[o.instrument],
                kNow,
                kNow,
                4,
                2,
                0,
                accounts_};
    }
    void evict(const Order& o) {
        const LimitTable& limits = risk_.limits();
        for (const u32 row : limits.rows_of(o.account, o.strategy, o.instrument).at) flush(limits[row]);
        for (const u32 row : limits.rows_of(o.account, o.strategy, o.instrument).at) flush(risk_.flow_.rows_[row]);
        for (const auto& set : risk_.flow_.seen_.sets_) flush(set);
        flush(risk_.bounds_.bounds_[risk_.bounds_.place_of(o)]);
        flush(risk_.arming_.strategies_[o.strategy]);
        flush(risk_.arming_.instruments_[o.instrument]);
        flush(accounts_.rows_[accounts_.row_of(o.strategy)]);
        flush(risk_.drift_[o.instrument]);
        flush(known_[o.instrument]);
        flush(touches_[o.instrument]);
        flush(money_[o.instrument]);
        _mm_mfence();
    }

    Risk risk_;
    u32 strategies_;
    std::vector<Instrument> known_;
    std::vector<Touch> touches_;
    std::vector<MoneyScale> money_;
    Oms oms_;
    Accounts accounts_;
};

void bind_risk_bench(nb::module_& m) {
    nb::class_<RiskBench>(m, "RiskBench", "Pre-trade checks without an engine around them: timed, or one by one.")
        .def(nb::init<u32, u32, u32>(), "strategies"_a, "instruments"_a, "pairs"_a)
        .def("set_limit", &RiskBench::set_limit, "limit"_a, "is_shown"_a = true)
        .def("check", &RiskBench::check, "order"_a, "(reason, limit, observed, scope, kind) of one order")
        .def("save", &RiskBench::save)
        .def("load", &RiskBench::load, "state"_a)
        .def("hot", &RiskBench::hot, "order"_a, "count"_a, "mean ns of one check of the same order")
        .def("cold", &RiskBench::cold, "order"_a, "count"_a, "seed"_a, "is_known"_a = true,
             "ns of each check of random strategies and instruments, asked for before or not, out of the caches");
}

}  // namespace openbell
