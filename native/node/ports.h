// The world as a node touches it. Of the five ports, Clock and Net are given to it here; Disk is the journal's
// directories (journal/disk.h), Venue is the route behind the driver, and Rng the seed in Started (rng.h).
#pragma once

#include <memory>
#include <vector>

#include "clock.h"
#include "net/tcp.h"
#include "net/udp.h"

namespace openbell {

// What a feed is heard through.
struct FeedPorts {
    std::vector<DatagramPort*> lines;  // A, and B
    DatagramPort* requests = nullptr;  // for requests and their answers; null: nobody is asked
    StreamPort* snapshots = nullptr;   // null: there is no snapshot server
};

// Whoever makes these keeps them alive. A simulated side has no descriptors (-1), no wall clock and no warden:
// it is stepped from one thread.
struct NodePorts {
    Clock* clock = nullptr;
    std::vector<StreamPort*> streams;  // of order sessions, in the order of their numbers
    std::vector<FeedPorts> feeds;
    WallClock* wall = nullptr;  // null in simulation
    bool is_simulated() const { return wall == nullptr; }
};

// What a feed's real ports are opened with.
struct FeedSockets {
    std::vector<UdpSocket::Config> lines;
    bool has_requests = false;
    bool has_snapshots = false;
    TcpSocket::Config snapshots;
};

// The real sides.
class RealPorts {
  public:
    RealPorts(const std::vector<FeedSockets>& feeds, const std::vector<TcpSocket::Config>& streams) {
        for (const TcpSocket::Config& stream : streams) streams_.push_back(std::make_unique<TcpSocket>(stream));
        for (const FeedSockets& feed : feeds) open(feed);
    }
    NodePorts ports() {
        NodePorts out{&clock_, {}, feeds_, &clock_};
        for (const auto& stream : streams_) out.streams.push_back(stream.get());
        return out;
    }

  private:
    void open(const FeedSockets& from) {
        FeedPorts& feed = feeds_.emplace_back();
        for (const UdpSocket::Config& line : from.lines) feed.lines.push_back(keep(std::make_unique<UdpSocket>(line)));
        if (from.has_requests) feed.requests = keep(std::make_unique<UdpSocket>(UdpSocket::Config{}));
        if (!from.has_snapshots) return;
        snapshots_.push_back(std::make_unique<TcpSocket>(from.snapshots));
        feed.snapshots = snapshots_.back().get();
    }
    UdpSocket* keep(std::unique_ptr<UdpSocket> socket) {
        sockets_.push_back(std::move(socket));
        return sockets_.back().get();
    }

    WallClock clock_;
    std::vector<std::unique_ptr<TcpSocket>> streams_;
    std::vector<std::unique_ptr<UdpSocket>> sockets_;
    std::vector<std::unique_ptr<TcpSocket>> snapshots_;
    std::vector<FeedPorts> feeds_;
};

}  // namespace openbell
