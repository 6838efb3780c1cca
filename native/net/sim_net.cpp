#include "net/sim_net.h"

#include <algorithm>

namespace openbell {

void SimNet::deliver(const Address& from, const Address& to, Bytes payload) {
    ++sent_;
    for (SimDatagrams* receiver : receivers_) {
        if (!receiver->is_addressed(to)) continue;
        const int copies = happens(faults.loss_ppm) ? 0 : happens(faults.duplicate_ppm) ? 2 : 1;
        if (copies == 0) ++lost_;
        for (int i = 0; i < copies; ++i) {
            if (receiver->inbox_.size() == kSimInboxMax) {
                ++receiver->dropped_;
            } else {
                receiver->inbox_.insert({arrival(), {from, {payload.begin(), payload.end()}}});
            }
        }
    }
}

SimDatagrams::SimDatagrams(SimNet& net, Address local, Address group) : net_(net), local_(local), group_(group) {
    net_.receivers_.push_back(this);
}

SimDatagrams::~SimDatagrams() { std::erase(net_.receivers_, this); }

std::size_t SimDatagrams::receive(std::span<Datagram> out) {
    held_.clear();
    held_.reserve(out.size());
    const i64 now = net_.clock_.now_ns();
    while (held_.size() < out.size() && !inbox_.empty() && inbox_.begin()->first <= now) {
        auto first = inbox_.extract(inbox_.begin());
        const Arrival& kept = held_.emplace_back(std::move(first.mapped()));
        if (is_tapped_) received_.push_back(kept.payload);
        out[held_.size() - 1] = {kept.payload, first.key() + net_.faults.stamp_ns, kept.from};
    }
    return held_.size();
}

bool SimDatagrams::send_to(const Address& to, Bytes payload) {
    net_.deliver(local_, to, payload);
    return true;
}

void SimStream::connect() {
    shutdown();
    const auto found = net_.listeners_.find(peer_);
    if (found == net_.listeners_.end()) {
        error_ = "expected to be connected to " + peer_.text() + " by TCP, got a refusal; nothing listens there";
        return;
    }
    error_.clear();
    in_ = std::make_shared<SimPipe>();
    out_ = std::make_shared<SimPipe>();
    up_at_ = net_.clock_.now_ns() + 2 * net_.faults.delay_ns;
    found->second->waiting_.push_back({out_, in_});
    if (is_tapped_) sent_.push_back({net_.clock_.now_ns(), net_.mark, {}});
}

StreamState SimStream::state() {
    if (!in_) return StreamState::Down;
    if (net_.clock_.now_ns() < up_at_) return StreamState::Connecting;
    return StreamState::Up;
}

std::size_t SimStream::receive(std::span<u8> out) {
    if (state() != StreamState::Up) return 0;
    const i64 now = net_.clock_.now_ns();
    if (now < hold_in_until_ns) return 0;
    std::size_t got = 0;
    auto& bytes = in_->bytes;
    for (; got < out.size() && !bytes.empty() && bytes.front().first <= now; ++got) {
        out[got] = bytes.front().second;
        bytes.pop_front();
    }
    if (got == 0 && bytes.empty() && in_->is_closed && !out.empty()) shutdown();
    return got;
}

std::size_t SimStream::send(Bytes bytes) {
    if (state() != StreamState::Up || in_->is_closed) return 0;
    const std::size_t under_way = out_->bytes.size();
    const std::size_t taken = std::min(bytes.size(), send_max > under_way ? send_max - under_way : 0);
    const i64 now = net_.clock_.now_ns();
    const i64 arrives = std::max(now + net_.faults.delay_ns, hold_out_until_ns);
    for (std::size_t i = 0; i < taken; ++i) out_->bytes.emplace_back(arrives, bytes[i]);
    if (taken == 0) return 0;
    if (is_tapped_) sent_.push_back({now, net_.mark, {bytes.begin(), bytes.begin() + std::ptrdiff_t(taken)}});
    if (die_at_send_ != 0 && --die_at_send_ == 0) throw SimulatedDeath();
    return taken;
}

void SimStream::shutdown() {
    if (out_) out_->is_closed = true;
    if (in_) in_->is_closed = true;
    in_.reset();
    out_.reset();
}

void SimStream::cut() {
    if (in_) in_->bytes.clear();
    if (out_) out_->bytes.clear();
    shutdown();
}

void SimStream::vanish() {
    in_.reset();
    out_.reset();
}

SimListener::SimListener(SimNet& net, Address local) : net_(net), local_(local) { net_.listeners_[local] = this; }

SimListener::~SimListener() { net_.listeners_.erase(local_); }

std::unique_ptr<SimStream> SimListener::accept() {
    if (waiting_.empty()) return nullptr;
    auto stream = std::make_unique<SimStream>(net_, local_);
    stream->in_ = waiting_.front().to_server;
    stream->out_ = waiting_.front().to_client;
    waiting_.pop_front();
    return stream;
}

}  // namespace openbell
