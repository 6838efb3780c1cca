// One MoldUDP64 session, received over two lines and a request server, delivered in order and once.
//
// Time is an argument, requests are taken by the caller: the receiver opens no socket and reads no clock.
// Catching up (a node that restarts at its last number) and recovering a lost packet are the same thing:
// [next, known_end) less what is held is missing, and is asked for, several requests at a time, until it
// is filled or the tries are used up. Source: MoldUDP64 1.00; rules of A/B arbitration.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "feed/held_packets.h"
#include "feed/line_lag.h"
#include "wire/moldudp64.h"

namespace openbell {

namespace line {
inline constexpr u8 kA = 0;
inline constexpr u8 kB = 1;
inline constexpr u8 kRequested = 2;  // unicast answers of the request server
inline constexpr std::size_t kCount = 3;
inline constexpr std::size_t kLinesMax = 2;  // A and B
}  // namespace line

struct MoldConfig {
    u32 held_packets_max = 1024;
    u32 packet_bytes_max = mold::kPacketBytesMax;  // larger datagrams cannot be held, only delivered
    u32 requests_in_flight_max = 16;
    u16 messages_per_request = 32;  // about what fits one answer
    i64 wait_ns = 2'000'000;        // for the other line, before the first request
    i64 retry_ns = 250'000'000;
    u32 tries_max = 5;
    u64 gap_messages_max = 1'000'000'000;  // a number further ahead is damage, not a gap
    bool has_server = true;                // somebody answers requests
    u64 server_keeps = 0;                  // messages before the newest that it still has; 0: all of the session
};

// A run of consecutive messages of one datagram, the next ones in order.
struct Delivery {
    Bytes blocks;    // of the whole packet
    u64 packet_seq;  // of its first message
    u64 seq;         // of the first message delivered: those below it came before
    i64 ts_recv;     // ns, when the datagram arrived
    u16 count;       // of the packet
    u8 line;

    u64 end() const { return packet_seq + count; }
    // Calls f(number, message).
    template <class F>
    void for_each(F&& f) const {
        mold::for_each_message(blocks, packet_seq, count, seq, f);
    }
};

// What a receiver has to say. A gap ends in `on_recovered`, or in at least one `on_lost`.
class MoldListener {
  public:
    virtual void on_session(const mold::Session& session) = 0;  // the first packet of a session was seen
    virtual void on_messages(const Delivery& delivery) = 0;
    virtual void on_gap(u64 from, u64 to) = 0;   // [from, to) is missing; more may be
    virtual void on_recovered(u64 next) = 0;     // nothing is missing any more, nothing was lost
    virtual void on_lost(u64 from, u64 to) = 0;  // the tries are used up: books are not complete from here on
    virtual void on_end_of_session(u64 next) = 0;

  protected:
    ~MoldListener() = default;
};

struct LineCounters {
    u64 packets = 0;
    u64 messages = 0;   // in those packets
    u64 delivered = 0;  // messages for which the line was first
    u64 skipped = 0;    // messages that the line jumped over: lost on it, or overtaken
    Lag lag;            // behind the line that was first
};

struct MoldCounters {
    std::array<LineCounters, line::kCount> lines;
    u64 duplicates = 0;    // packets with nothing new
    u64 out_of_order = 0;  // packets held for their predecessors
    u64 not_held = 0;      // packets dropped because the buffer was full; asked for later
    u64 gaps = 0;
    u64 requests = 0;          // sent, repeats included
    u64 requests_refused = 0;  // the outgoing queue was full
    u64 recovered = 0;         // messages delivered from answers
    u64 lost = 0;              // messages given up
    u64 wrong_session = 0;     // packets
    u64 malformed = 0;
    u64 implausible = 0;  // numbers beyond gap_messages_max
};

class MoldReceiver {
  public:
    static constexpr u64 kFirstSeen = 0;  // as `next_seq`: begin at the first packet seen

    explicit MoldReceiver(const MoldConfig& config);

    // Expects message `next_seq` of `session` next; a blank session is that of the first packet.
    void start(const mold::Session& session, u64 next_seq);
    // The operator's word that the next unknown session replaces this one, at its message 1.
    void allow_switch() { switch_allowed_ = true; }

    // `ts_recv`, when it arrived, may lie long before now: it is told, and measures the lines.
    void on_packet(Bytes datagram, u8 line, i64 ts_recv, i64 now_ns, MoldListener& to);
    // What is below `next_seq` is known by other means (a snapshot): goes on there, and what was lost so far is
    // forgiven. A gap that is still open then ends in `on_recovered` or `on_lost` as any other.
    void resume_at(u64 next_seq, MoldListener& to);
    // Sends, repeats or gives up requests; call it at `deadline_ns` at the latest.
    void poll(i64 now_ns, MoldListener& to);
    // When `poll` has something to do; the largest time when nothing is missing.
    i64 deadline_ns() const;
    // The next request to send to the server, if any.
    std::optional<mold::Request> take_request();

    const mold::Session& session() const { return session_; }
    u64 next_seq() const { return next_; }
    u64 known_end() const { return known_end_; }
    bool is_behind() const { return behind_; }
    const MoldCounters& counters() const { return counters_; }

  private:
    struct InFlight {
        u64 from;
        u64 to;
        i64 deadline_ns;
        u32 tries;
    };

    bool take_expected(Bytes blocks, u64 seq, u16 count, u8 line, i64 ts_recv, MoldListener& to);
    void take_any(const mold::Packet& packet, Bytes datagram, u8 line, i64 ts_recv, i64 now_ns, MoldListener& to);
    bool accept_session(const mold::Header& header, MoldListener& to);
    void begin_session(const mold::Session& session, MoldListener& to);
    void count(u64 seq, u16 messages, u8 line);
    void place(const mold::Packet& packet, Bytes datagram, u8 line, i64 ts_recv, MoldListener& to);
    void deliver(const Delivery& delivery, MoldListener& to);
    void deliver_held(MoldListener& to);
    void settle(i64 now_ns, MoldListener& to);
    void advance_requests(i64 now_ns);
    void extend_requests(i64 now_ns);
    bool has_room_for_answer(u64 from) const;
    void forget_requests_from(u64 seq);
    bool is_answerable() const;
    bool is_hopeless(i64 now_ns) const;
    void give_up(MoldListener& to);
    void ask(InFlight& request, i64 now_ns);

    MoldConfig config_;
    HeldPackets held_;
    std::vector<InFlight> in_flight_;      // all below asked_to_; whatever is missing below it is in flight
    std::vector<mold::Request> outgoing_;  // ring
    std::size_t outgoing_first_ = 0;
    std::size_t outgoing_count_ = 0;
    std::array<u64, line::kCount> line_next_{};
    // Of a session in two words: a comparison of ten bytes that were just copied would wait for the copy.
    struct SessionWords {
        u64 head = 0;
        u16 tail = 0;
        bool operator==(const SessionWords&) const = default;
    };
    SessionWords session_words_;
    LineLag lag_;
    mold::Session session_;
    bool session_known_ = false;
    bool is_running_ = false;  // session and number are known, and a packet of them was seen
    bool switch_allowed_ = false;
    bool end_seen_ = false;
    bool end_reported_ = false;
    bool behind_ = false;
    bool lost_in_gap_ = false;
    u64 next_ = kFirstSeen;
    u64 known_end_ = 0;  // number after the highest message known to exist
    u64 asked_to_ = 0;
    u64 hole_ = 0;  // what `next_` was when the hole at it was first seen
    i64 hole_since_ns_ = 0;
    MoldCounters counters_;
};

}  // namespace openbell
