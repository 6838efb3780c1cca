#include "net/tcp.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "net/sockaddr.h"

namespace openbell {
namespace {

bool is_transient(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

void set_int(int fd, int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); }

int pending_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

}  // namespace

TcpSocket::TcpSocket(const Config& config) : peer_(resolve(config.host, config.port)), config_(config) {}

TcpSocket::TcpSocket(Fd accepted, const Address& peer) : peer_(peer) {
    adopt(std::move(accepted));
    state_ = StreamState::Up;
}

void TcpSocket::adopt(Fd fd) {
    fd_ = std::move(fd);
    // Orders are small and each matters: never wait to fill a segment.
    set_int(fd_.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    if (config_.receive_buffer_bytes) set_int(fd_.get(), SOL_SOCKET, SO_RCVBUF, config_.receive_buffer_bytes);
    if (config_.send_buffer_bytes) set_int(fd_.get(), SOL_SOCKET, SO_SNDBUF, config_.send_buffer_bytes);
    shutdown_fd_.store(fd_.get(), std::memory_order_release);
}

void TcpSocket::connect() {
    close(0);
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return close(errno);
    adopt(std::move(fd));
    const sockaddr_in to = to_sockaddr(peer_);
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) {
        state_ = StreamState::Up;
    } else if (errno == EINPROGRESS) {
        state_ = StreamState::Connecting;
    } else {
        close(errno);
    }
}

void TcpSocket::connect_within(i64 timeout_ns) {
    connect();
    if (state_ == StreamState::Connecting) {
        pollfd wanted{fd_.get(), POLLOUT, 0};
        ::poll(&wanted, 1, int((timeout_ns + 999'999) / 1'000'000));
    }
    if (state() == StreamState::Connecting) close(ETIMEDOUT);
    if (state_ != StreamState::Up) throw Error(ErrorKind::Net, error_);
}

StreamState TcpSocket::state() {
    if (state_ != StreamState::Connecting) return state_;
    pollfd wanted{fd_.get(), POLLOUT, 0};
    if (::poll(&wanted, 1, 0) <= 0) return state_;
    const int error = pending_error(fd_.get());
    if (error || wanted.revents & POLLHUP) {
        close(error);
    } else {
        state_ = StreamState::Up;
    }
    return state_;
}

std::size_t TcpSocket::receive(std::span<u8> out) {
    if (state() != StreamState::Up || out.empty()) return 0;
    const ssize_t got = ::recv(fd_.get(), out.data(), out.size(), MSG_DONTWAIT);
    if (got > 0) return std::size_t(got);
    if (got == 0)
        close(0);
    else if (!is_transient(errno))
        close(errno);
    return 0;
}

// A failed send does not close: the last reports of the peer may still be waiting to be received, and
// `receive` finds the end after them.
std::size_t TcpSocket::send(Bytes bytes) {
    if (state() != StreamState::Up || bytes.empty()) return 0;
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent > 0 ? std::size_t(sent) : 0;
}

void TcpSocket::shutdown() {
    const int fd = shutdown_fd_.load(std::memory_order_acquire);
    if (fd >= 0) ::shutdown(fd, SHUT_RDWR);
}

void TcpSocket::close(int error) {
    shutdown_fd_.store(-1, std::memory_order_release);
    fd_.reset();
    state_ = StreamState::Down;
    error_ = error ? net_failure("be connected to " + peer_.text() + " by TCP", error) : std::string();
}

TcpListener::TcpListener(const std::string& host, u16 port, int backlog) {
    const Address address = resolve(host, port);
    const std::string what = "listen on TCP " + address.text();
    fd_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_) raise_net(what, errno);
    set_int(fd_.get(), SOL_SOCKET, SO_REUSEADDR, 1);  // a restart does not wait for old connections to time out
    const sockaddr_in in = to_sockaddr(address);
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&in), sizeof in) != 0) raise_net(what, errno);
    if (::listen(fd_.get(), backlog) != 0) raise_net(what, errno);
    local_ = local_address(fd_.get());
}

std::unique_ptr<TcpSocket> TcpListener::accept() {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    Fd fd(::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) return nullptr;
    return std::make_unique<TcpSocket>(std::move(fd), from_sockaddr(from));
}

}  // namespace openbell
