// The Net port: datagrams and byte streams as the node sees them. Each has a real side (udp.h, tcp.h) and a
// simulated side in memory (sim_net.h), so that a whole node runs in one process under a seed.
//
// Nothing here blocks and nothing throws: a side that cannot go on says so by its state.
#pragma once

#include <cstdint>
#include <string>

#include "bytes.h"

namespace openbell {

struct Address {
    u32 ip = 0;    // IPv4, host byte order
    u16 port = 0;  // host byte order
    auto operator<=>(const Address&) const = default;

    std::string text() const {
        std::string out;
        for (int shift = 24; shift >= 0; shift -= 8) {
            out += std::to_string(ip >> shift & 0xFF);
            out += shift ? '.' : ':';
        }
        return out + std::to_string(port);
    }
    bool is_multicast() const { return ip >> 28 == 0xE; }
};

struct Datagram {
    Bytes payload;    // valid until the next `receive` of the same port
    i64 ts_recv = 0;  // when the kernel (or the simulation) took it in, ns UTC; 0: not asked for
    Address from;
};

class DatagramPort {
  public:
    virtual ~DatagramPort() = default;
    // Fills `out` from its front with what has arrived, oldest first, and returns how many.
    virtual std::size_t receive(std::span<Datagram> out) = 0;
    // False: not sent (the buffer is full, or no route); datagrams are never queued here.
    virtual bool send_to(const Address& to, Bytes payload) = 0;
    virtual u64 dropped() const = 0;       // lost by this receiver since it was opened, as far as it can know
    virtual int buffer_bytes() const = 0;  // what waits for `receive` at most; in simulation without limit
    virtual int fd() const = 0;            // for a Poller; -1 in simulation
    virtual Address local() const = 0;     // with the port that the system chose
};

enum class StreamState : u8 { Down = 0, Connecting = 1, Up = 2 };

class StreamPort {
  public:
    virtual ~StreamPort() = default;
    // Starts a connection; what was left of an old one is dropped. Watch `state`.
    virtual void connect() = 0;
    // Also finishes a connection attempt that has succeeded or failed meanwhile.
    virtual StreamState state() = 0;
    // How many bytes it put into `out`. 0: none now, or the peer is gone; `state` tells which.
    virtual std::size_t receive(std::span<u8> out) = 0;
    // How many bytes from the front were taken; the rest is the caller's to offer again.
    virtual std::size_t send(Bytes bytes) = 0;
    // Ends both directions. The real side may be shut from any thread.
    virtual void shutdown() = 0;
    virtual int fd() const = 0;                    // for a Poller; -1 in simulation or when down
    virtual const std::string& error() const = 0;  // why it is down; empty: the peer or we closed it
};

}  // namespace openbell
