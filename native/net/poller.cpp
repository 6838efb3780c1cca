#include "net/poller.h"

#include "net/fd.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>

#include <cerrno>

namespace openbell {

Poller::Poller() : wake_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!wake_fd_) raise_net("make an eventfd to wake the poller", errno);
    polled_[0] = {wake_fd_.get(), POLLIN, 0};
}

void Poller::add(int fd, bool writable_too) {
    remove(fd);
    if (fd < 0) throw Error(ErrorKind::Net, "expected an open descriptor to poll, got " + std::to_string(fd));
    if (count_ == polled_.size()) {
        throw Error(ErrorKind::Capacity, "expected at most " + std::to_string(kPolledMax) +
                                             " polled descriptors (kPolledMax), got one more; use a second Poller");
    }
    polled_[count_++] = {fd, short(writable_too ? POLLIN | POLLOUT : POLLIN), 0};
}

void Poller::remove(int fd) {
    for (std::size_t i = 1; i < count_; ++i) {
        if (polled_[i].fd == fd) {
            polled_[i] = polled_[--count_];
            return;
        }
    }
}

std::size_t Poller::wait(i64 timeout_ns) {
    timespec timeout{timeout_ns / 1'000'000'000, long(timeout_ns % 1'000'000'000)};
    for (std::size_t i = 0; i < count_; ++i) polled_[i].revents = 0;
    int ready = ::ppoll(polled_.data(), count_, timeout_ns < 0 ? nullptr : &timeout, nullptr);
    if (ready < 0) {  // a signal: the caller looks around and waits again
        for (std::size_t i = 0; i < count_; ++i) polled_[i].revents = 0;
        ready = 0;
    }
    woken_ = polled_[0].revents != 0;
    if (woken_) {
        u64 count;
        [[maybe_unused]] const ssize_t got = ::read(wake_fd_.get(), &count, sizeof count);
    }
    return std::size_t(ready) - (woken_ ? 1 : 0);
}

short Poller::ready(int fd) const {
    for (std::size_t i = 1; i < count_; ++i) {
        if (polled_[i].fd == fd) return polled_[i].revents;
    }
    return 0;
}

bool Poller::is_readable(int fd) const { return ready(fd) & (POLLIN | POLLHUP | POLLERR | POLLNVAL); }
bool Poller::is_writable(int fd) const { return ready(fd) & POLLOUT; }

void Poller::wake() {
    const u64 one = 1;
    [[maybe_unused]] const ssize_t sent = ::write(wake_fd_.get(), &one, sizeof one);
}

}  // namespace openbell
