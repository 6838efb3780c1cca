// Messages numbered from 1, kept whole for the day: what a feed retransmits and a session replays.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "bytes.h"
#include "error.h"

namespace openbell::exchange {

class MessageLog {
  public:
    explicit MessageLog(std::size_t messages_max) : messages_max_(messages_max) {}

    // Throws Capacity when the log is full: a venue that can no longer remember ends its day.
    void append(Bytes message) {
        if (entries_.size() >= messages_max_)
            throw Error(ErrorKind::Capacity, "message log: expected at most " + std::to_string(messages_max_) +
                                                 " messages a day; raise [limits] messages_max");
        if (message.size() > kMessageBytesMax)
            throw Error(ErrorKind::Decode, "message log: expected at most " + std::to_string(kMessageBytesMax) +
                                               " bytes in a message, found " + std::to_string(message.size()));
        if (chunks_.empty() || used_ + message.size() > kChunkBytes) {
            chunks_.push_back(std::make_unique<u8[]>(kChunkBytes));
            used_ = 0;
        }
        u8* at = chunks_.back().get() + used_;
        if (!message.empty()) std::memcpy(at, message.data(), message.size());
        entries_.push_back({at, u32(message.size())});
        used_ += message.size();
    }

    u64 next_seq() const { return entries_.size() + 1; }
    Bytes message(u64 seq) const { return {entries_[seq - 1].at, entries_[seq - 1].size}; }

  private:
    static constexpr std::size_t kChunkBytes = 1 << 20;
    static constexpr std::size_t kMessageBytesMax = 0xFFFF;
    struct Entry {
        const u8* at;
        u32 size;
    };

    std::deque<Entry> entries_;
    std::vector<std::unique_ptr<u8[]>> chunks_;
    std::size_t used_ = 0;
    std::size_t messages_max_;
};

}  // namespace openbell::exchange
