#include "node/feed_handler.h"

#include <algorithm>

namespace openbell {
namespace {

// A stamp further from now is of another clock.
constexpr i64 kStampAgeMaxNs = 60'000'000'000;
constexpr i64 kAnswersLateNs = 1'000'000'000;
// A book that was mended and has held for so long is as good as any.
constexpr i64 kMendedNs = 60'000'000'000;

MoldConfig with_server(MoldConfig config, bool has_server) {
    config.has_server = has_server;
    return config;
}

}  // namespace

FeedHandler::FeedHandler(const Config& config, const FeedPorts& ports, ItchFeed& feed, Driver& driver,
                         const Engine& engine, Clock& clock)
    : config_(config),
      ports_(ports),
      feed_(feed),
      engine_(engine),
      clock_(clock),
      frames_(config.frames, feed, driver, engine, clock),
      receiver_(with_server(config.mold, ports.requests != nullptr)),
      batches_(ports.lines.size(), std::vector<Datagram>(kBatch)),
      answers_(kBatch) {
    if (ports_.snapshots == nullptr) return;
    snapshots_.emplace(config.snapshots, *ports_.snapshots);
    buffer_.emplace(config.buffer_bytes);
}

void FeedHandler::start(std::string_view session) {
    frames_.assign_known();
    const u16 source = config_.frames.source;
    const std::string_view known = engine_.feed_session(source);
    heard_ns_ = clock_.now_ns();
    const bool is_new = !session.empty() && session != known;
    const bool begins_anew = is_new && !known.empty();
    if (is_new) to_announce_ = session;
    receiver_.start(mold::Session(session.empty() ? known : session), begins_anew ? 1 : engine_.source_seq(source) + 1);
    // One of an earlier day is over, whether we heard its end or not.
    const bool is_over = engine_.has_feed_ended(source) || engine_.now_ns() < config_.days.front().midnight_ns;
    if (session.empty() && !known.empty() && is_over) return receiver_.allow_switch();
    const bool goes_on = !known.empty() && !begins_anew;
    was_away_ = goes_on && config_.stale_ns > 0;
    if (goes_on) frames_.resume();
    if (!snapshots_ || begins_anew || !engine_.has_feed_lost(source)) return;
    // The process that has lost messages died before a snapshot had replaced them.
    receiver_.start(receiver_.session(), MoldReceiver::kFirstSeen);
    begin_recovery(MoldReceiver::kFirstSeen);
}

// ---- datagrams -------------------------------------------------------------------------------------

std::size_t FeedHandler::poll() {
    if (!to_announce_.empty()) frames_.connected(std::exchange(to_announce_, {}));
    if (std::exchange(was_away_, false)) say_stale();
    std::size_t n = receive();
    if (is_asking_) n += receive_answers();
    if (n > 0) send_requests();
    if (snapshots_ && poll_recovery(clock_.now_ns())) ++n;
    return n;
}

// The lines' datagrams in the order of their arrival: so a packet that one line lost is there before the other line's
// next ones open a gap.
std::size_t FeedHandler::receive() {
    std::array<std::size_t, line::kLinesMax> count{}, at{};
    std::size_t n = 0;
    for (std::size_t i = 0; i < ports_.lines.size(); ++i) n += count[i] = ports_.lines[i]->receive(batches_[i]);
    if (n == 0) return 0;
    const i64 now_ns = clock_.now_ns();
    frames_.set_received(now_ns);
    for (std::size_t done = 0; done < n; ++done) {
        std::size_t first = at[0] < count[0] ? 0 : 1;
        if (first == 0 && at[1] < count[1] && batches_[1][at[1]].ts_recv < batches_[0][at[0]].ts_recv) first = 1;
        const Datagram& datagram = batches_[first][at[first]++];
        if (done == 0) counters_.waited_ns = now_ns - arrival_of(datagram, now_ns);
        take(datagram, u8(first), now_ns);
        between_();
    }
    counters_.waited_ns_max = std::max(counters_.waited_ns_max, counters_.waited_ns);
    if (config_.stale_ns > 0) hear(now_ns);
    return n;
}

std::size_t FeedHandler::receive_answers() {
    const std::size_t n = ports_.requests->receive(answers_);
    const i64 now_ns = n > 0 ? clock_.now_ns() : 0;
    if (n > 0) frames_.set_received(now_ns);
    for (std::size_t i = 0; i < n; ++i) {
        if (answers_[i].from != config_.retransmit)
            ++counters_.strangers;
        else
            receiver_.on_packet(answers_[i].payload, line::kRequested, arrival_of(answers_[i], now_ns), now_ns, *this);
    }
    return n;
}

void FeedHandler::take(const Datagram& datagram, u8 line, i64 now_ns) {
    if (!is_sender(datagram.from)) {
        ++counters_.strangers;
        return;
    }
    const i64 arrival_ns = arrival_of(datagram, now_ns);
    counters_.heard_ns[line] = arrival_ns;
    receiver_.on_packet(datagram.payload, line, arrival_ns, now_ns, *this);
}

i64 FeedHandler::arrival_of(const Datagram& datagram, i64 now_ns) const {
    const i64 stamped = datagram.ts_recv + stamp_offset_ns_;
    return stamped <= now_ns && stamped > now_ns - kStampAgeMaxNs ? stamped : now_ns;
}

bool FeedHandler::is_sender(const Address& from) const {
    return config_.senders.empty() ||
           std::find(config_.senders.begin(), config_.senders.end(), from.ip) != config_.senders.end();
}

// Answers may come long after the gap is closed; the socket must not fill with them, nor wake us for ever.
void FeedHandler::tick(i64 now_ns) {
    receiver_.poll(now_ns, *this);
    watch_silence(now_ns);
    if (snapshots_) mend(now_ns);
    send_requests();
    if (ports_.requests == nullptr) return;
    receive_answers();
    is_asking_ = receiver_.is_behind() || (is_asking_ && now_ns < asked_ns_ + kAnswersLateNs);
}

// ---- silence ---------------------------------------------------------------------------------------

// Packets of the session, heartbeats among them; what else comes to the socket says nothing of it.
void FeedHandler::hear(i64 now_ns) {
    u64 packets = 0;
    for (std::size_t i = 0; i < ports_.lines.size(); ++i) packets += receiver_.counters().lines[i].packets;
    if (packets == heard_packets_) return;
    heard_packets_ = packets;
    heard_ns_ = now_ns;
    // What is missing, or is being built anew, has an end of its own.
    if (is_stale_ && !receiver_.is_behind() && phase_ == Phase::Live) frames_.recovered(receiver_.next_seq());
    is_stale_ = false;
}

// A venue that has ended its session may be silent, and one that was never heard has no books.
void FeedHandler::watch_silence(i64 now_ns) {
    const u16 source = config_.frames.source;
    if (config_.stale_ns == 0 || is_stale_ || now_ns < heard_ns_ + config_.stale_ns) return;
    if (receiver_.is_behind() || phase_ != Phase::Live) return;
    if (engine_.feed_session(source).empty() || engine_.has_feed_ended(source)) return;
    ++counters_.silences;
    say_stale();
}

void FeedHandler::say_stale() {
    is_stale_ = true;
    frames_.gap(receiver_.next_seq(), receiver_.next_seq(), kGapStale);
}

void FeedHandler::send_requests() {
    if (ports_.requests == nullptr) return;
    while (const auto request = receiver_.take_request()) {
        u8 bytes[mold::kHeaderBytes];
        ByteWriter out(bytes);
        if (mold::write_request(out, *request)) ports_.requests->send_to(config_.retransmit, out.written());
        is_asking_ = true;
        asked_ns_ = clock_.now_ns();
    }
}

i64 FeedHandler::deadline_ns() const {
    const i64 of_gap = receiver_.deadline_ns();
    return snapshots_ ? std::min(of_gap, snapshots_->deadline_ns()) : of_gap;
}

// ---- what the receiver says ------------------------------------------------------------------------

void FeedHandler::on_session(const mold::Session& session) {
    ++counters_.sessions;
    if (!engine_.feed_session(config_.frames.source).empty()) start_day();
    mendings_ = 0;
    frames_.connected(session.trimmed());
    if (phase_ == Phase::Live || engine_.has_feed_lost(config_.frames.source)) return;
    snapshots_->stop();  // the books of the old session are gone
    phase_ = Phase::Live;
}

// Of a session that follows another one: its times count from its own midnight, its locates are its own.
void FeedHandler::start_day() {
    const i64 now_ns = clock_.now_ns();
    const std::size_t before = day_;
    while (day_ + 1 < config_.days.size() && config_.days[day_ + 1].midnight_ns <= now_ns) ++day_;
    const Config::Day& day = config_.days[day_];
    frames_.start_day(day.midnight_ns, day_ == before ? Control{} : day.trading_day);
}

void FeedHandler::on_messages(const Delivery& delivery) {
    if (phase_ == Phase::Live) return frames_.add(delivery);
    if (buffer_->end() == MoldReceiver::kFirstSeen) buffer_->start(delivery.seq);
    const u64 first = buffer_->first();
    if (buffer_->keep(delivery)) return;
    const bool is_known = phase_ == Phase::Reading && engine_.has_feed_lost(config_.frames.source);
    if (!is_known) frames_.gap(first, buffer_->first(), kGapLost);  // that was not spliced yet
    if (phase_ == Phase::Reading) return;
    ++counters_.restarts;
    begin_recovery(delivery.end());
}

void FeedHandler::on_recovered(u64 next) {
    if (phase_ == Phase::Live) frames_.recovered(next);
}

// Without snapshots the books stay not valid, until the next session.
void FeedHandler::on_lost(u64 from, u64 to) {
    frames_.gap(from, to, kGapLost);
    if (!snapshots_) return;
    counters_.restarts += is_recovering();
    if (phase_ == Phase::Reading)
        buffer_->start(to);  // the snapshot being read may still be of a later moment
    else
        begin_recovery(to);
}

// A book that contradicts the feed is not valid; where its policy is `halt` a snapshot mends it. One that does not stay
// mended is tried again, later each time, and then left to a person.
void FeedHandler::mend(i64 now_ns) {
    if (phase_ != Phase::Live || receiver_.is_behind() || now_ns < next_mending_ns_) return;
    if (mendings_ > 0 && now_ns >= mended_ns_ + kMendedNs) mendings_ = 0;
    if (mendings_ >= config_.snapshots.tries_max || !engine_.has_contradiction(config_.frames.source)) return;
    const i64 pause_ns =
        std::min(config_.snapshots.retry_ns << std::min(mendings_, 20u), config_.snapshots.retry_ns_max);
    next_mending_ns_ = now_ns + pause_ns;
    mended_ns_ = now_ns;
    ++mendings_;
    ++counters_.mendings;
    // What comes from here on is kept, not shown: until it is, the feed's other books are not believed either.
    frames_.gap(receiver_.next_seq(), receiver_.next_seq(), kGapStale);
    begin_recovery(receiver_.next_seq());
}

// ---- snapshots -------------------------------------------------------------------------------------

void FeedHandler::begin_recovery(u64 next_seq) {
    phase_ = Phase::Reading;
    buffer_->start(next_seq);
    snapshots_->start(clock_.now_ns());
}

bool FeedHandler::poll_recovery(i64 now_ns) {
    const bool did_something = snapshots_->poll(now_ns, *this);
    frames_.flush_snapshot();  // others write frames before the next part of it comes
    if (phase_ == Phase::Reading && snapshots_->has_given_up()) phase_ = Phase::Splicing;
    if (phase_ != Phase::Splicing) return did_something;
    frames_.set_received(now_ns);
    return splice();
}

bool FeedHandler::on_snapshot_end(u64 next_seq) {
    frames_.flush_snapshot();
    // A heartbeat may have said where the feed is before any message did.
    if (buffer_->end() == MoldReceiver::kFirstSeen) buffer_->start(receiver_.next_seq());
    if (next_seq < buffer_->first() || next_seq == 0) return false;
    if (next_seq > buffer_->end()) {  // the snapshot was faster than the lines
        buffer_->start(next_seq);
        receiver_.resume_at(next_seq, *this);
    }
    buffer_->drop_below(next_seq);
    phase_ = Phase::Splicing;
    return true;
}

// Goes on with what was kept, a part of it at a time. Without a snapshot the books stay not valid, and what the feed
// says is journalled all the same.
bool FeedHandler::splice() {
    for (std::size_t i = 0; i < kSplicedPerPoll && !buffer_->empty(); ++i, buffer_->pop())
        frames_.add(buffer_->front());
    if (!buffer_->empty()) return true;
    phase_ = Phase::Live;
    if (snapshots_->has_given_up()) {
        const bool is_whole = !engine_.has_feed_lost(config_.frames.source) && !receiver_.is_behind();
        if (is_whole) frames_.recovered(receiver_.next_seq());  // but for the book that was to be mended
        return true;
    }
    receiver_.resume_at(receiver_.next_seq(), *this);  // forgives what was lost
    frames_.end_rebuild(receiver_.next_seq(), receiver_.is_behind() ? receiver_.known_end() : 0);
    return true;
}

}  // namespace openbell
