#include "exchange/message_log.h"

#include <algorithm>

namespace openbell::exchange {
namespace {

constexpr std::size_t kChunkBytesMin = 1 << 10;  // thousands of sessions say little
constexpr std::size_t kChunkBytesMax = 1 << 20;

u16 size_at(const u8* at) {
    u16 size = 0;
    std::memcpy(&size, at, sizeof size);
    return size;
}

}  // namespace

void MessageLog::divert(bool on) {
    is_diverted_ = on;
    if (on) return;
    for (const auto& message : std::exchange(diverted_, {})) store({}, message);
}

void MessageLog::settle(const std::vector<Bytes>& messages) {
    for (Bytes message : messages) store({}, message);
    diverted_.clear();
}

Bytes MessageLog::message(u64 seq) const {
    if (reader_.seq != seq) go_to(seq);
    if (reader_.offset == chunks_[reader_.chunk].used) move_on();
    const u8* at = chunks_[reader_.chunk].bytes.data() + reader_.offset;
    const std::size_t size = size_at(at);
    reader_.offset += u32(kSizeBytes + size);
    ++reader_.seq;
    return {at + kSizeBytes, size};
}

void MessageLog::go_to(u64 seq) const {
    const u32 left = reader_.chunk;
    reader_ = places_[(seq - 1) / kMessagesPerPlace];
    while (reader_.seq < seq) {
        if (reader_.offset == chunks_[reader_.chunk].used) move_on();
        reader_.offset += u32(kSizeBytes + size_at(chunks_[reader_.chunk].bytes.data() + reader_.offset));
        ++reader_.seq;
    }
    if (left != reader_.chunk && left + 1 < chunks_.size()) store_->let_go(chunks_[left].bytes);
}

// To the next chunk; the one that was read to its end is left behind.
void MessageLog::move_on() const {
    store_->let_go(chunks_[reader_.chunk].bytes);
    ++reader_.chunk;
    reader_.offset = 0;
}

void MessageLog::begin_chunk(std::size_t bytes) {
    std::size_t size = kChunkBytesMin;
    if (!chunks_.empty()) {
        store_->let_go(chunks_.back().bytes);
        size = std::clamp(2 * chunks_.back().bytes.size(), kChunkBytesMin, kChunkBytesMax);
    }
    chunks_.push_back({store_->take(std::max(size, bytes))});
}

void MessageLog::refuse(std::size_t bytes) const {
    if (bytes > kMessageBytesMax)
        throw Error(ErrorKind::Decode, "message log: expected at most " + std::to_string(kMessageBytesMax) +
                                           " bytes in a message, found " + std::to_string(bytes));
    throw Error(ErrorKind::Capacity, "message log: expected at most " + std::to_string(messages_max_) +
                                         " messages a day; raise [limits] messages_max");
}

void MessageLog::save(StateWriter& out) const {
    out.put(count_);
    out.put(hash_);
    out.put(u8(is_diverted_));
    out.put(u64(diverted_.size()));
    for (const auto& message : diverted_) {
        out.put(u64(message.size()));
        out.put_bytes(message);
    }
}

}  // namespace openbell::exchange
