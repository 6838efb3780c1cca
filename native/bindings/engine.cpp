// What Python sees of `engine`: its tables, its hash, its snapshots.
#include "engine/engine.h"
#include "bindings/policies.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "bindings/totals.h"

namespace nb = nanobind;

namespace openbell {
void bind_engine_probe(nb::module_& m);  // engine_probe.cpp
void bind_breakers(nb::module_& m);      // breakers.cpp
nb::list breakers_of(const Engine& engine);

namespace {

using namespace nb::literals;

nb::object big_int(i128 value) {
    const nb::object high = nb::int_(i64(value >> 64));
    return high.attr("__lshift__")(64).attr("__add__")(nb::int_(u64(value)));
}

// Totals of one strategy's position in one instrument, exact integers.
nb::dict position_of(const Engine& engine, u16 strategy, u32 instrument) {
    const Position& p = engine.oms().position(strategy, instrument);
    nb::dict out;
    out["qty"] = p.qty;
    out["cash"] = big_int(p.cash);
    out["cost"] = big_int(p.cost);
    out["realized"] = big_int(p.realized);
    out["fees"] = big_int(p.fees);
    out["fills"] = p.fills;
    return out;
}

nb::bytes save(const Engine& engine) {
    StateWriter out;
    engine.save(out);
    return nb::bytes(out.bytes().data(), out.bytes().size());
}

void load(Engine& engine, nb::bytes bytes) {
    StateReader in(Bytes{reinterpret_cast<const u8*>(bytes.c_str()), bytes.size()});
    engine.load(in);
}

nb::list depth_of(const Engine& engine, u32 instrument, Side side, std::size_t levels_max) {
    std::vector<Level> levels(levels_max);
    levels.resize(engine.books().depth(instrument, side, levels));
    nb::list out;
    for (const Level& level : levels) out.append(nb::make_tuple(level.px, level.qty, level.orders));
    return out;
}

std::vector<LiveOrder> live_orders(const Engine& engine) {
    std::vector<LiveOrder> orders;
    engine.oms().for_each_live([&](const LiveOrder& order) { orders.push_back(order); });
    return orders;
}

nb::tuple arming_of(const Engine& engine, u16 strategy, u32 instrument) {
    const Arming& arming = engine.risk().arming();
    const ArmScope scope{strategy, instrument};
    if (!arming.knows(scope))
        throw Error(ErrorKind::Config,
                    "arming: expected the node, one strategy or one instrument within the capacity, found strategy " +
                        std::to_string(strategy) + ", instrument " + std::to_string(instrument));
    return nb::make_tuple(arming.state_of(scope), arming.armed_of(scope), arming.killed_of(scope),
                          arming.is_doubted(scope), arming.granted_until(scope));
}

nb::bytes instrument_record(const Engine& engine, u32 id) {
    const Instrument* known = engine.instrument(id);
    return known ? nb::bytes(reinterpret_cast<const char*>(known), sizeof *known) : nb::bytes("", 0);
}

}  // namespace

void bind_engine(nb::module_& m) {
    m.attr("STRATEGY_PARAMETER") = kStrategyParameter;
    m.attr("ROUTE_PARAMETER") = kRouteParameter;
    m.attr("SESSIONS_MAX") = kSessionsMax;
    m.attr("NO_SESSION") = kNoSession;
    m.attr("STRATEGY_CARRY") = kStrategyCarry;
    bind_engine_probe(m);
    bind_breakers(m);
    nb::enum_<OperatorVerb>(m, "OperatorVerb", nb::is_arithmetic())
        .value("CANCEL_ALL", OperatorVerb::CancelAll)
        .value("ASKED", OperatorVerb::Asked)
        .value("RECOVERED", OperatorVerb::Recovered)
        .value("ACKNOWLEDGED", OperatorVerb::Acknowledged)
        .value("LEFT_OPEN", OperatorVerb::LeftOpen)
        .value("STRATEGY_STOP", OperatorVerb::StrategyStop)
        .value("STRATEGY_FLATTEN", OperatorVerb::StrategyFlatten)
        .value("STRATEGY_START", OperatorVerb::StrategyStart)
        .value("STRATEGY_REPLACE", OperatorVerb::StrategyReplace);
    nb::enum_<StrategyLife>(m, "StrategyLife", nb::is_arithmetic())
        .value("RUNS", StrategyLife::Runs)
        .value("HALTED", StrategyLife::Halted)
        .value("STOPPED", StrategyLife::Stopped)
        .value("FLATTENING", StrategyLife::Flattening)
        .value("FLATTENING_HALTED", StrategyLife::FlatteningHalted);
    m.attr("UNACKNOWLEDGED") = kUnacknowledged;
    nb::class_<EngineCapacity>(m, "EngineCapacity", "Every table of the engine, sized once.")
        .def(nb::init<>())
        .def_rw("instruments_max", &EngineCapacity::instruments_max)
        .def_rw("book_orders_max", &EngineCapacity::book_orders_max)
        .def_rw("orders_max", &EngineCapacity::orders_max)
        .def_rw("strategies_max", &EngineCapacity::strategies_max)
        .def_rw("timers_max", &EngineCapacity::timers_max)
        .def_rw("limits_max", &EngineCapacity::limits_max)
        .def_prop_rw(
            "checks", [](const EngineCapacity& c) { return list_of(c.checks); },
            [](EngineCapacity& c, const std::vector<int>& policies) { c.checks = policies_of(policies); },
            "CheckPolicy of every Check, by its number; of the books");
    nb::class_<Engine>(m, "Engine", "The decision loop; read-only for Python, fed by a driver or a replay.")
        .def(nb::init<const EngineCapacity&>())
        .def_prop_ro("seq", &Engine::seq)
        .def_prop_ro("now_ns", &Engine::now_ns)
        .def_prop_ro("epoch", &Engine::epoch)
        .def_prop_ro(
            "started",
            [](const Engine& e) { return nb::bytes(reinterpret_cast<const char*>(&e.started()), sizeof(Started)); },
            "the Started record of the newest epoch")
        .def_prop_ro("state_hash", &Engine::state_hash)
        .def_prop_ro("rolling_hash", &Engine::rolling_hash)
        .def_prop_ro("refusals", &Engine::refusals)
        .def_prop_ro("limits_version", [](const Engine& e) { return e.risk().limits().version(); })
        .def(
            "is_latched", [](const Engine& e, u16 s) { return e.risk().is_latched(s); }, "strategy"_a,
            "It executed too often; a person has to look")
        .def_prop_ro("book_faults", &Engine::book_faults)
        .def_prop_ro("instruments", &Engine::instruments)
        .def(
            "check_count", [](const Engine& e, Check check) { return e.books().counts()[std::size_t(check)]; },
            "check"_a, "how often a check of the books failed")
        .def_prop_ro(
            "is_session_up", [](const Engine& e) { return e.is_session_up(); }, "every order session that trades")
        .def_prop_ro("is_reconciled", &Engine::is_reconciled, "False: the venue contradicted us; a person has to look")
        .def(
            "session",
            [](const Engine& e, u16 source) {
                return nb::make_tuple(e.session_name(source), e.is_session_up(source), e.is_session_doubted(source));
            },
            "source"_a = source::kOrderEntry,
            "(name, is up, is doubted) of an order session: the name is of its last login, empty before the first.")
        .def("session_of", nb::overload_cast<u32>(&Engine::session_of, nb::const_), "instrument"_a,
             "Number of the session by which its orders leave.")
        .def_prop_ro("is_draining", &Engine::is_draining)
        .def_prop_ro("next_deadline", &Engine::next_deadline, "of the armed timers, ns; INT64_MAX without any")
        .def_prop_ro("arm_state", [](const Engine& e) { return e.risk().armed(); })
        .def_prop_ro("kill_level", [](const Engine& e) { return e.risk().killed(); })
        .def(
            "arming", &arming_of, "strategy"_a = kNoStrategy, "instrument"_a = kNoInstrument,
            "(ArmState in force, ArmState without its kill, KillLevel, is doubted, grant until ns or 0) of the node, a "
            "strategy or an instrument by itself; the lowest of them holds for an order.")
        .def(
            "arm_state_of",
            [](const Engine& e, u16 strategy, u32 instrument) { return e.risk().arming().state(strategy, instrument); },
            "strategy"_a, "instrument"_a, "What holds for an order.")
        .def_prop_ro("limited_percent", [](const Engine& e) { return e.risk().arming().limited_percent(); })
        .def("trading", &Engine::trading, "instrument"_a)
        .def_prop_ro("is_killed", [](const Engine& e) { return e.risk().killed() != KillLevel::None; })
        .def("is_halted", &Engine::is_halted, "strategy"_a, "it is not called")
        .def("life_of", &Engine::life_of, "strategy"_a)
        .def("strategy_version", &Engine::strategy_version, "strategy"_a,
             "of its class, as the journal names it; 0: what the epoch began with")
        .def("source_seq", &Engine::source_seq, "source"_a, "the last message number applied from a feed or session")
        .def("find_instrument", &Engine::find_instrument, "venue"_a, "symbol"_a)
        .def("instrument_record", &instrument_record, "instrument"_a)
        .def("money_scale", &Engine::money_scale, "instrument"_a, nb::rv_policy::copy)
        .def(
            "touch",
            [](const Engine& e, u32 id) {
                const Touch& t = e.books().touch(id);
                return nb::make_tuple(t.bid_px, t.bid_qty, t.ask_px, t.ask_qty);
            },
            "instrument"_a)
        .def("depth", &depth_of, "instrument"_a, "side"_a, "levels_max"_a, "[(px, qty, orders)], best first.")
        .def(
            "is_book_valid", [](const Engine& e, u32 id) { return e.books().is_valid(id); }, "instrument"_a)
        .def("position", &position_of, "strategy"_a, "instrument"_a)
        .def(
            "totals", [](const Engine& e, u16 s) { return orders::totals_of(e.accounts(), s); }, "strategy"_a,
            "money of a strategy, or of the account (NO_STRATEGY), in 1e-4")
        .def(
            "earned",
            [](const Engine& e, u16 s, u32 instrument) {
                const Earned r = e.accounts().earned(s, instrument);
                return nb::make_tuple(r.realized, r.unrealized, r.fees);
            },
            "strategy"_a, "instrument"_a, "(realized, unrealized, fees) in one instrument, in 1e-4")
        .def_prop_ro(
            "day", [](const Engine& e) { return e.accounts().day(); }, "YYYYMMDD of the trading day; 0: none")
        .def("breakers", &breakers_of, "circuit breakers as they were given, and what each measures now")
        .def("live_orders", &live_orders)
        .def_prop_ro(
            "parameters",
            [](const Engine& e) {
                std::vector<std::tuple<u16, u32, u64>> rows;
                for (const ChangedParameter& p : e.parameters()) rows.emplace_back(p.strategy, p.word, p.bits);
                return rows;
            },
            "[(strategy, word of its layout, bits)] that were changed while it ran")
        .def(
            "strategy_state",
            [](const Engine& e, u16 s) {
                const Bytes b = e.strategy_state(s);
                return nb::bytes(b.data(), b.size());
            },
            "strategy"_a)
        .def(
            "audit", [](const Engine& e) { e.oms().audit(); },
            "Raise InvariantError where orders, exposures or positions contradict each other.")
        .def("save", &save, "The whole state as bytes: a snapshot's payload.")
        .def("load", &load, "state"_a);
}

}  // namespace openbell
