// Messages numbered from 1, kept whole for the day: what a feed retransmits and a session replays.
//
// A log can be copied, every message with a name before it, into other logs (drop copy). And it can be diverted: what
// is appended then waits outside the log, unnumbered, until whoever diverted it has taken it and put in what should
// stand there instead (faults on command). Copies hear the truth, before it is diverted.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bytes.h"
#include "error.h"

namespace openbell::exchange {

class MessageLog {
  public:
    explicit MessageLog(std::size_t messages_max) : messages_max_(messages_max) {}
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
    void divert(bool on) {
        is_diverted_ = on;
        if (on) return;
        for (const auto& message : std::exchange(diverted_, {})) store({}, message);
    }
    const std::vector<std::vector<u8>>& diverted() const { return diverted_; }
    // `messages` stand in the log instead of what was diverted until now.
    void settle(const std::vector<Bytes>& messages) {
        for (Bytes message : messages) store({}, message);
        diverted_.clear();
    }

    u64 next_seq() const { return entries_.size() + 1; }
    Bytes message(u64 seq) const { return {entries_[seq - 1].at, entries_[seq - 1].size}; }

  private:
    static constexpr std::size_t kChunkBytesMin = 1 << 10;  // thousands of sessions say little
    static constexpr std::size_t kChunkBytesMax = 1 << 20;
    static constexpr std::size_t kMessageBytesMax = 0xFFFF;
    struct Entry {
        const u8* at;
        u32 size;
    };

    void store(std::string_view name, Bytes message) {
        const std::size_t size = name.size() + message.size();
        if (entries_.size() >= messages_max_)
            throw Error(ErrorKind::Capacity, "message log: expected at most " + std::to_string(messages_max_) +
                                                 " messages a day; raise [limits] messages_max");
        if (size > kMessageBytesMax)
            throw Error(ErrorKind::Decode, "message log: expected at most " + std::to_string(kMessageBytesMax) +
                                               " bytes in a message, found " + std::to_string(size));
        u8* at = room_for(size);
        std::copy(name.begin(), name.end(), at);
        std::copy(message.begin(), message.end(), at + name.size());
        entries_.push_back({at, u32(size)});
    }

    u8* room_for(std::size_t size) {
        if (chunks_.empty() || used_ + size > chunk_bytes_) {
            chunk_bytes_ = std::max(size, std::clamp(2 * chunk_bytes_, kChunkBytesMin, kChunkBytesMax));
            chunks_.push_back(std::make_unique_for_overwrite<u8[]>(chunk_bytes_));
            used_ = 0;
        }
        used_ += size;
        return chunks_.back().get() + used_ - size;
    }

    std::deque<Entry> entries_;
    std::vector<std::unique_ptr<u8[]>> chunks_;
    std::size_t chunk_bytes_ = 0;
    std::size_t used_ = 0;
    std::size_t messages_max_;
    std::vector<std::pair<MessageLog*, std::string>> copies_;
    std::vector<std::vector<u8>> diverted_;
    bool is_diverted_ = false;
};

}  // namespace openbell::exchange
