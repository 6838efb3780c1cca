#include "node/warden.h"

namespace openbell {

Warden::Warden(const KillCell& cell, std::vector<StreamPort*> ports, Counter acted, Poller& trading)
    : cell_(cell), ports_(std::move(ports)), acted_(acted), trading_(trading), thread_([this] { watch(); }) {}

Warden::~Warden() {
    stop_.store(true, std::memory_order_release);
    thread_.join();
}

void Warden::watch() {
    u32 heard = cell_.bell();
    acted_.set(0);
    i64 waited_ns = 0;
    while (!stop_.load(std::memory_order_acquire)) {
        const KillLevel level = cell_.level();
        const bool is_scoped = cell_.awaits_scoped();  // unanswered by its meaning
        const bool is_answered = cell_.acked() >= level && !is_scoped;
        waited_ns = is_answered ? 0 : waited_ns + kLookEveryNs;
        const bool is_cord = level == KillLevel::Cord;
        if (is_cord || (waited_ns >= kPatienceNs && !has_acted_.load(std::memory_order_relaxed))) {
            for (StreamPort* port : ports_) port->shutdown();  // cancel-on-disconnect; a cord keeps them down
            has_acted_.store(true, std::memory_order_release);
            acted_.set(1);
        }
        if (level == KillLevel::None && !is_scoped && has_acted_.load(std::memory_order_relaxed)) {
            has_acted_.store(false, std::memory_order_release);
            acted_.set(0);
        }
        cell_.wait(heard, kLookEveryNs);
        if (const u32 bell = cell_.bell(); bell != heard) {
            heard = bell;
            trading_.wake();
        }
    }
}

}  // namespace openbell
