#include "net/fd.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace openbell {
namespace {

const char* next_step(int error) {
    switch (error) {
        case ECONNREFUSED: return "nothing listens there: start the server, or correct host and port";
        case EADDRINUSE: return "another process holds the port: find it with `ss -anp`, or choose another port";
        case EADDRNOTAVAIL: return "no interface of this host has that address: list them with `ip addr`";
        case EACCES:
        case EPERM: return "not permitted: use a port of 1024 or more, or grant the capability";
        case ENODEV: return "no interface to join the group on: give the interface's own IPv4 address";
        case ENETUNREACH:
        case EHOSTUNREACH: return "no route: check `ip route get <address>` and the firewall";
        case ETIMEDOUT: return "no answer: check address, firewall, and whether the server is up";
        case ECONNRESET:
        case EPIPE: return "the peer closed the connection: its log says why; connect again";
        case EMFILE:
        case ENFILE: return "too many open files: raise `ulimit -n`";
        default: return "check the address and the network configuration of this host";
    }
}

}  // namespace

std::string net_failure(const std::string& what, int error) {
    return "expected to " + what + ", got " + std::strerror(error) + " (errno " + std::to_string(error) + "); " +
           next_step(error);
}

void raise_net(const std::string& what, int error) { throw Error(ErrorKind::Net, net_failure(what, error)); }

Address resolve(const std::string& host, u16 port) {
    in_addr numeric{};
    if (::inet_pton(AF_INET, host.c_str(), &numeric) == 1) return {ntohl(numeric.s_addr), port};
    addrinfo hints{};
    hints.ai_family = AF_INET;
    addrinfo* found = nullptr;
    const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (code != 0) {
        throw Error(ErrorKind::Net, "expected an IPv4 address or a known host name, got '" + host + "' (" +
                                        ::gai_strerror(code) + "); correct the host in the configuration");
    }
    const auto* in = reinterpret_cast<const sockaddr_in*>(found->ai_addr);
    const Address address{ntohl(in->sin_addr.s_addr), port};
    ::freeaddrinfo(found);
    return address;
}

Address local_address(int fd) {
    sockaddr_in in{};
    socklen_t size = sizeof in;
    if (fd < 0 || ::getsockname(fd, reinterpret_cast<sockaddr*>(&in), &size) != 0) return {};
    return {ntohl(in.sin_addr.s_addr), ntohs(in.sin_port)};
}

}  // namespace openbell
