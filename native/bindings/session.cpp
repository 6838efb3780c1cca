// What Python sees of a whole node: a backtest session, a live one, and a follower of either's journal.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>

#include "backtest/session.h"
#include "node/follower.h"
#include "node/live.h"
#include "node/warden.h"

namespace nb = nanobind;

namespace openbell {
void bind_feed_probe(nb::module_& m);        // feed_probe.cpp
void bind_strategy_process(nb::module_& m);  // strategy_process.cpp

namespace {

using namespace nb::literals;

Bytes view(const nb::bytes& bytes) { return {reinterpret_cast<const u8*>(bytes.c_str()), bytes.size()}; }

template <class Record>
Record record_of(const nb::bytes& bytes) {
    Record out;
    if (bytes.size() != sizeof out) throw Error(ErrorKind::Config, "expected a record of 128 bytes");
    std::memcpy(&out, bytes.c_str(), sizeof out);
    return out;
}

template <std::size_t N>
void set_text(char (&to)[N], const std::string& from) {
    std::memset(to, 0, N);
    std::memcpy(to, from.data(), std::min(from.size(), N - 1));
}

// Where every strategy is machine code, other threads of Python go on while a session runs.
class Unlocked {
  public:
    explicit Unlocked(bool needs_python) {
        if (!needs_python) released_.emplace();
    }

