#include "net/udp.h"

#include <sys/uio.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

#include "net/sockaddr.h"

namespace openbell {

// What recvmmsg needs for one datagram besides its bytes.
struct UdpSocket::Slot {
    iovec vector;
    sockaddr_in from;
    alignas(cmsghdr) u8 control[CMSG_SPACE(sizeof(timespec)) + CMSG_SPACE(sizeof(u32))];
};

namespace {

template <class T>
void set_option(int fd, int level, int name, const T& value, const std::string& what) {
    if (::setsockopt(fd, level, name, &value, sizeof value) != 0) raise_net(what, errno);
}

void check(const UdpSocket::Config& config) {
    if (config.batch < 1 || config.batch > kDatagramBatchMax) {
        throw Error(ErrorKind::Net, "expected a batch of 1 to " + std::to_string(kDatagramBatchMax) +
                                        " datagrams, got " + std::to_string(config.batch) + "; change `batch`");
    }
    if (config.datagram_bytes < 1 || config.datagram_bytes > kDatagramBytesMax) {
        throw Error(ErrorKind::Net, "expected datagrams of 1 to " + std::to_string(kDatagramBytesMax) + " bytes, got " +
                                        std::to_string(config.datagram_bytes) + "; change `datagram_bytes`");
    }
}

}  // namespace

UdpSocket::UdpSocket(const Config& config) : datagram_bytes_(config.datagram_bytes) {
    check(config);
    open(config);
    if (!config.group.empty()) join(config);
    local_ = local_address(fd_.get());
    prepare_slots(config.batch, config.datagram_bytes);
}

UdpSocket::~UdpSocket() = default;

void UdpSocket::open(const Config& config) {
    const bool multicast = !config.group.empty();
    const Address bound = multicast ? Address{0, config.port} : resolve(config.host, config.port);
    where_ = "receive UDP on " + bound.text();
    fd_ = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_) raise_net(where_, errno);
    const int on = 1;
    // Several processes of one host may follow the same group; a unicast port stays exclusive.
    if (multicast) set_option(fd_.get(), SOL_SOCKET, SO_REUSEADDR, on, where_);
    set_option(fd_.get(), SOL_SOCKET, SO_RXQ_OVFL, on, where_);
    if (config.timestamps) set_option(fd_.get(), SOL_SOCKET, SO_TIMESTAMPNS, on, where_);
    ask_for_buffer(config.receive_buffer_bytes);
    socklen_t size = sizeof receive_buffer_bytes_;
    ::getsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes_, &size);
    const in_addr interface{htonl(resolve(config.interface, 0).ip)};
    set_option(fd_.get(), IPPROTO_IP, IP_MULTICAST_IF, interface, where_ + " by interface " + config.interface);
    const sockaddr_in address = to_sockaddr(bound);
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) raise_net(where_, errno);
}

// Beyond net.core.rmem_max for who is allowed to; everybody else is given that much, and can see it.
void UdpSocket::ask_for_buffer(int bytes) {
    if (::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == 0) return;
    set_option(fd_.get(), SOL_SOCKET, SO_RCVBUF, bytes, where_);
}

void UdpSocket::join(const Config& config) {
    where_ = "join multicast group " + config.group + " on interface " + config.interface;
    const Address group = resolve(config.group, config.port);
    if (!group.is_multicast()) {
        throw Error(ErrorKind::Net, "expected a multicast group (224.0.0.0 to 239.255.255.255), got " + config.group +
                                        "; for unicast leave `group` empty and set `host`");
    }
    ip_mreq request{};
    request.imr_multiaddr.s_addr = htonl(group.ip);
    request.imr_interface.s_addr = htonl(resolve(config.interface, 0).ip);
    // Only groups this socket has joined: by default Linux delivers those of every other socket of the port too.
    set_option(fd_.get(), IPPROTO_IP, IP_MULTICAST_ALL, 0, where_);
    set_option(fd_.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, request, where_);
}

void UdpSocket::prepare_slots(std::size_t batch, std::size_t datagram_bytes) {
    payloads_.resize(batch * datagram_bytes);
    headers_.resize(batch);
    slots_ = std::make_unique<Slot[]>(batch);
    for (std::size_t i = 0; i < batch; ++i) {
        slots_[i].vector = {payloads_.data() + i * datagram_bytes, datagram_bytes};
        headers_[i] = {};
        headers_[i].msg_hdr.msg_iov = &slots_[i].vector;
        headers_[i].msg_hdr.msg_iovlen = 1;
        headers_[i].msg_hdr.msg_name = &slots_[i].from;
        headers_[i].msg_hdr.msg_control = slots_[i].control;
    }
}

std::size_t UdpSocket::receive(std::span<Datagram> out) {
    const std::size_t batch = std::min(out.size(), headers_.size());
    for (std::size_t i = 0; i < batch; ++i) {  // the kernel overwrites both lengths
        headers_[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
        headers_[i].msg_hdr.msg_controllen = sizeof(Slot::control);
    }
    const int got = ::recvmmsg(fd_.get(), headers_.data(), unsigned(batch), MSG_DONTWAIT, nullptr);
    error_ = got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR ? errno : 0;
    std::size_t kept = 0;
    for (int i = 0; i < got; ++i) {
        msghdr& header = headers_[i].msg_hdr;
        Datagram datagram{
            {static_cast<const u8*>(slots_[i].vector.iov_base), headers_[i].msg_len}, 0, from_sockaddr(slots_[i].from)};
        read_control(header, datagram);
        if (header.msg_flags & MSG_TRUNC) {
            ++oversized_;
        } else {
            out[kept++] = datagram;
        }
    }
    return kept;
}

void UdpSocket::read_control(msghdr& header, Datagram& datagram) {
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != SOL_SOCKET) continue;
        if (c->cmsg_type == SCM_TIMESTAMPNS) {
            timespec t;
            std::memcpy(&t, CMSG_DATA(c), sizeof t);
            datagram.ts_recv = i64(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
        } else if (c->cmsg_type == SO_RXQ_OVFL) {
            u32 counter;
            std::memcpy(&counter, CMSG_DATA(c), sizeof counter);
            overflows_ += u32(counter - overflow_counter_);
            overflow_counter_ = counter;
        }
    }
}

bool UdpSocket::send_to(const Address& to, Bytes payload) {
    const sockaddr_in address = to_sockaddr(to);
    const ssize_t sent = ::sendto(fd_.get(), payload.data(), payload.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                  reinterpret_cast<const sockaddr*>(&address), sizeof address);
    error_ = sent < 0 ? errno : 0;
    return sent == ssize_t(payload.size());
}

}  // namespace openbell
