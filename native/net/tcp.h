// TCP for order entry: a non-blocking stream and the listener that accepts them.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "net/fd.h"
#include "net/ports.h"

namespace openbell {

class TcpSocket final : public StreamPort {
  public:
    struct Config {
        std::string host;
        u16 port = 0;
        int receive_buffer_bytes = 0;  // 0: as the system likes
        int send_buffer_bytes = 0;
    };

    explicit TcpSocket(const Config& config);  // looks the host up; throws NetError. Does not connect yet.
    TcpSocket(Fd accepted, const Address& peer);

    void connect() override;
    // For tools and tests at opening: waits, and throws NetError when it is not up after `timeout_ns`.
    void connect_within(i64 timeout_ns);

    StreamState state() override;
    std::size_t receive(std::span<u8> out) override;
    std::size_t send(Bytes bytes) override;
    void shutdown() override;
    int fd() const override { return fd_.get(); }
    const std::string& error() const override { return error_; }
    const Address& peer() const { return peer_; }
    Address local() const { return local_address(fd_.get()); }

  private:
    void open();
    void close(int error);  // 0: the peer or we closed it
    void adopt(Fd fd);

    Address peer_;
    Config config_;
    Fd fd_;
    std::atomic<int> shutdown_fd_ = -1;  // stored by `adopt` and `close`, loaded by `shutdown` of the warden thread
    StreamState state_ = StreamState::Down;
    std::string error_;
};

class TcpListener {
  public:
    TcpListener(const std::string& host, u16 port, int backlog = 64);  // port 0: the system chooses. Throws NetError
    std::unique_ptr<TcpSocket> accept();                               // null: nobody is waiting
    Address local() const { return local_; }
    int fd() const { return fd_.get(); }

  private:
    Fd fd_;
    Address local_;
};

}  // namespace openbell
