#include "node/snapshot_session.h"

#include <algorithm>

namespace openbell {

namespace {
constexpr u32 kDoublingsMax = 20;
}

SnapshotSession::SnapshotSession(const Config& config, StreamPort& port)
    : config_(config), port_(port), client_(config.login), buffer_(kReceiveBytes) {}

void SnapshotSession::start(i64 now_ns) {
    stop();
    is_wanted_ = true;
    has_given_up_ = false;
    tries_ = 0;
    next_try_ns_ = now_ns;
}

void SnapshotSession::stop() {
    is_wanted_ = is_trying_ = is_logged_in_ = false;
    port_.shutdown();
}

bool SnapshotSession::poll(i64 now_ns, GlimpseListener& to) {
    if (!is_wanted_) {
        if (port_.state() != StreamState::Down) port_.receive(buffer_);  // finds the end of what was shut
        return false;
    }
    if (!is_trying_) {
        if (now_ns < next_try_ns_) return false;
        connect(now_ns);
    }
    const bool did_something = read(now_ns, to);
    settle(now_ns);
    return did_something;
}

void SnapshotSession::connect(i64 now_ns) {
    is_trying_ = true;
    is_logged_in_ = false;
    since_ns_ = now_ns;
    ++tries_;
    ++counters_.tries;
    port_.connect();
}

bool SnapshotSession::read(i64 now_ns, GlimpseListener& to) {
    const StreamState state = port_.state();
    if (state == StreamState::Up && !is_logged_in_) {
        is_logged_in_ = true;
        client_.on_connected(now_ns);
    }
    if (!is_logged_in_) return false;
    const std::size_t n = port_.receive(buffer_);
    if (n > 0) client_.on_bytes({buffer_.data(), n}, now_ns, to);
    client_.on_tick(now_ns);
    if (!client_.outgoing().empty()) client_.taken(port_.send(client_.outgoing()));
    if (n == 0 && port_.state() == StreamState::Down) client_.on_disconnected();
    return n > 0;
}

// What became of this try?
void SnapshotSession::settle(i64 now_ns) {
    if (!is_wanted_) return;  // the listener wants no more of it
    const bool is_connecting = port_.state() == StreamState::Connecting;
    const bool goes_on =
        is_logged_in_ ? client_.is_going_on() : is_connecting && now_ns - since_ns_ < config_.connect_timeout_ns;
    if (goes_on) return;
    const bool is_complete = is_logged_in_ && client_.end() == GlimpseEnd::Complete;
    const bool is_refused = is_logged_in_ && client_.end() == GlimpseEnd::Refused;
    is_trying_ = is_logged_in_ = false;
    port_.shutdown();
    if (is_complete) {
        is_wanted_ = false;
        ++counters_.snapshots;
    } else if (is_refused || tries_ >= config_.tries_max) {
        is_wanted_ = false;
        has_given_up_ = true;
        ++counters_.given_up;
    } else {
        const i64 pause_ns = config_.retry_ns << std::min(tries_ - 1, kDoublingsMax);
        next_try_ns_ = now_ns + std::min(pause_ns, config_.retry_ns_max);
    }
}

i64 SnapshotSession::deadline_ns() const {
    if (!is_wanted_) return INT64_MAX;
    if (!is_trying_) return next_try_ns_;
    return is_logged_in_ ? client_.next_tick() : since_ns_ + config_.connect_timeout_ns;
}

}  // namespace openbell
