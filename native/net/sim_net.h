// The simulated side of the Net port: a network in memory whose time is a Clock and whose luck is a seed.
//
// Simulation only: it allocates. Ports must not outlive their SimNet.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "clock.h"
#include "net/ports.h"
#include "rng.h"

namespace openbell {

inline constexpr std::size_t kSimInboxMax = 65'536;       // datagrams per receiver; more are dropped and counted
inline constexpr std::size_t kSimPipeBytes = 256 * 1024;  // per direction of a stream

// What the network does to datagrams. Streams keep their order and only suffer delay.
struct SimFaults {
    u32 loss_ppm = 0;       // of a million datagrams
    u32 duplicate_ppm = 0;  // arrive twice
    i64 delay_ns = 0;
    i64 jitter_ns = 0;  // added uniformly in [0, jitter_ns], so datagrams may overtake each other
    i64 stamp_ns = 0;   // the kernel's clock is off by so much when it stamps what it takes in
};

class SimDatagrams;
class SimStream;
class SimListener;

class SimNet {
  public:
    SimNet(Clock& clock, u64 seed) : clock_(clock), rng_(seed) {}

    SimFaults faults;
    u64 mark = 0;  // kept beside what tapped streams send: whatever the simulation wants to know of that moment

    u64 sent() const { return sent_; }
    u64 lost() const { return lost_; }

  private:
    friend class SimDatagrams;
    friend class SimStream;
    friend class SimListener;

    bool happens(u32 ppm) { return ppm && rng_.below(1'000'000) < ppm; }
    i64 arrival() {
        return clock_.now_ns() + faults.delay_ns +
               (faults.jitter_ns > 0 ? i64(rng_.below(u64(faults.jitter_ns) + 1)) : 0);
    }
    void deliver(const Address& from, const Address& to, Bytes payload);

    Clock& clock_;
    SplitMix64 rng_;
    u64 sent_ = 0;
    u64 lost_ = 0;
    std::vector<SimDatagrams*> receivers_;
    std::map<Address, SimListener*> listeners_;
};

class SimDatagrams final : public DatagramPort {
  public:
    // `group` with ip 0: unicast only.
    SimDatagrams(SimNet& net, Address local, Address group = {});
    ~SimDatagrams() override;
    SimDatagrams(const SimDatagrams&) = delete;
    SimDatagrams& operator=(const SimDatagrams&) = delete;

    std::size_t receive(std::span<Datagram> out) override;
    bool send_to(const Address& to, Bytes payload) override;
    u64 dropped() const override { return dropped_; }
    int buffer_bytes() const override { return INT32_MAX; }
    int fd() const override { return -1; }
    Address local() const override { return local_; }
    // Every datagram that is received, from now on.
    void tap() { is_tapped_ = true; }
    std::vector<std::vector<u8>> take_received() { return std::exchange(received_, {}); }

  private:
    friend class SimNet;
    struct Arrival {
        Address from;
        std::vector<u8> payload;
    };
    bool is_addressed(const Address& to) const { return to == local_ || (group_.ip && to == group_); }

    SimNet& net_;
    Address local_;
    Address group_;
    std::multimap<i64, Arrival> inbox_;  // by time of arrival; equal times in order of sending
    std::vector<Arrival> held_;          // what the last `receive` handed out
    u64 dropped_ = 0;
    bool is_tapped_ = false;
    std::vector<std::vector<u8>> received_;
};

// One direction of a connection.
struct SimPipe {
    std::deque<std::pair<i64, u8>> bytes;  // when it arrives, what
    bool is_closed = false;                // the writer is gone: end of stream after the bytes
};

// What a tapped stream took at one call of `send`; no bytes: another connection began.
struct SimSent {
    i64 at_ns;
    u64 mark;
    std::vector<u8> bytes;
};

class SimStream final : public StreamPort {
  public:
    SimStream(SimNet& net, Address peer) : net_(net), peer_(peer) {}
    ~SimStream() override { shutdown(); }
    SimStream(const SimStream&) = delete;
    SimStream& operator=(const SimStream&) = delete;

    void connect() override;
    StreamState state() override;
    std::size_t receive(std::span<u8> out) override;
    std::size_t send(Bytes bytes) override;
    void shutdown() override;
    // As when a cable is cut: bytes under way in both directions are lost.
    void cut();
    // As when a host loses power: nobody is told, and what the other side sends goes nowhere.
    void vanish();
    // Every byte that is taken, from now on.
    void tap() { is_tapped_ = true; }
    std::vector<SimSent> take_sent() { return std::exchange(sent_, {}); }
    // The n-th send from now that takes bytes is the last thing its process does; 0: none is.
    void die_at_send(u32 n) { die_at_send_ = n; }
    int fd() const override { return -1; }
    const std::string& error() const override { return error_; }

    std::size_t send_max = kSimPipeBytes;  // at most so many bytes are under way: small values make partial sends
    i64 hold_in_until_ns = 0;              // nothing arrives here before; then all of it does
    i64 hold_out_until_ns = 0;             // nothing sent here arrives before

  private:
    friend class SimListener;
    SimNet& net_;
    Address peer_;
    std::shared_ptr<SimPipe> in_;  // null: down
    std::shared_ptr<SimPipe> out_;
    i64 up_at_ = 0;
    u32 die_at_send_ = 0;
    bool is_tapped_ = false;
    std::vector<SimSent> sent_;
    std::string error_;
};

class SimListener {
  public:
    SimListener(SimNet& net, Address local);
    ~SimListener();
    SimListener(const SimListener&) = delete;
    SimListener& operator=(const SimListener&) = delete;
    std::unique_ptr<SimStream> accept();  // null: nobody is waiting

  private:
    friend class SimStream;
    struct Waiting {
        std::shared_ptr<SimPipe> to_server, to_client;
    };
    SimNet& net_;
    Address local_;
    std::deque<Waiting> waiting_;
};

}  // namespace openbell
