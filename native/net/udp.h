// UDP for market data: receives batches into preallocated buffers and counts what was lost on the way.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "net/fd.h"
#include "net/ports.h"

namespace openbell {

inline constexpr std::size_t kDatagramBytesMax = 65'507;  // IPv4: 65535 - 20 - 8
inline constexpr std::size_t kDatagramBatchMax = 1024;    // the kernel's own limit of recvmmsg (UIO_MAXIOV)

class UdpSocket final : public DatagramPort {
  public:
    struct Config {
        std::string host =
            "0.0.0.0";      // address to bind; with a group: bound to any, so that unicast answers arrive too
        u16 port = 0;       // 0: the system chooses, see `local`
        std::string group;  // multicast group to join; empty: unicast
        std::string interface = "0.0.0.0";   // IPv4 address of the interface for joining and for sending to groups
        int receive_buffer_bytes = 8 << 20;  // asked of the kernel; what it gave is `receive_buffer_bytes()`
        std::size_t batch = 64;              // datagrams per system call at most
        std::size_t datagram_bytes = 2048;   // longer ones are cut by the kernel, and dropped and counted here
        bool timestamps = true;              // SO_TIMESTAMPNS: Datagram::ts_recv is the kernel's time of arrival
    };

    explicit UdpSocket(const Config& config);  // throws NetError
    ~UdpSocket() override;

    std::size_t receive(std::span<Datagram> out) override;
    bool send_to(const Address& to, Bytes payload) override;
    u64 dropped() const override { return overflows_ + oversized_; }
    int buffer_bytes() const override { return receive_buffer_bytes_ / 2; }  // Linux doubles it for its own needs
    int fd() const override { return fd_.get(); }
    Address local() const override { return local_; }

    u64 overflows() const { return overflows_; }  // lost because the receive buffer was full (SO_RXQ_OVFL)
    u64 oversized() const { return oversized_; }  // longer than Config::datagram_bytes
    int receive_buffer_bytes() const { return receive_buffer_bytes_; }  // granted, as the kernel counts it (doubled)
    int error() const { return error_; }  // errno of the last send or receive that failed, else 0

  private:
    struct Slot;
    void open(const Config& config);
    void ask_for_buffer(int bytes);
    void join(const Config& config);
    void prepare_slots(std::size_t batch, std::size_t datagram_bytes);
    void read_control(msghdr& header, Datagram& datagram);

    Fd fd_;
    Address local_;
    std::string where_;
    std::vector<u8> payloads_;
    std::vector<mmsghdr> headers_;
    std::unique_ptr<Slot[]> slots_;
    std::size_t datagram_bytes_;
    u64 overflows_ = 0;
    u64 oversized_ = 0;
    u32 overflow_counter_ = 0;  // the kernel's, wraps
    int receive_buffer_bytes_ = 0;
    int error_ = 0;
};

}  // namespace openbell
