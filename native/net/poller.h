// Waits for several descriptors at once, for processes that block instead of spinning.
//
// ppoll, not epoll: a node has a few dozen descriptors, and ppoll takes its timeout in nanoseconds everywhere.
#pragma once

#include <poll.h>

#include <array>

#include "owned_fd.h"
#include "records.h"

namespace openbell {

inline constexpr std::size_t kPolledMax = 256;

class Poller {
  public:
    Poller();  // throws NetError

    void add(int fd, bool writable_too = false);  // throws CapacityError; adding again changes what is waited for
    void remove(int fd);                          // also of a descriptor that was never added

    // Waits until something is ready, `wake` is called, or `timeout_ns` passed (negative: without limit).
    // Returns how many descriptors are ready; the eventfd is not one of them.
    std::size_t wait(i64 timeout_ns);
    bool is_readable(int fd) const;  // after `wait`: readable, or closed by the peer, or failed
    bool is_writable(int fd) const;
    bool was_woken() const { return woken_; }  // the last `wait` ended by `wake`

    void wake();  // from any thread or signal handler

  private:
    short ready(int fd) const;
    Fd wake_fd_;
    std::array<pollfd, kPolledMax + 1> polled_{};  // [0] is the eventfd
    std::size_t count_ = 1;
    bool woken_ = false;
};

}  // namespace openbell
