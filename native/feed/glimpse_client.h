// Our side of one GLIMPSE 5.0 login over SoupBinTCP, sans I/O: bytes and the time go in, the messages of a snapshot
// come out.
//
//   on_connected -> login for message 1 -> A -> S ... S(End of Snapshot) -> we log out
//
// One login is one snapshot. A connection that ends before the End of Snapshot has brought nothing. Sources: GLIMPSE
// 5.0; SoupBinTCP 3.00.
#pragma once

#include <array>
#include <vector>

#include "wire/glimpse.h"

namespace openbell {

// How a login ended.
enum class GlimpseEnd : u8 {
    None = 0,   // it goes on
    Complete,   // the snapshot is used
    Unusable,   // it is whole, and the listener could not use it: from before what was kept of the feed
    Closed,     // by the server or the network
    Refused,    // user, password, or no such session
    Silent,     // nothing received for `silence_ns`
    BadStream,  // no SoupBinTCP, or nothing that a snapshot server sends
};

class GlimpseListener {
  public:
    virtual void on_snapshot_begin() = 0;  // the login was accepted
    virtual void on_snapshot_message(Bytes message) = 0;
    // All messages below `next_seq` are in it. False: it is of no use.
    virtual bool on_snapshot_end(u64 next_seq) = 0;

  protected:
    ~GlimpseListener() = default;
};

class GlimpseClient {
  public:
    struct Config {
        char user[6 + 1] = {};
        char password[10 + 1] = {};
        i64 heartbeat_ns = 1'000'000'000;
        i64 silence_ns = 15'000'000'000;
    };

    explicit GlimpseClient(const Config& config);

    void on_connected(i64 now_ns);
    void on_disconnected() { leave(GlimpseEnd::Closed); }
    void on_bytes(Bytes bytes, i64 now_ns, GlimpseListener& to);
    void on_tick(i64 now_ns);
    i64 next_tick() const;

    Bytes outgoing() const { return Bytes(outgoing_).subspan(out_begin_, out_end_ - out_begin_); }
    void taken(std::size_t n);  // the socket took `n` bytes of `outgoing`
    GlimpseEnd end() const { return end_; }
    bool is_going_on() const { return end_ == GlimpseEnd::None; }
    u64 messages() const { return messages_; }  // of this login so far, its end included

  private:
    // More than the longest packet, so that every turn of the loop uses up a packet or all bytes.
    static constexpr std::size_t kAssemblyBytes = soup::kLengthBytes + 65'535 + 1;
    static constexpr std::size_t kOutgoingBytes = 256;  // a login, heartbeats, a logout

    std::size_t read_packets(GlimpseListener& to);
    void on_packet(const soup::Packet& packet, GlimpseListener& to);
    void on_message(Bytes message, GlimpseListener& to);
    void leave(GlimpseEnd end);
    template <class Write>
    void write(Write&& write);

    Config config_;
    GlimpseEnd end_ = GlimpseEnd::Closed;
    bool is_accepted_ = false;
    i64 last_received_ = 0;
    i64 last_sent_ = 0;
    u64 messages_ = 0;
    std::vector<u8> assembly_;
    std::size_t assembled_ = 0;
    std::array<u8, kOutgoingBytes> outgoing_{};
    std::size_t out_begin_ = 0;
    std::size_t out_end_ = 0;
};

}  // namespace openbell
