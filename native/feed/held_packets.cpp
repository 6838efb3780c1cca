#include "feed/held_packets.h"

#include <algorithm>
#include <limits>

namespace openbell {

HeldPackets::HeldPackets(u32 packets_max, u32 packet_bytes_max)
    : packet_bytes_max_(packet_bytes_max), bytes_(std::size_t(packets_max) * packet_bytes_max) {
    packets_.reserve(packets_max);
    free_.reserve(packets_max);
    for (u32 slot = packets_max; slot-- > 0;) free_.push_back(slot);
}

HeldPackets::Outcome HeldPackets::add(const mold::Header& header, Bytes datagram, u8 line, i64 ts_recv) {
    if (first_missing(header.seq) >= header.end()) return {};
    if (datagram.size() > packet_bytes_max_) return {false, header.seq};
    Outcome outcome{true, std::nullopt};
    if (free_.empty()) {
        if (packets_.empty() || packets_.back().seq <= header.seq) return {false, header.seq};
        outcome.dropped_seq = packets_.back().seq;
        release(packets_.size() - 1, 1);
    }
    const u32 slot = free_.back();
    free_.pop_back();
    std::copy(datagram.begin(), datagram.end(), bytes_.begin() + std::ptrdiff_t(slot) * packet_bytes_max_);

    // Packets that the new one contains are of no more use.
    const auto begin = std::lower_bound(packets_.begin(), packets_.end(), header.seq,
                                        [](const HeldPacket& p, u64 seq) { return p.seq < seq; });
    const auto end = std::find_if(begin, packets_.end(), [&](const HeldPacket& p) { return p.end > header.end(); });
    const std::size_t first = std::size_t(begin - packets_.begin());
    release(first, std::size_t(end - begin));
    packets_.insert(packets_.begin() + std::ptrdiff_t(first),
                    {header.seq, header.end(), ts_recv, slot, u32(datagram.size()), line});
    return outcome;
}

void HeldPackets::drop_first(std::size_t count) { release(0, count); }

u64 HeldPackets::first_missing(u64 seq) const {
    std::size_t i = index_after(seq);
    if (i > 0) --i;
    for (; i < packets_.size() && packets_[i].seq <= seq; ++i) seq = std::max(seq, packets_[i].end);
    return seq;
}

u64 HeldPackets::first_held_after(u64 seq) const {
    const std::size_t i = index_after(seq);
    return i < packets_.size() ? packets_[i].seq : std::numeric_limits<u64>::max();
}

std::size_t HeldPackets::index_after(u64 seq) const {
    const auto it = std::upper_bound(packets_.begin(), packets_.end(), seq,
                                     [](u64 value, const HeldPacket& p) { return value < p.seq; });
    return std::size_t(it - packets_.begin());
}

void HeldPackets::release(std::size_t first, std::size_t count) {
    const auto begin = packets_.begin() + std::ptrdiff_t(first);
    const auto end = begin + std::ptrdiff_t(count);
    for (auto it = begin; it != end; ++it) free_.push_back(it->slot);
    packets_.erase(begin, end);
}

}  // namespace openbell
