#include "feed/live_buffer.h"

#include "error.h"

namespace openbell {
namespace {

constexpr std::size_t kBytesMin = 2 * 65'536;  // a packet of any size fits, wherever the ring begins anew

constexpr std::size_t aligned(std::size_t n) { return (n + sizeof(u64) - 1) / sizeof(u64) * sizeof(u64); }

}  // namespace

LiveBuffer::LiveBuffer(std::size_t bytes_max) : ring_(aligned(bytes_max) / sizeof(u64)) {
    if (bytes_max >= kBytesMin) return;
    throw Error(ErrorKind::Config, "expected a buffer of at least " + std::to_string(kBytesMin) +
                                       " bytes for what a feed says during its snapshot, found " +
                                       std::to_string(bytes_max));
}

void LiveBuffer::start(u64 next_seq) {
    tail_ = head_ = 0;
    first_ = end_ = next_seq;
}

bool LiveBuffer::keep(const Delivery& delivery) {
    const Bytes blocks = delivery.blocks;
    const std::size_t needed = sizeof(Head) + aligned(blocks.size());
    const std::size_t left = room_before_wrap(head_);
    const std::size_t skipped = left < needed ? left : 0;
    bool is_whole = true;
    for (; !empty() && head_ + skipped + needed - tail_ > bytes(); is_whole = false) pop();
    if (skipped >= sizeof(Head)) head_at(head_).size = kSkip;
    if (empty()) tail_ += skipped;
    head_ += skipped;
    Head& head = head_at(head_);
    head = {delivery.seq, delivery.packet_seq, delivery.ts_recv, u32(blocks.size()), delivery.count, delivery.line, 0};
    if (!blocks.empty()) std::memcpy(&head + 1, blocks.data(), blocks.size());
    head_ += needed;
    end_ = delivery.end();
    return is_whole;
}

void LiveBuffer::skip_to_packet() {
    const std::size_t left = room_before_wrap(tail_);
    if (left < sizeof(Head) || head_at(tail_).size == kSkip) tail_ += left;
}

Delivery LiveBuffer::front() {
    skip_to_packet();
    const Head& head = head_at(tail_);
    const Bytes blocks(reinterpret_cast<const u8*>(&head + 1), head.size);
    return {blocks, head.packet_seq, head.seq, head.ts_recv, head.count, head.line};
}

void LiveBuffer::pop() {
    first_ = front().end();
    tail_ += sizeof(Head) + aligned(head_at(tail_).size);
    if (!empty()) skip_to_packet();
}

void LiveBuffer::drop_below(u64 seq) {
    while (!empty() && front().end() <= seq) pop();
    if (empty() || first_ >= seq) return;
    head_at(tail_).seq = first_ = seq;
}

}  // namespace openbell
