// Messages numbered from 1, kept whole for the day: what a feed retransmits and a session replays.
//
// A log can be copied, every message with a name before it, into other logs (drop copy). And it can be diverted: what
// is appended then waits outside the log, unnumbered, until whoever diverted it has taken it and put in what should
// stand there instead (faults on command). Copies hear the truth, before it is diverted.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bytes.h"
#include "exchange/chunk_store.h"
#include "state.h"

namespace openbell::exchange {

class MessageLog {
  public:
    MessageLog(ChunkStore& store, std::size_t messages_max) : store_(&store), messages_max_(messages_max) {}
    MessageLog(MessageLog&&) = default;
    MessageLog(const MessageLog&) = delete;

    // Throws Capacity when the log is full: a venue that can no longer remember ends its day.
    void append(Bytes message) {
        for (const auto& [copy, name] : copies_) copy->store(name, message);
        if (!is_diverted_) return store({}, message);
        diverted_.emplace_back(message.begin(), message.end());
    }

    // From now on `copy`, which must live as long, gets every message with `name` before it.
    void copy_to(MessageLog& copy, std::string name) { copies_.emplace_back(&copy, std::move(name)); }

    // What was diverted and not yet taken returns to the log when the diversion ends.
    void divert(bool on);
    bool is_diverted() const { return is_diverted_; }
    const std::vector<std::vector<u8>>& diverted() const { return diverted_; }
    // `messages` stand in the log instead of what was diverted until now.
    void settle(const std::vector<Bytes>& messages);

    u64 next_seq() const { return count_ + 1; }
    // Reading on from the message read last is cheap, any other one takes some steps from the nearest known place.
    Bytes message(u64 seq) const;

    // Of every message, in order: logs that hash alike say the same.
    u64 hash() const { return hash_; }
    void save(StateWriter& out) const;

  private:
    struct Chunk {
        std::span<u8> bytes;
        std::size_t used = 0;
    };
    struct Place {
        u64 seq = 0;
        u32 chunk = 0;
        u32 offset = 0;
    };

    // A message stands as | size 2 | bytes |, whole in one chunk.
    void store(std::string_view name, Bytes message) {
        const std::size_t size = name.size() + message.size();
        if (count_ >= messages_max_ || size > kMessageBytesMax) [[unlikely]]
            refuse(size);
        if (chunks_.empty() || chunks_.back().used + kSizeBytes + size > chunks_.back().bytes.size()) [[unlikely]]
            begin_chunk(kSizeBytes + size);
        Chunk& chunk = chunks_.back();
        if (count_ % kMessagesPerPlace == 0) places_.push_back({count_ + 1, u32(chunks_.size() - 1), u32(chunk.used)});
        u8* at = chunk.bytes.data() + chunk.used;
        const u16 length = u16(size);
        std::memcpy(at, &length, kSizeBytes);
        if (!name.empty()) std::memcpy(at + kSizeBytes, name.data(), name.size());
        if (!message.empty()) std::memcpy(at + kSizeBytes + name.size(), message.data(), message.size());
        chunk.used += kSizeBytes + size;
        ++count_;
        hash_ = hash_bytes({at + kSizeBytes, size}, hash_);
    }

    [[noreturn]] void refuse(std::size_t bytes) const;
    void begin_chunk(std::size_t bytes);
    void go_to(u64 seq) const;
    void move_on() const;

    static constexpr std::size_t kSizeBytes = 2;
    static constexpr std::size_t kMessageBytesMax = 0xFFFF;
    static constexpr u64 kMessagesPerPlace = 32;

    ChunkStore* store_;
    std::size_t messages_max_;
    u64 count_ = 0;
    u64 hash_ = 0;
    std::vector<Chunk> chunks_;
    std::vector<Place> places_;      // of every kMessagesPerPlace-th message
    mutable Place reader_{1, 0, 0};  // where the next message will be read
    std::vector<std::pair<MessageLog*, std::string>> copies_;
    std::vector<std::vector<u8>> diverted_;
    bool is_diverted_ = false;
};

}  // namespace openbell::exchange
