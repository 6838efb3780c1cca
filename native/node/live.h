// The live loop: one thread polls control, reports, feeds and timers in a fixed order, and sends.
//
// Law 5: a batch bound for each, so that a flood of one never starves another. Law 12: it is the only
// thread that trades; strategies are called from it.
#pragma once

#include <functional>
#include <memory>

#include "backtest/venue_route.h"
#include "journal/counters.h"
#include "journal/reader.h"
#include "journal/ring.h"
#include "net/poller.h"
#include "node/feed_counters.h"
#include "node/feed_handler.h"
#include "node/order_session.h"
#include "node/ports.h"
#include "node/strategy_links.h"
#include "node/warden.h"

namespace openbell {

class LiveNode {
  public:
    struct FeedConfig {
        std::string name;
        FeedSockets sockets;
        FeedHandler::Config handler;  // its source and venue follow from the place in the list
        std::string session;          // empty: the one that is heard, until it has ended
        std::vector<std::string> symbols;
        EdgeConfig checks;
    };
    struct SessionConfig {
        TcpSocket::Config stream;
        OuchSession::Config ouch;  // its source follows from the place in the list
        i64 reconnect_ns = OrderSession::Config{}.reconnect_ns;
        i64 reconnect_max_ns = OrderSession::Config{}.reconnect_max_ns;
    };
    struct Config {
        std::string journal_dir;
        std::string hot_dir;
        u64 segment_bytes = kSegmentBytesDefault;
        u16 node = 0;
        Durability durability = Durability::Memory;
        bool is_busy = false;  // spin instead of waiting for descriptors
        EngineCapacity capacity;
        GateLimits gate;
        Presets presets;
        std::vector<FeedConfig> feeds;
        std::vector<SessionConfig> sessions;
        bool is_paper = false;  // the virtual venue on the live feed
        bool is_tape = false;   // only records its feeds: a tape in journal_dir, hot_dir holds counters alone
        VenueLatency paper;
        i64 stop_timeout_ns = 5'000'000'000;           // for cancels to be confirmed
        std::vector<StrategyLinks::Config> processes;  // of strategies beside the trading thread
    };

    // `engine` stands at the end of the journal (see `recover`); the journal is opened here, in a new epoch.
    // The first opens the real ports of `config`.
    LiveNode(const Config& config, Engine& engine, IntentSource& strategies);
    LiveNode(const Config& config, Engine& engine, IntentSource& strategies, const NodePorts& ports);
    ~LiveNode();

    void submit(Bytes record, u16 source);  // a control record of ours
    // Paper: the virtual venue logs in. It begins anew with every process, so it knows no order of an earlier one.
    void open_paper();
    // Runs until a signal or `for_ns` asks it to stop; returns how many orders are left open.
    u64 run(i64 for_ns);
    bool needs_python() const { return driver_.needs_python(); }
    // Called at every tick, so that others in this process may have a turn at what only one thread can hold.
    void set_breather(std::function<void()> breather) { breather_ = std::move(breather); }
    // One round in the fixed order of law 5, for whoever moves a simulated clock; whether anything happened.
    bool step(i64 now_ns);
    void begin_stop();
    i64 next_deadline(i64 now_ns) const;
    void close();                           // a last checkpoint; the journal is closed
    void abandon() { journal_.abandon(); }  // as a killed process leaves it: for simulated deaths

    u32 epoch() const { return journal_.epoch(); }
    u64 last_seq() const { return journal_.last_seq(); }
    u64 durable_seq() const { return journal_.durable_seq(); }
    const Recovery& recovery() const { return journal_.recovery(); }
    u16 feed_port(std::size_t feed, std::size_t line) const {
        return ports_.feeds.at(feed).lines.at(line)->local().port;
    }
    int feed_buffer_bytes(std::size_t feed, std::size_t line) const {
        return ports_.feeds.at(feed).lines.at(line)->buffer_bytes();
    }
    const FeedHandler& feed(std::size_t i) const { return *feeds_.at(i).handler; }

  private:
    struct Feed {
        FeedPorts ports;
        std::unique_ptr<ItchFeed> itch;
        std::unique_ptr<FeedHandler> handler;
        std::unique_ptr<FeedCounters> counters;
        int polled_stream = -1;
    };
    struct Session {
        StreamPort* stream;
        std::unique_ptr<OuchSession> ouch;
        std::unique_ptr<OrderSession> entry;
        int polled_stream = -1;
    };
    // Of several sessions, that of the instrument's feed; for an order that is there, the one that it left by.
    class SessionRoutes final : public Route {
      public:
        explicit SessionRoutes(const std::vector<Session>& sessions) : sessions_(sessions) {}
        SendOutcome send(const Order& command, const Engine& engine, i64 now_ns) override {
            const u8 session = engine.session_of(command.cl_ord_id, command.instrument);
            if (session >= sessions_.size()) return {Reason::NoSession, 0};
            return sessions_[session].entry->send(command, engine, now_ns);
        }

      private:
        const std::vector<Session>& sessions_;
    };

    LiveNode(const Config& config, Engine& engine, IntentSource& strategies, std::unique_ptr<RealPorts> real);
    Route& choose_route();
    void begin_sessions();
    void complete_last_frame();
    void seed_paper();
    void open_feeds();
    bool poll_operator();
    bool poll_kill();
    bool poll_paper(i64 now_ns);
    void cancel_all();
    void tick(i64 now_ns);
    bool is_settled() const;
    void idle(i64 now_ns);
    void wait(i64 now_ns);
    void unwatch(const StreamPort& port, int& polled_fd);
    void watch(StreamPort& port, int& polled_fd, bool wants_to_write);
    void look_at_clock(i64 now_ns);
    void publish(i64 now_ns);

    Config config_;
    std::unique_ptr<RealPorts> real_;  // null: the ports are somebody else's
    NodePorts ports_;
    Clock& clock_;
    Engine& engine_;
    JournalWriter journal_;
    KillCell kill_;
    Ring operator_;
    Counters counters_;
    Mapping latency_file_;
    Gate gate_;
    std::vector<Session> sessions_;
    SessionRoutes routes_{sessions_};
    std::unique_ptr<VirtualVenue> venue_;
    std::unique_ptr<VenueRoute> paper_;
    NoRoute nobody_;
    Driver driver_;
    std::unique_ptr<StrategyLinks> links_;  // null: every strategy is called from this thread
    std::vector<Feed> feeds_;
    Poller poller_;
    std::unique_ptr<Warden> warden_;
    std::function<void()> breather_;
    i64 next_tick_ns_ = 0;
    i64 next_clock_look_ns_ = 0;
    i64 reported_offset_ns_ = 0;  // of the wall clock, as the journal last heard
    bool gives_way_ = false;      // spinning, with strategies beside it and no core for each
    bool is_stopping_ = false;
    i64 stop_by_ns_ = 0;
    u64 stop_seq_ = 0;  // the frame that told strategies of it
    u64 loops_ = 0;
    struct Published {
        Counter frames_in, commands, sent, gate_refused, loops, feed_packets, feed_gaps, feed_duplicates, feed_dropped,
            feed_lost, refusals, book_faults, now_ns, stopping, gate_over_sent, gate_rated, cancels_over_rate,
            cancels_waiting;
    } published_;
};

// SIGINT and SIGTERM ask for a stop, the third one ends the process at once.
void install_stop_handler();
bool is_stop_requested();

}  // namespace openbell
