#include "exchange/feed_snapshot.h"

#include <algorithm>
#include <array>
#include <span>

#include "wire/glimpse.h"

namespace openbell::exchange {
namespace {

constexpr std::size_t kRanksMin = 1024;  // below, those that left are not worth closing ranks

template <class Message>
void append_message(SnapshotPackets& packets, const Message& message) {
    std::array<u8, itch50::kMessageBytesMax> buffer;
    ByteWriter out(buffer);
    encode(message, out);
    packets.append(out.written());
}

itch50::AddOrder without_mpid(const itch50::AddOrderMpid& m) {
    itch50::AddOrder add;
    static_cast<itch50::Head&>(add) = m;
    add.order_id = m.order_id;
    add.side = m.side;
    add.qty = m.qty;
    add.symbol = m.symbol;
    add.px = m.px;
    return add;
}

}  // namespace

void SnapshotPackets::append(Bytes message) {
    starts_.push_back(bytes_.size());
    bytes_.resize(bytes_.size() + soup::kHeaderBytes + message.size());
    const std::span<u8> room = std::span<u8>(bytes_).subspan(starts_.back());
    ByteWriter out(room);
    soup::write_sequenced(out, message);
}

std::pair<Bytes, u64> SnapshotPackets::packets(u64 from, std::size_t bytes_max) const {
    from = std::clamp<u64>(from, 1, next_seq());
    const std::size_t begin = end_of(from - 1);
    u64 end = from;
    while (end < next_seq() && end_of(end) - begin <= bytes_max) ++end;
    return {Bytes(bytes_).subspan(begin, end_of(end - 1) - begin), end};
}

bool FeedSnapshot::follow(u64 messages_max) {
    const u64 end = std::min(feed_.next_seq(), next_seq_ + std::min(messages_max, feed_.next_seq()));
    for (; next_seq_ < end; ++next_seq_) {
        const Bytes raw = feed_.message(next_seq_);
        itch50::visit(raw, [&](const auto& m) { apply(m, raw); });
    }
    return next_seq_ == feed_.next_seq();
}

std::shared_ptr<const SnapshotPackets> FeedSnapshot::take() {
    if (taken_ && taken_at_ == next_seq_) return taken_;
    auto packets = std::make_shared<SnapshotPackets>();
    if (!system_event_.empty()) packets->append(system_event_);
    for (const auto& [_, state] : states_) packets->append(state);
    for (const Order& order : orders_) {
        if (order.add.qty == 0) continue;
        if (order.has_mpid)
            append_message(*packets, order.add);
        else
            append_message(*packets, without_mpid(order.add));
    }
    std::array<u8, glimpse::kEndOfSnapshotBytes> buffer;
    ByteWriter end(buffer);
    glimpse::write_end_of_snapshot(end, next_seq_);
    packets->append(end.written());
    taken_at_ = next_seq_;
    return taken_ = packets;
}

void FeedSnapshot::apply(const itch50::AddOrder& m, Bytes) {
    Order order;
    static_cast<itch50::Head&>(order.add) = m;
    order.add.order_id = m.order_id;
    order.add.side = m.side;
    order.add.qty = m.qty;
    order.add.symbol = m.symbol;
    order.add.px = m.px;
    join(order);
}

// The new order is an Add at the back, with the side, the stock and the attribution of the old one.
void FeedSnapshot::apply(const itch50::OrderReplace& m, Bytes) {
    auto found = places_.find(m.order_id);
    if (found == places_.end()) return;
    Order order = orders_[found->second];
    leave(m.order_id);
    static_cast<itch50::Head&>(order.add) = m;
    order.add.order_id = m.new_order_id;
    order.add.qty = m.qty;
    order.add.px = m.px;
    join(order);
}

void FeedSnapshot::join(const Order& order) {
    leave(order.add.order_id);  // a reference is live once
    if (order.add.qty == 0) return;
    places_[order.add.order_id] = orders_.size();
    orders_.push_back(order);
}

void FeedSnapshot::reduce(u64 order_id, u32 qty) {
    auto found = places_.find(order_id);
    if (found == places_.end()) return;  // not displayed
    u32& left = orders_[found->second].add.qty;
    if (qty >= left) return leave(order_id);
    left -= qty;
}

void FeedSnapshot::leave(u64 order_id) {
    auto found = places_.find(order_id);
    if (found == places_.end()) return;
    orders_[found->second].add.qty = 0;
    places_.erase(found);
    if (orders_.size() > kRanksMin && orders_.size() > 2 * places_.size()) close_ranks();
}

void FeedSnapshot::close_ranks() {
    std::erase_if(orders_, [](const Order& order) { return order.add.qty == 0; });
    for (std::size_t place = 0; place < orders_.size(); ++place) places_[orders_[place].add.order_id] = place;
}

}  // namespace openbell::exchange
