// The world as a node touches it. Of the five ports, Clock and Net are given to it here; Disk is the journal's
// directories (journal/disk.h), Venue is the route behind the driver, and Rng the seed in Started (rng.h).
#pragma once

#include <memory>
#include <vector>

#include "clock.h"
#include "net/tcp.h"
#include "net/udp.h"

namespace openbell {

// Whoever makes these keeps them alive. A simulated side has no descriptors (-1), no wall clock and no warden:
// it is stepped from one thread.
struct NodePorts {
    Clock* clock = nullptr;
    StreamPort* stream = nullptr;  // null: no order session
    std::vector<DatagramPort*> feeds;
    WallClock* wall = nullptr;  // null in simulation
    bool is_simulated() const { return wall == nullptr; }
};

// The real sides.
class RealPorts {
  public:
    RealPorts(const std::vector<UdpSocket::Config>& feeds, const TcpSocket::Config* stream) {
        if (stream) stream_ = std::make_unique<TcpSocket>(*stream);
        for (const UdpSocket::Config& feed : feeds) feeds_.push_back(std::make_unique<UdpSocket>(feed));
    }
    NodePorts ports() {
        NodePorts out{&clock_, stream_.get(), {}, &clock_};
        for (const auto& feed : feeds_) out.feeds.push_back(feed.get());
        return out;
    }

  private:
    WallClock clock_;
    std::unique_ptr<TcpSocket> stream_;
    std::vector<std::unique_ptr<UdpSocket>> feeds_;
};

}  // namespace openbell
