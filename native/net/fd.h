// One owned file descriptor, and how a failed system call becomes a NetError.
#pragma once

#include <unistd.h>

#include <string>
#include <utility>

#include "error.h"
#include "net/ports.h"

namespace openbell {

class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    ~Fd() { reset(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    void reset() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

  private:
    int fd_ = -1;
};

// "expected to <what>, got <errno text>; <next step>"
std::string net_failure(const std::string& what, int error);
[[noreturn]] void raise_net(const std::string& what, int error);

// Numeric IPv4 or a name; names are looked up here, once, at opening. Throws NetError.
Address resolve(const std::string& host, u16 port);
Address local_address(int fd);

}  // namespace openbell
