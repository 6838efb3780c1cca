// Our side of one OUCH 4.2 session over SoupBinTCP, sans I/O: bytes and the time go in, reports and bytes come out.
//
//   Down --on_connected--> LoggingIn --A--> Replaying --first H--> Resolved --on_disconnected--> Down
//
// How a driver sends one command, so that bytes never overtake each other:
//
//   n = session.encode(order, instrument, packet)        0: NotSent with session.refusal(order, instrument)
//   taken = session.outgoing().empty() ? port.send(packet[0, n)) : 0
//   if taken == 0 and it is not a cancel: NotSent(SocketFull)
//   else: session.keep(packet[taken, n)) ? Sent : NotSent(SocketFull)
//
// Source: SoupBinTCP 3.00 (login, heartbeats, implied numbers), OUCH 4.2.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "bytes.h"
#include "venue/sink.h"
#include "wire/soupbintcp.h"

namespace openbell {

inline constexpr std::size_t kAssemblyBytes = 64 * 1024 + 3;  // more than the longest packet: 2 + 65,535
inline constexpr std::size_t kOutgoingBytesMax = 16 * 1024;   // login, heartbeats, and what a socket did not take
inline constexpr std::size_t kOuchPacketBytesMax = 64;        // of a command: 3 + 49 for Enter Order

// Why a session ended: Control::code of Disconnected.
enum class SessionEnd : u32 {
    None = 0,
    Closed = 1,          // by the peer or the network
    LoginRefused = 2,    // user or password
    SessionChanged = 3,  // the venue has another session now: the next login asks for it from message 1
    EndOfSession = 4,
    DeadPeer = 5,
    LoginTimeout = 6,
    BadStream = 7,  // `fault` says where
    WentBack = 8,   // the venue counts from a message that we already have: its record is not ours
    LoggedOut = 9,  // by us
    Killed = 10,    // by us, with a part of what opens sent: a kill came, and cancel-on-disconnect is what remains
};

enum class FaultKind : u8 { Framing = 1, UnknownPacket, Unexpected, BadLogin, BadMessage };

// The place where a stream could not be followed.
struct DecodeFault {
    FaultKind kind;
    char packet_type;   // NUL: none
    char message_type;  // of an OUCH message; NUL: none
    u32 size;           // bytes of the payload
    u64 position;       // byte of the connection's stream at which the packet begins
    u64 source_seq;     // number the message would have had
};

class OuchSession {
  public:
    struct Config {
        char user[6 + 1] = {};
        char password[10 + 1] = {};
        char firm[4 + 1] = {};
        i64 heartbeat_ns = 1'000'000'000;
        i64 dead_ns = 15'000'000'000;
        i64 login_timeout_ns = 10'000'000'000;
        u16 source = 64;      // source::kOrderEntry + index of the session
        i64 midnight_ns = 0;  // start of the venue's day, ns UTC
    };
    struct Counters {
        u64 messages = 0;        // sequenced
        u64 reports = 0;         // records
        u64 foreign_tokens = 0;  // messages about orders that are not ours
        u64 ignored = 0;         // messages and packets of no consequence
        u64 heartbeats = 0;      // of the server
    };

    explicit OuchSession(const Config& config);

    // Before connecting, from the journal: the last session and the number of the next message not yet journalled.
    void resume(std::string_view session, u64 next_seq);
    void set_midnight(i64 midnight_ns) { config_.midnight_ns = midnight_ns; }

    void on_connected(i64 now);
    void on_disconnected(i64 now, VenueSink& sink);
    void on_bytes(Bytes bytes, i64 now, VenueSink& sink);
    void on_tick(i64 now);
    i64 next_tick() const;  // when `on_tick` next has something to do; INT64_MAX when down
    void log_out();
    void end_for_kill();  // what waits in `outgoing` must not leave

    // Why `encode` would return 0: SessionDown, SocketFull (cancels pass), NotExpressible; else None.
    Reason refusal(const Order& order, const Instrument& instrument) const;
    // One whole packet; 0 = cannot.
    std::size_t encode(const Order& order, const Instrument& instrument, std::span<u8> out);

    Bytes outgoing() const { return {outgoing_.data() + out_begin_, out_end_ - out_begin_}; }
    void taken(std::size_t n);  // the socket took `n` bytes of `outgoing`
    bool keep(Bytes rest);      // appends to `outgoing`; false: no room, and nothing was kept

    bool is_live() const { return phase_ >= Phase::Replaying && !wants_disconnect() && !is_logging_out_; }
    bool is_resolved() const { return phase_ == Phase::Resolved; }
    bool wants_disconnect() const { return end_ != SessionEnd::None; }
    SessionEnd end() const { return end_; }                // why it wants, or has had, a disconnect
    bool may_reconnect() const { return may_reconnect_; }  // false: a person, or `resume`, has to act first
    const std::optional<DecodeFault>& fault() const { return fault_; }
    u64 next_seq() const { return next_seq_; }
    std::string_view session() const { return session_.trimmed(); }
    const Counters& counters() const { return counters_; }

  private:
    enum class Phase : u8 { Down, LoggingIn, Replaying, Resolved };

    bool is_listening() const { return phase_ != Phase::Down && !wants_disconnect(); }
    std::size_t read_packets(i64 now, VenueSink& sink);
    void on_packet(const soup::Packet& packet, i64 now, VenueSink& sink);
    void on_login_packet(const soup::Packet& packet, i64 now, VenueSink& sink);
    void on_login_accepted(const soup::LoginAccepted& login, i64 now, VenueSink& sink);
    void on_login_rejected(soup::RejectReason reason);
    void on_session_packet(const soup::Packet& packet, i64 now, VenueSink& sink);
    void on_message(Bytes message, VenueSink& sink);
    void on_heartbeat(i64 now, VenueSink& sink);
    void forget_session();
    void leave(SessionEnd end, bool may_reconnect);
    void fail(FaultKind kind, const soup::Packet& packet, bool may_reconnect);
    Control control(Type type, i64 now) const;
    template <class Write>
    void write(Write&& write);

    Config config_;
    soup::Session session_;  // blank: the venue's current one
    u64 next_seq_ = 1;
    Phase phase_ = Phase::Down;
    SessionEnd end_ = SessionEnd::None;
    bool may_reconnect_ = true;
    bool is_logging_out_ = false;
    bool has_sent_ = false;  // an order since the last tick: it counts as a heartbeat
    i64 connected_at_ = 0;
    i64 last_received_ = 0;
    i64 last_sent_ = 0;
    std::vector<u8> assembly_;
    std::size_t assembled_ = 0;
    u64 stream_bytes_ = 0;  // of this connection, up to the start of the packet being read
    std::array<u8, kOutgoingBytesMax> outgoing_;
    std::size_t out_begin_ = 0;
    std::size_t out_end_ = 0;
    std::optional<DecodeFault> fault_;
    Counters counters_;
};

}  // namespace openbell
