#include "node/live.h"

#include "node/control.h"
#include "node/cores.h"
#include "node/gate_memory.h"

#include <sched.h>

#include <csignal>
#include <cstdlib>

namespace openbell {
namespace {

constexpr i64 kTickNs = 10'000'000;  // counters, heartbeats, a look at the kill cell when idle
constexpr i64 kClockLookNs = 1'000'000'000;
constexpr i64 kClockStepNs = 1'000'000;  // a wall clock that moved by more than this is told
constexpr std::size_t kOperatorSlots = 256;
constexpr u32 kReportsPerFrame = 256;
constexpr int kSignalsToQuit = 3;

volatile std::sig_atomic_t stop_signals = 0;

void on_signal(int) {
    const int seen = stop_signals + 1;
    stop_signals = seen;
    if (seen >= kSignalsToQuit) std::_Exit(130);  // stuck: cancel-on-disconnect is what remains
}

JournalOptions journal_options(const LiveNode::Config& config, const NodePorts& ports) {
    JournalOptions options;
    options.journal_dir = config.journal_dir;
    if (!config.is_tape) options.hot_dir = config.hot_dir;
    options.segment_bytes = config.segment_bytes;
    options.node = config.node;
    options.is_alone = ports.is_simulated();
    return options;
}

Ring open_ring(const std::string& path) {
    return file_exists(path) ? Ring::attach(path) : Ring::create(path, kOperatorSlots);
}

Mapping open_latency(const std::string& path) {
    if (file_exists(path)) ::unlink(path.c_str());  // of an earlier run
    return Mapping::create(path, sizeof(Latency), true);
}

std::unique_ptr<RealPorts> open_ports(const LiveNode::Config& config) {
    std::vector<FeedSockets> feeds;
    for (const LiveNode::FeedConfig& feed : config.feeds) feeds.push_back(feed.sockets);
    std::vector<TcpSocket::Config> streams;
    for (const LiveNode::SessionConfig& session : config.sessions)
        if (!config.is_paper) streams.push_back(session.stream);
    return std::make_unique<RealPorts>(feeds, streams);
}

}  // namespace

void install_stop_handler() {
    stop_signals = 0;
    struct sigaction action{};
    action.sa_handler = on_signal;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

bool is_stop_requested() { return stop_signals > 0; }

LiveNode::LiveNode(const Config& config, Engine& engine, IntentSource& strategies)
    : LiveNode(config, engine, strategies, open_ports(config)) {}

LiveNode::LiveNode(const Config& config, Engine& engine, IntentSource& strategies, std::unique_ptr<RealPorts> real)
    : LiveNode(config, engine, strategies, real->ports()) {
    real_ = std::move(real);
}

LiveNode::LiveNode(const Config& config, Engine& engine, IntentSource& strategies, const NodePorts& ports)
    : config_(config),
      ports_(ports),
      clock_(*ports.clock),
      engine_(engine),
      journal_(journal_options(config, ports)),
      kill_(KillCell::open(config.hot_dir + "/kill")),
      operator_(open_ring(config.hot_dir + "/operator.ring")),
      counters_(Counters::open(config.hot_dir + "/counters")),
      latency_file_(open_latency(config.hot_dir + "/latency")),
      gate_(config.gate, &kill_),
      driver_({engine, journal_, strategies, clock_, choose_route(), gate_,
               reinterpret_cast<Latency*>(latency_file_.data()), config.durability, paper_.get()}) {
    driver_.set_presets(config.presets);
    if (!config.processes.empty()) {
        links_ = std::make_unique<StrategyLinks>(config.processes, config.hot_dir, engine, journal_.last_seq());
        poller_.add(links_->bell_fd());
        gives_way_ = cores() <= 1 + config.processes.size();
    }
    kill_.end_send();  // a process that died in the middle of one
    complete_last_frame();
    if (ports_.wall) ports_.wall->go_on_from(engine.now_ns());
    JournalReader written(config.journal_dir, config.hot_dir);
    recall_sends(gate_, engine, written, clock_.now_ns());
    if (paper_) seed_paper();
    begin_sessions();
    open_feeds();
    const auto name = [&](const char* counter) { return counters_.counter(counter); };
    published_ = {name("frames_in"),
                  name("commands"),
                  name("sent"),
                  name("gate_refused"),
                  name("loops"),
                  name("feed_packets"),
                  name("feed_gaps"),
                  name("feed_duplicates"),
                  name("feed_dropped"),
                  name("feed_lost"),
                  name("refusals"),
                  name("book_faults"),
                  name("now_ns"),
                  name("stopping"),
                  name("gate_over_sent"),
                  name("gate_rated"),
                  name("cancels_over_rate"),
                  name("cancels_waiting")};
    if (!ports_.streams.empty() && !ports_.is_simulated())
        warden_ = std::make_unique<Warden>(kill_, ports_.streams, name("warden_acted"), poller_);
}

LiveNode::~LiveNode() = default;

Route& LiveNode::choose_route() {
    if (config_.is_paper) {
        const EngineCapacity& c = config_.capacity;
        venue_ = std::make_unique<VirtualVenue>(c.instruments_max, c.book_orders_max, c.orders_max);
        paper_ = std::make_unique<VenueRoute>(*venue_, config_.paper);
        return *paper_;
    }
    if (ports_.streams.empty()) return nobody_;
    for (std::size_t i = 0; i < ports_.streams.size(); ++i) {
        SessionConfig& from = config_.sessions.at(i);
        from.ouch.source = u16(source::kOrderEntry + i);
        Session& session = sessions_.emplace_back(Session{ports_.streams[i], {}, {}});
        session.ouch = std::make_unique<OuchSession>(from.ouch);
        const OrderSession::Config entry{from.ouch.source, from.reconnect_ns, from.reconnect_max_ns};
        session.entry = std::make_unique<OrderSession>(entry, *session.stream, *session.ouch, gate_, clock_);
    }
    if (sessions_.size() == 1) return *sessions_.front().entry;
    return routes_;
}

// Each goes on at its own next message.
void LiveNode::begin_sessions() {
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
        const u16 source = config_.sessions[i].ouch.source;
        sessions_[i].entry->attach(driver_);
        const std::string_view known = engine_.session_name(source);
        if (!known.empty()) sessions_[i].ouch->resume(known, engine_.source_seq(source) + 1);
    }
}

// The engine stands at the last decided frame; what follows it can only be that frame's decision and one IN
// frame without one.
void LiveNode::complete_last_frame() {
    JournalReader reader(config_.journal_dir, config_.hot_dir);
    reader.seek(engine_.seq() + 1);
    while (const FrameView frame = reader.next()) {
        if (frame.header->frame_class == u8(FrameClass::Out) && frame.header->cause_seq == engine_.seq()) continue;
        if (frame.header->seq == journal_.last_seq() && frame.header->frame_class == u8(FrameClass::In))
            return driver_.complete(frame);
        throw Error(ErrorKind::Journal, "recovery: expected the engine at the end of the journal, seq " +
                                            std::to_string(journal_.last_seq()) + ", found it at " +
                                            std::to_string(engine_.seq()) + "; recover it first");
    }
}

void LiveNode::open_feeds() {
    for (std::size_t i = 0; i < config_.feeds.size(); ++i) {
        const FeedConfig& from = config_.feeds[i];
        Feed& feed = feeds_.emplace_back();
        FeedHandler::Config handler = from.handler;
        handler.frames = {u16(source::kFeed + i), u16(i), config_.capacity.instruments_max};
        feed.ports = ports_.feeds.at(i);
        feed.itch = std::make_unique<ItchFeed>(from.symbols, handler.days.front().midnight_ns, u16(i), from.checks);
        feed.handler = std::make_unique<FeedHandler>(handler, feed.ports, *feed.itch, driver_, engine_, clock_);
        feed.handler->set_between([this] { poll_kill(); });
        feed.counters = std::make_unique<FeedCounters>(counters_, from.name, feed.ports.lines.size());
        feed.handler->start(from.session);
        for (const DatagramPort* line : feed.ports.lines)
            if (line->fd() >= 0) poller_.add(line->fd());
        if (feed.ports.requests && feed.ports.requests->fd() >= 0) poller_.add(feed.ports.requests->fd());
    }
}

void LiveNode::submit(Bytes record, u16 source) {
    FrameHeader* in = driver_.open(source, record.size());
    std::memcpy(in + 1, record.data(), record.size());
    driver_.submit(in, 1);
}

// ---- the loop --------------------------------------------------------------------------------------

u64 LiveNode::run(i64 for_ns) {
    const i64 until_ns = for_ns > 0 ? clock_.now_ns() + for_ns : INT64_MAX;
    for (;;) {
        const i64 now_ns = clock_.now_ns();
        const bool is_over = is_stop_requested() || now_ns >= until_ns;
        if (is_over && config_.is_tape) break;  // it holds nothing that must be cancelled
        if (!is_stopping_ && is_over) begin_stop();
        if (is_stopping_ && driver_.waiting() > 0) stop_by_ns_ = now_ns + config_.stop_timeout_ns;
        if (is_stopping_ && (is_settled() || now_ns >= stop_by_ns_)) break;
        const bool did_something = step(now_ns);
        if (!did_something) idle(now_ns);
        ++loops_;
    }
    publish(clock_.now_ns());
    return engine_.oms().live_orders();
}

// Nothing is open, and strategies in processes of their own have said what they want to say about that.
bool LiveNode::is_settled() const {
    return engine_.oms().live_orders() == 0 && (links_ == nullptr || links_->have_answered(stop_seq_));
}

bool LiveNode::step(i64 now_ns) {
    bool did_something = driver_.settle();
    did_something |= poll_kill();
    did_something |= poll_operator();
    if (links_) did_something |= links_->poll(driver_, now_ns);
    driver_.fire_timers(now_ns);
    for (Session& session : sessions_) did_something |= session.entry->poll(now_ns);
    if (paper_) did_something |= poll_paper(now_ns);
    for (Feed& feed : feeds_) {
        did_something |= feed.handler->poll() > 0;
        if (now_ns >= feed.handler->deadline_ns()) feed.handler->tick(now_ns);
    }
    if (now_ns >= next_tick_ns_) tick(now_ns);
    if (links_) links_->wake();
    return did_something;
}

bool LiveNode::poll_kill() {
    const KillLevel level = kill_.level();
    if (level <= kill_.acked() && level <= engine_.risk().killed()) return false;
    Control kill = make_control(Type::Kill, kill_.requested_at(), 0, u32(level));
    kill.values[kAskerUid] = kill_.requester_uid();
    kill.values[kApproverUid] = -1;
    if (level > engine_.risk().killed()) driver_.submit_one(source::kOperator, kill);
    kill_.ack(level);  // the gate was closed by the cell itself; this says that it is journalled and cancels are out
    return true;
}

bool LiveNode::poll_operator() {
    const u8* record = operator_.front();
    if (record == nullptr) return false;
    const auto& command = *reinterpret_cast<const Control*>(record);
    const bool is_of_node = ArmScope{command.strategy, command.instrument}.is_node();
    const bool releases = command.type == u8(Type::Arm) && command.flags & kAfterKill && is_of_node;
    submit({record, record_size(Type(command.type))}, source::kOperator);
    if (command.type == u8(Type::Kill)) kill_.take_scoped(u32(command.values[kKillTicket]));
    if (releases) {
        // A kill asked for since the person looked stays: poll_kill tells the engine of it again.
        if (command.source == u16(kill_.generation())) kill_.release(kill_.generation());
        kill_.take_all_scoped();
    }
    // Arming ends a CancelAll: a node on its way out would trade again, and leave orders behind.
    if (is_stopping_ && command.type == u8(Type::Arm)) cancel_all();
    operator_.pop();
    return true;
}

bool LiveNode::poll_paper(i64 now_ns) {
    bool did_something = false;
    for (; paper_->next_command() <= now_ns; did_something = true) paper_->deliver_command();
    while (paper_->next_report() <= now_ns) {
        FrameHeader* in = driver_.open(source::kOrderEntry, sizeof(Report));
        const u32 count = paper_->take_due_reports({reinterpret_cast<Report*>(in + 1), kReportsPerFrame});
        driver_.submit(in, count);
        did_something = true;
    }
    return did_something;
}

void LiveNode::tick(i64 now_ns) {
    next_tick_ns_ = now_ns + kTickNs;
    for (Feed& feed : feeds_) feed.handler->tick(now_ns);
    if (links_) links_->watch(driver_, now_ns);
    look_at_clock(now_ns);
    publish(now_ns);
    if (breather_) breather_();
}

// Engine time keeps the offset of the start (law 4); that the wall clock was set is a fact for the record.
void LiveNode::look_at_clock(i64 now_ns) {
    if (ports_.is_simulated() || now_ns < next_clock_look_ns_) return;
    next_clock_look_ns_ = now_ns + kClockLookNs;
    const i64 offset_ns = WallClock::measured_offset_ns();
    for (Feed& feed : feeds_) feed.handler->set_stamp_offset(ports_.wall->offset_ns() - offset_ns);
    if (std::abs(offset_ns - reported_offset_ns_) < kClockStepNs) return;
    reported_offset_ns_ = offset_ns;
    Control offset = make_control(Type::ClockOffset, now_ns);
    offset.values[0] = offset_ns;
    offset.values[1] = ports_.wall->offset_ns();
    driver_.submit_one(source::kNode, offset);
}

// Who spins on a machine without a core for each of the node's spinners lets the others have theirs.
void LiveNode::idle(i64 now_ns) {
    if (!config_.is_busy) return wait(now_ns);
    if (gives_way_) ::sched_yield();
}

void LiveNode::wait(i64 now_ns) {
    for (Session& session : sessions_) unwatch(*session.stream, session.polled_stream);
    for (Feed& feed : feeds_)
        if (feed.ports.snapshots != nullptr) unwatch(*feed.ports.snapshots, feed.polled_stream);
    for (Session& session : sessions_) watch(*session.stream, session.polled_stream, !session.ouch->outgoing().empty());
    for (Feed& feed : feeds_) {
        if (feed.ports.snapshots == nullptr) continue;
        watch(*feed.ports.snapshots, feed.polled_stream, feed.handler->snapshots()->wants_to_write());
    }
    poller_.wait(std::max<i64>(0, next_deadline(now_ns) - now_ns));
    if (links_) links_->silence_bell();
}

// A stream has another descriptor with each connection, and none without. What one has given up may be another's by
// now: all of that goes first.
void LiveNode::unwatch(const StreamPort& port, int& polled_fd) {
    if (polled_fd < 0 || port.fd() == polled_fd) return;
    poller_.remove(polled_fd);
    polled_fd = -1;
}

void LiveNode::watch(StreamPort& port, int& polled_fd, bool wants_to_write) {
    polled_fd = port.fd();
    if (polled_fd >= 0) poller_.add(polled_fd, wants_to_write || port.state() == StreamState::Connecting);
}

i64 LiveNode::next_deadline(i64 now_ns) const {
    i64 next = std::min({next_tick_ns_, engine_.next_deadline(), now_ns + kTickNs});
    for (const Feed& feed : feeds_) next = std::min(next, feed.handler->deadline_ns());
    if (paper_) next = std::min({next, paper_->next_command(), paper_->next_report()});
    return next;
}

// Ctrl-C: cancel all, then wait for the venue to confirm.
void LiveNode::begin_stop() {
    is_stopping_ = true;
    stop_by_ns_ = clock_.now_ns() + config_.stop_timeout_ns;
    cancel_all();
}

void LiveNode::cancel_all() {
    const u32 verb = u32(OperatorVerb::CancelAll);
    driver_.submit_one(source::kOperator, make_control(Type::Operator, clock_.now_ns(), 0, verb));
    stop_seq_ = engine_.seq();
}

void LiveNode::close() {
    for (Session& session : sessions_) {
        if (!session.entry->is_up()) continue;
        session.entry->log_out();
        session.entry->poll(clock_.now_ns());
    }
    if (!config_.is_tape) driver_.submit_one(source::kNode, make_control(Type::Checkpoint, clock_.now_ns()));
    journal_.close();
}

void LiveNode::publish(i64 now_ns) {
    Published& p = published_;
    p.frames_in.set(driver_.frames_in());
    p.commands.set(driver_.commands());
    p.sent.set(driver_.sent());
    p.gate_refused.set(gate_.counters().refused);
    p.gate_over_sent.set(gate_.counters().over_sent);
    p.gate_rated.set(gate_.counters().rated);
    p.cancels_over_rate.set(gate_.counters().cancels_over_rate);
    p.cancels_waiting.set(driver_.waiting());
    p.loops.set(loops_);
    p.refusals.set(engine_.refusals());
    p.book_faults.set(engine_.book_faults());
    p.now_ns.set(u64(now_ns));
    p.stopping.set(is_stopping_);
    u64 packets = 0, gaps = 0, duplicates = 0, dropped = 0, lost = 0;
    for (const Feed& feed : feeds_) {
        feed.counters->publish(*feed.handler, feed.ports);
        const MoldCounters& c = feed.handler->receiver().counters();
        gaps += c.gaps;
        duplicates += c.duplicates;
        lost += c.lost;
        for (std::size_t i = 0; i < feed.ports.lines.size(); ++i) {
            packets += c.lines[i].packets;
            dropped += feed.ports.lines[i]->dropped();
        }
    }
    p.feed_packets.set(packets);
    p.feed_gaps.set(gaps);
    p.feed_duplicates.set(duplicates);
    p.feed_dropped.set(dropped);
    p.feed_lost.set(lost);
}

}  // namespace openbell
