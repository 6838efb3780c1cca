#include "feed/mold_receiver.h"

#include <algorithm>
#include <limits>

#include "error.h"

namespace openbell {

namespace {

constexpr u64 kFirstOfSession = 1;

void check(bool is_right, const char* setting) {
    if (is_right) return;
    throw Error(ErrorKind::Config, std::string("feed setting ") + setting + ": expected 1 or more, found 0");
}

}  // namespace

MoldReceiver::MoldReceiver(const MoldConfig& config)
    : config_(config), held_(config.held_packets_max, config.packet_bytes_max) {
    check(config.requests_in_flight_max > 0, "requests_in_flight_max");
    check(config.messages_per_request > 0, "messages_per_request");
    check(config.tries_max > 0, "tries_max");
    in_flight_.reserve(config.requests_in_flight_max);
    outgoing_.resize(std::size_t(config.requests_in_flight_max) * 2);  // each request, and its repeat
}

void MoldReceiver::start(const mold::Session& session, u64 next_seq) {
    session_ = session;
    session_known_ = !session.trimmed().empty();
    next_ = known_end_ = asked_to_ = next_seq;
    is_running_ = false;
    hole_ = 0;
    end_seen_ = end_reported_ = behind_ = lost_in_gap_ = switch_allowed_ = false;
    line_next_ = {};
    held_.clear();
    in_flight_.clear();
    outgoing_count_ = 0;
}

void MoldReceiver::on_packet(Bytes datagram, u8 line, i64 ts_recv, i64 now_ns, MoldListener& to) {
    ByteReader in(datagram);
    SessionWords session;
    session.head = in.le<u64>();
    session.tail = in.le<u16>();
    const u64 seq = in.be64();
    const u16 count = in.be16();
    if (in.failed() || line >= line::kCount) {
        ++counters_.malformed;
        return;
    }
    if (is_running_ && session == session_words_ &&
        take_expected(datagram.subspan(mold::kHeaderBytes), seq, count, line, ts_recv, to)) [[likely]]
        return;
    const auto packet = mold::parse(datagram);
    if (!packet || seq == 0) {
        ++counters_.malformed;
        return;
    }
    take_any(*packet, datagram, line, ts_recv, now_ns, to);
}

// A day without loss has two kinds of packets, the next one and the one that the other line has brought already.
// Of the latter only the header is read.
inline bool MoldReceiver::take_expected(Bytes blocks, u64 seq, u16 messages, u8 line, i64 ts_recv, MoldListener& to) {
    if (messages == mold::kHeartbeat || messages == mold::kEndOfSession) return false;
    if (seq < next_ && seq + messages <= next_) {
        ++counters_.duplicates;
        count(seq, messages, line);
        lag_.again(seq, line, ts_recv, counters_.lines[line].lag);
        return true;
    }
    if (seq != next_ || behind_ || !mold::are_blocks(blocks, messages)) return false;
    count(seq, messages, line);
    known_end_ = seq + messages;
    deliver({blocks, seq, seq, ts_recv, messages, line}, to);
    return true;
}

void MoldReceiver::take_any(const mold::Packet& packet, Bytes datagram, u8 line, i64 ts_recv, i64 now_ns,
                            MoldListener& to) {
    const mold::Header& header = packet.header;
    if (!accept_session(header, to)) {
        ++counters_.wrong_session;
        return;
    }
    if (next_ == kFirstSeen) next_ = known_end_ = asked_to_ = header.seq;
    is_running_ = true;
    ByteReader name(datagram);
    session_words_.head = name.le<u64>();
    session_words_.tail = name.le<u16>();
    if (header.end() > next_ && header.end() - next_ > config_.gap_messages_max) {
        ++counters_.implausible;
        return;
    }
    count(header.seq, header.messages(), line);
    known_end_ = std::max(known_end_, header.end());
    end_seen_ |= header.is_end_of_session();
    if (header.messages() > 0) place(packet, datagram, line, ts_recv, to);
    settle(now_ns, to);
}

// Another session's packets are stragglers, unless this one has ended or the operator allows the switch.
bool MoldReceiver::accept_session(const mold::Header& header, MoldListener& to) {
    if (header.session == session_ && session_known_) return true;
    if (!session_known_) {
        session_ = header.session;
        session_known_ = true;
        to.on_session(session_);
        return true;
    }
    if (!end_seen_ && !switch_allowed_) return false;
    begin_session(header.session, to);
    return true;
}

void MoldReceiver::begin_session(const mold::Session& session, MoldListener& to) {
    if (next_ < known_end_) {
        counters_.lost += known_end_ - next_;
        to.on_lost(next_, known_end_);
    }
    start(session, kFirstOfSession);
    to.on_session(session_);
}

inline void MoldReceiver::count(u64 seq, u16 messages, u8 line) {
    LineCounters& counters = counters_.lines[line];
    ++counters.packets;
    counters.messages += messages;
    if (line == line::kRequested) return;
    u64& expected = line_next_[line];
    if (expected != 0 && seq > expected) counters.skipped += seq - expected;
    expected = std::max(expected, seq + messages);
}

void MoldReceiver::place(const mold::Packet& packet, Bytes datagram, u8 line, i64 ts_recv, MoldListener& to) {
    const mold::Header& header = packet.header;
    if (header.end() <= next_) {  // of a session that has just begun
        ++counters_.duplicates;
        return;
    }
    if (header.seq <= next_) {
        deliver({packet.blocks, header.seq, next_, ts_recv, header.messages(), line}, to);
        deliver_held(to);
        return;
    }
    const auto outcome = held_.add(header, datagram, line, ts_recv);
    counters_.out_of_order += outcome.kept;
    counters_.duplicates += !outcome.kept && !outcome.dropped_seq;
    if (!outcome.dropped_seq) return;
    ++counters_.not_held;
    forget_requests_from(*outcome.dropped_seq);
}

inline void MoldReceiver::deliver(const Delivery& delivery, MoldListener& to) {
    const u64 messages = delivery.end() - delivery.seq;
    counters_.lines[delivery.line].delivered += messages;
    if (delivery.line == line::kRequested) counters_.recovered += messages;
    lag_.first(delivery.packet_seq, delivery.line, delivery.ts_recv);
    next_ = delivery.end();
    to.on_messages(delivery);
}

void MoldReceiver::deliver_held(MoldListener& to) {
    std::size_t done = 0;
    for (; done < held_.size() && held_.at(done).seq <= next_; ++done) {
        const HeldPacket& held = held_.at(done);
        if (held.end <= next_) continue;
        const Bytes blocks = held_.datagram(held).subspan(mold::kHeaderBytes);  // valid when they were held
        deliver({blocks, held.seq, next_, held.ts_recv, u16(held.end - held.seq), held.line}, to);
    }
    held_.drop_first(done);
}

// After a packet or a loss: does a gap open or close, does the session end?
void MoldReceiver::settle(i64 now_ns, MoldListener& to) {
    const bool was_behind = behind_;
    behind_ = next_ < known_end_;
    if (behind_ && !was_behind) {
        ++counters_.gaps;
        lost_in_gap_ = false;
        to.on_gap(next_, std::min(held_.first_held_after(next_), known_end_));
    }
    if (!behind_ && was_behind) {
        in_flight_.clear();
        outgoing_count_ = 0;
        if (!lost_in_gap_) to.on_recovered(next_);
    }
    if (!behind_ && end_seen_ && !end_reported_) {
        end_reported_ = true;
        to.on_end_of_session(next_);
    }
    if (!behind_) return;
    if (hole_ != next_) {
        hole_ = next_;
        hole_since_ns_ = now_ns;
    }
    if (!is_answerable() || (in_flight_.empty() && now_ns < hole_since_ns_ + config_.wait_ns)) return;
    advance_requests(now_ns);
    extend_requests(now_ns);
}

void MoldReceiver::poll(i64 now_ns, MoldListener& to) {
    if (!behind_) return;
    settle(now_ns, to);
    if (behind_ && is_hopeless(now_ns)) {
        give_up(to);
        settle(now_ns, to);
    }
}

void MoldReceiver::resume_at(u64 next_seq, MoldListener& to) {
    lost_in_gap_ = false;
    if (next_seq <= next_) return;
    next_ = next_seq;
    known_end_ = std::max(known_end_, next_);
    deliver_held(to);
    behind_ = next_ < known_end_;
    if (behind_) return;
    in_flight_.clear();
    outgoing_count_ = 0;
}

// Drops requests that are answered, asks at once for the rest of those answered in part (an answer is one
// packet), and repeats those that nobody answered in time.
void MoldReceiver::advance_requests(i64 now_ns) {
    std::size_t kept = 0;
    for (InFlight request : in_flight_) {
        const u64 from = held_.first_missing(std::max(request.from, next_));
        if (from >= request.to) continue;
        if (from > request.from) {
            request.from = from;
            request.tries = 0;
            ask(request, now_ns);
        } else if (now_ns >= request.deadline_ns && request.tries < config_.tries_max) {
            ask(request, now_ns);
        }
        in_flight_[kept++] = request;
    }
    in_flight_.resize(kept);
}

void MoldReceiver::extend_requests(i64 now_ns) {
    u64 from = held_.first_missing(std::max(next_, asked_to_));
    while (from < known_end_ && has_room_for_answer(from)) {
        const u64 hole_end = std::min(held_.first_held_after(from), known_end_);
        InFlight request{from, std::min(hole_end, from + config_.messages_per_request), 0, 0};
        ask(request, now_ns);
        in_flight_.push_back(request);
        asked_to_ = request.to;
        from = held_.first_missing(asked_to_);
    }
}

// An answer that comes before its predecessors must be held. Without room it would be dropped and asked for
// again at once, at the speed of the network; the answer to the very next message needs none.
bool MoldReceiver::has_room_for_answer(u64 from) const {
    if (in_flight_.size() >= config_.requests_in_flight_max) return false;
    return from == next_ || held_.count_before(from) + in_flight_.size() < config_.held_packets_max;
}

// What was held from `seq` on is missing again: everything above is to be asked for anew, in order.
void MoldReceiver::forget_requests_from(u64 seq) {
    if (seq >= asked_to_) return;
    asked_to_ = seq;
    std::erase_if(in_flight_, [seq](const InFlight& request) { return request.from >= seq; });
}

// Nobody is asked for what nobody has.
bool MoldReceiver::is_answerable() const {
    return config_.has_server && (config_.server_keeps == 0 || known_end_ - next_ <= config_.server_keeps);
}

// The request for the very next message was tried for the last time, and its time is over; or the other line was the
// only hope, and its time is over.
bool MoldReceiver::is_hopeless(i64 now_ns) const {
    if (!is_answerable()) return now_ns >= hole_since_ns_ + config_.wait_ns;
    return std::any_of(in_flight_.begin(), in_flight_.end(), [&](const InFlight& request) {
        return request.from == next_ && request.tries >= config_.tries_max && now_ns >= request.deadline_ns;
    });
}

void MoldReceiver::give_up(MoldListener& to) {
    const u64 from = next_;
    next_ = std::min(held_.first_held_after(next_), known_end_);
    counters_.lost += next_ - from;
    lost_in_gap_ = true;
    to.on_lost(from, next_);
    deliver_held(to);
}

void MoldReceiver::ask(InFlight& request, i64 now_ns) {
    ++request.tries;
    request.deadline_ns = now_ns + config_.retry_ns;
    if (outgoing_count_ == outgoing_.size()) {
        ++counters_.requests_refused;
        return;
    }
    ++counters_.requests;
    const std::size_t at = (outgoing_first_ + outgoing_count_++) % outgoing_.size();
    outgoing_[at] = {session_, request.from, u16(request.to - request.from)};
}

std::optional<mold::Request> MoldReceiver::take_request() {
    if (outgoing_count_ == 0) return std::nullopt;
    const mold::Request request = outgoing_[outgoing_first_];
    outgoing_first_ = (outgoing_first_ + 1) % outgoing_.size();
    --outgoing_count_;
    return request;
}

i64 MoldReceiver::deadline_ns() const {
    if (!behind_) return std::numeric_limits<i64>::max();
    if (!is_answerable() || in_flight_.empty()) return hole_since_ns_ + config_.wait_ns;
    i64 earliest = std::numeric_limits<i64>::max();
    for (const InFlight& request : in_flight_) {
        // One that is used up waits until everything before it is there.
        if (request.tries >= config_.tries_max && request.from != next_) continue;
        earliest = std::min(earliest, request.deadline_ns);
    }
    return earliest;
}

}  // namespace openbell
