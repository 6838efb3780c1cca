// Address <-> the kernel's sockaddr_in.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>

#include "net/ports.h"

namespace openbell {

inline sockaddr_in to_sockaddr(const Address& address) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_addr.s_addr = htonl(address.ip);
    out.sin_port = htons(address.port);
    return out;
}

inline Address from_sockaddr(const sockaddr_in& in) { return {ntohl(in.sin_addr.s_addr), ntohs(in.sin_port)}; }

}  // namespace openbell