  private:
    std::optional<nb::gil_scoped_release> released_;
};

void bind_shared(nb::module_& m) {
    nb::class_<VenueLatency>(m, "VenueLatency", "Constant delays of the virtual venue, ns.")
        .def(
            "__init__",
            [](VenueLatency* self, i64 feed, i64 order, i64 report) { new (self) VenueLatency{feed, order, report}; },
            "feed_ns"_a = 0, "order_ns"_a = 0, "report_ns"_a = 0)
        .def_rw("feed_ns", &VenueLatency::feed_ns)
        .def_rw("order_ns", &VenueLatency::order_ns)
        .def_rw("report_ns", &VenueLatency::report_ns);
    nb::class_<Presets>(m, "Presets", "Conversions and limits, given when an epoch begins and instruments are known.")
        .def(nb::init<>())
        .def(
            "add_conversion", [](Presets& p, const nb::bytes& r) { p.conversions.push_back(record_of<Control>(r)); },
            "record"_a)
        .def(
            "add_control",
            [](Presets& p, const nb::bytes& record, std::string symbol) {
                const auto control = record_of<Control>(record);
                if (symbol.empty()) return p.controls.push_back(control);
                p.controls_by_symbol.push_back({std::move(symbol), control});
            },
            "record"_a, "symbol"_a = "", "A fee or a circuit breaker; with a symbol, of its instrument.")
        .def(
            "add_limit",
            [](Presets& p, const nb::bytes& record, std::string symbol) {
                const auto limit = record_of<Limit>(record);
                if (symbol.empty()) return p.limits.push_back(limit);
                p.by_symbol.push_back({std::move(symbol), limit});
            },
            "record"_a, "symbol"_a = "", "One limit; with a symbol, of its instrument, whatever id that will have.");
    nb::enum_<Durability>(m, "Durability").value("MEMORY", Durability::Memory).value("LOCAL", Durability::Local);
}

void bind_backtest_session(nb::module_& m) {
    using Config = BacktestSession::Config;
    nb::class_<Config>(m, "BacktestConfig")
        .def(nb::init<>())
        .def_rw("tape_dir", &Config::tape_dir)
        .def_rw("journal_dir", &Config::journal_dir)
        .def_rw("latency", &Config::latency)
        .def_rw("capacity", &Config::capacity)
        .def_rw("gate", &Config::gate)
        .def_rw("presets", &Config::presets)
        .def_rw("node", &Config::node)
        .def_rw("segment_bytes", &Config::segment_bytes)
        .def_rw("until_ns", &Config::until_ns)
        .def_rw("has_two_books", &Config::has_two_books);
    nb::class_<BacktestSession>(m, "BacktestSession", "A tape through the engine, with the virtual venue.")
        .def(nb::init<const Config&, IntentSource&>(), "config"_a, "strategies"_a, nb::keep_alive<1, 3>())
        .def(
            "submit", [](BacktestSession& s, const nb::bytes& record, u16 source) { s.submit(view(record), source); },
            "record"_a, "source"_a = 0)
        .def(
            "run",
            [](BacktestSession& s, u64 events_max) {
                const Unlocked unlocked(s.driver().needs_python());
                return s.run(events_max);
            },
            "events_max"_a, "False when the tape is used up.")
        .def("close", &BacktestSession::close)
        .def_prop_ro("engine", &BacktestSession::engine, nb::rv_policy::reference_internal)
        .def_prop_ro("epoch", &BacktestSession::epoch)
        .def_prop_ro("first_ns", [](const BacktestSession& s) { return s.backtest().first_ns(); })
        .def_prop_ro("tape_frames", [](const BacktestSession& s) { return s.backtest().tape_frames(); })
        .def_prop_ro("is_at_rest", [](const BacktestSession& s) { return s.backtest().is_at_rest(); })
        .def_prop_ro("tape_records", [](const BacktestSession& s) { return s.backtest().tape_records(); })
        .def_prop_ro("commands", [](const BacktestSession& s) { return s.driver().commands(); });
}

void bind_feed_config(nb::module_& m) {
    using Feed = LiveNode::FeedConfig;
    nb::class_<Feed>(m, "LiveFeedConfig")
        .def(nb::init<>())
        .def_rw("name", &Feed::name)
        .def(
            "add_line",
            [](Feed& f, std::string host, u16 port, std::string group, std::string interface, int buffer_bytes) {
                UdpSocket::Config line;
                line.host = std::move(host), line.port = port, line.group = std::move(group);
                line.interface = std::move(interface), line.receive_buffer_bytes = buffer_bytes;
                f.sockets.lines.push_back(line);
            },
            "host"_a, "port"_a, "group"_a, "interface"_a, "receive_buffer_bytes"_a)
        .def(
            "set_retransmit",
            [](Feed& f, const std::string& host, u16 port) {
                f.handler.retransmit = resolve(host, port);
                f.sockets.has_requests = true;
            },
            "host"_a, "port"_a)
        .def(
            "set_snapshots",
            [](Feed& f, std::string host, u16 port, const std::string& user, const std::string& password) {
                f.sockets.snapshots.host = std::move(host);
                f.sockets.snapshots.port = port;
                f.sockets.has_snapshots = true;
                set_text(f.handler.snapshots.login.user, user);
                set_text(f.handler.snapshots.login.password, password);
            },
            "host"_a, "port"_a, "user"_a, "password"_a)
        .def_prop_rw(
            "snapshot_tries_max", [](const Feed& f) { return f.handler.snapshots.tries_max; },
            [](Feed& f, u32 n) { f.handler.snapshots.tries_max = n; })
        .def_prop_rw(
            "snapshot_retry_ns", [](const Feed& f) { return f.handler.snapshots.retry_ns; },
            [](Feed& f, i64 ns) { f.handler.snapshots.retry_ns = ns; })
        .def_prop_rw(
            "buffer_bytes", [](const Feed& f) { return f.handler.buffer_bytes; },
            [](Feed& f, std::size_t n) { f.handler.buffer_bytes = n; })
        .def(
            "add_sender", [](Feed& f, const std::string& host) { f.handler.senders.push_back(resolve(host, 0).ip); },
            "host"_a)
        .def_prop_rw(
            "mold", [](Feed& f) -> MoldConfig& { return f.handler.mold; },
            [](Feed& f, const MoldConfig& mold) { f.handler.mold = mold; }, nb::rv_policy::reference_internal)
        .def_prop_rw(
            "midnight_ns", [](const Feed& f) { return f.handler.days.front().midnight_ns; },
            [](Feed& f, i64 ns) { f.handler.days = {{.midnight_ns = ns}}; })
        .def(
            "add_day",
            [](Feed& f, i64 midnight_ns, const nb::bytes& trading_day) {
                FeedHandler::Config::Day day{.midnight_ns = midnight_ns};
                if (trading_day.size() == sizeof day.trading_day)
                    std::memcpy(&day.trading_day, trading_day.c_str(), sizeof day.trading_day);
                f.handler.days.push_back(day);
            },
            "midnight_ns"_a, "trading_day"_a = nb::bytes("", 0),
            "A later day of the venue; its TradingDay record is journalled when a session of it begins.")
        .def_prop_rw(
            "stale_ns", [](const Feed& f) { return f.handler.stale_ns; },
            [](Feed& f, i64 ns) { f.handler.stale_ns = ns; })
        .def_rw("checks", &Feed::checks)
        .def_rw("session", &Feed::session)
        .def_rw("symbols", &Feed::symbols);
    nb::class_<FeedPorts>(m, "FeedPorts", "What a feed is heard through; the caller keeps the ports.")
        .def(
            "__init__",
            [](FeedPorts* self, std::vector<DatagramPort*> lines, DatagramPort* requests, StreamPort* snapshots) {
                new (self) FeedPorts{std::move(lines), requests, snapshots};
            },
            "lines"_a, "requests"_a.none() = nb::none(), "snapshots"_a.none() = nb::none(), nb::keep_alive<1, 2>(),
            nb::keep_alive<1, 3>(), nb::keep_alive<1, 4>());
}

void bind_live_config(nb::module_& m) {
    using Config = LiveNode::Config;
    nb::class_<Config>(m, "LiveConfig")
        .def(nb::init<>())
        .def_rw("journal_dir", &Config::journal_dir)
        .def_rw("hot_dir", &Config::hot_dir)
        .def_rw("segment_bytes", &Config::segment_bytes)
        .def_rw("node", &Config::node)
        .def_rw("durability", &Config::durability)
        .def_rw("is_busy", &Config::is_busy)
        .def_rw("capacity", &Config::capacity)
        .def_rw("gate", &Config::gate)
        .def_rw("presets", &Config::presets)
        .def_rw("feeds", &Config::feeds)
        .def_rw("is_paper", &Config::is_paper)
        .def_rw("is_tape", &Config::is_tape)
        .def(
            "add_process",
            [](Config& c, u16 strategy, i64 age_max_ns, i64 age_max_frames, i64 lag_max_ns) {
                c.processes.push_back({strategy, age_max_ns, age_max_frames, lag_max_ns});
            },
            "strategy"_a, "age_max_ns"_a, "age_max_frames"_a, "lag_max_ns"_a,
            "A strategy in a process of its own; how old its intents may be, how far behind it may fall.")
        .def_rw("paper", &Config::paper)
        .def_rw("stop_timeout_ns", &Config::stop_timeout_ns)
        .def(
            "add_session",
            [](Config& c, std::string host, u16 port, const std::string& user, const std::string& password,
               const std::string& firm, i64 midnight_ns, i64 reconnect_ns, i64 reconnect_max_ns) {
                LiveNode::SessionConfig& s = c.sessions.emplace_back();
                s.stream.host = std::move(host);
                s.stream.port = port;
                set_text(s.ouch.user, user);
                set_text(s.ouch.password, password);
                set_text(s.ouch.firm, firm);
                s.ouch.midnight_ns = midnight_ns;
                s.reconnect_ns = reconnect_ns;
                s.reconnect_max_ns = reconnect_max_ns;
            },
            "host"_a, "port"_a, "user"_a, "password"_a, "firm"_a, "midnight_ns"_a, "reconnect_ns"_a,
            "reconnect_max_ns"_a, "One more order session; they have their numbers in the order of these calls.");
}

void bind_live(nb::module_& m) {
    bind_feed_config(m);
    bind_live_config(m);
    nb::class_<LiveNode>(m, "LiveNode", "The trading process: one thread that hears, decides and sends.")
        .def(nb::init<const LiveNode::Config&, Engine&, IntentSource&>(), "config"_a, "engine"_a, "strategies"_a,
             nb::keep_alive<1, 3>(), nb::keep_alive<1, 4>())
        .def(
            "submit", [](LiveNode& n, const nb::bytes& record, u16 source) { n.submit(view(record), source); },
            "record"_a, "source"_a = 0)
        .def(
            "__init__",
            [](LiveNode* self, const LiveNode::Config& config, Engine& engine, IntentSource& strategies, Clock& clock,
               std::vector<FeedPorts> feeds, std::vector<StreamPort*> streams) {
                new (self) LiveNode(config, engine, strategies,
                                    NodePorts{&clock, std::move(streams), std::move(feeds), nullptr});
            },
            "config"_a, "engine"_a, "strategies"_a, "clock"_a, "feeds"_a, "streams"_a, nb::keep_alive<1, 3>(),
            nb::keep_alive<1, 4>(), nb::keep_alive<1, 5>(), nb::keep_alive<1, 6>(), nb::keep_alive<1, 7>(),
            "On simulated ports, to be stepped.")
        .def("step", &LiveNode::step, "now_ns"_a, "One round; whether anything happened.")
        .def("begin_stop", &LiveNode::begin_stop, "Asks for cancels, as Ctrl-C does.")
        .def("next_deadline", &LiveNode::next_deadline, "now_ns"_a)
        .def(
            "run",
            [](LiveNode& n, i64 for_ns) {
                if (n.needs_python()) n.set_breather([] { const nb::gil_scoped_release others; });
                const Unlocked unlocked(n.needs_python());
                return n.run(for_ns);
            },
            "for_ns"_a = 0,
            "Until a signal, or for so long; returns the orders left open. Other threads of Python go on, or have a "
            "slice of time at every tick.")
        .def("open_paper", &LiveNode::open_paper, "Paper: the virtual venue logs in; it knows no earlier order.")
        .def("close", &LiveNode::close)
        .def("abandon", &LiveNode::abandon, "Leaves the journal as a killed process does: for simulated deaths.")
        .def("feed_port", &LiveNode::feed_port, "feed"_a, "line"_a = 0)
        .def("feed_buffer_bytes", &LiveNode::feed_buffer_bytes, "feed"_a, "line"_a = 0,
             "For payload and the kernel's own, of a real socket: what was asked for, or less.")
        .def(
            "is_feed_recovering", [](const LiveNode& n, std::size_t feed) { return n.feed(feed).is_recovering(); },
            "feed"_a = 0)
        .def_prop_ro("epoch", &LiveNode::epoch)
        .def_prop_ro("last_seq", &LiveNode::last_seq)
        .def_prop_ro("durable_seq", &LiveNode::durable_seq)
        .def_prop_ro("torn_bytes", [](const LiveNode& n) { return n.recovery().torn_bytes; });
    m.def("install_stop_handler", &install_stop_handler,
          "SIGINT and SIGTERM stop the node in order; the third ends it.");
    m.def("is_stop_requested", &is_stop_requested);
    m.attr("LATENCY_HOPS") = nb::make_tuple("sequenced", "decided", "journalled", "durable", "sent");
    m.def(
        "latency_percentiles",
        [](const std::string& path, const std::vector<double>& quantiles) {
            const Mapping file = Mapping::open_readable(path);
            std::vector<std::pair<u64, std::vector<u64>>> rows;
            if (file.size() < sizeof(Latency)) return rows;
            for (const Histogram& h : reinterpret_cast<const Latency*>(file.data())->hops) {
                auto& [count, values] = rows.emplace_back(h.count(), std::vector<u64>{});
                for (double q : quantiles) values.push_back(h.percentile(q));
            }
            return rows;
        },
        "path"_a, "quantiles"_a, "[(count, [ns by quantile])] by hop, each counted from the receive call.");
    m.def(
        "latency_counts",
        [](const std::string& path) {
            const Mapping file = Mapping::open_readable(path);
            std::vector<std::vector<u64>> rows;
            if (file.size() < sizeof(Latency)) return rows;
            for (const Histogram& h : reinterpret_cast<const Latency*>(file.data())->hops)
                rows.emplace_back(std::begin(h.buckets), std::end(h.buckets));
            return rows;
        },
        "path"_a, "What each bucket of LATENCY_EDGES_NS has counted, by hop: the difference of two is an interval.");
    nb::list edges;
    for (u32 bucket = 0; bucket < Histogram::kBuckets; ++bucket) edges.append(Histogram::upper_edge(bucket));
    m.attr("LATENCY_EDGES_NS") = nb::tuple(edges);
}

void bind_follower(nb::module_& m) {
    nb::class_<Follower>(m, "Follower", "An engine that follows a journal from another process.")
        .def(nb::init<const EngineCapacity&, std::string, std::string, IntentSource*>(), "capacity"_a, "journal_dir"_a,
             "hot_dir"_a = "", "again"_a.none() = nb::none(), nb::keep_alive<1, 5>())
        .def(
            "load", [](Follower& f, const nb::bytes& state) { f.load(view(state)); }, "state"_a)
        .def("poll", &Follower::poll, "frames_max"_a = 100'000, "How many frames were played.")
        .def_prop_ro("bytes", &Follower::bytes, "of the journal, played")
        .def_prop_ro("engine", &Follower::engine, nb::rv_policy::reference_internal)
        .def_prop_ro("report", &Follower::report)
        .def_prop_ro("updates", &Follower::updates, "Market records played so far, by instrument.");
}

void bind_warden(nb::module_& m) {
    nb::class_<Warden>(m, "Warden",
                       "Shuts streams when a kill is not answered; a thread of its own, as long as it lives.")
        .def(nb::init<const KillCell&, std::vector<StreamPort*>, Counter, Poller&>(), "cell"_a, "ports"_a, "acted"_a,
             "trading"_a, nb::keep_alive<1, 2>(), nb::keep_alive<1, 3>(), nb::keep_alive<1, 4>(),
             nb::keep_alive<1, 5>())
        .def_prop_ro("has_acted", &Warden::has_acted);
}

}  // namespace

void bind_session(nb::module_& m) {
    bind_shared(m);
    bind_backtest_session(m);
    bind_live(m);
    bind_warden(m);
    bind_follower(m);
    bind_strategy_process(m);
    bind_feed_probe(m);
}

}  // namespace openbell
