// How a failed system call of the network becomes a NetError, and how names become addresses.
#pragma once

#include <string>

#include "error.h"
#include "net/ports.h"
#include "owned_fd.h"

namespace openbell {

// "expected to <what>, got <errno text>; <next step>"
std::string net_failure(const std::string& what, int error);
[[noreturn]] void raise_net(const std::string& what, int error);

// Numeric IPv4 or a name; names are looked up here, once, at opening. Throws NetError.
Address resolve(const std::string& host, u16 port);
Address local_address(int fd);

}  // namespace openbell
