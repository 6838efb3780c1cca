// What a feed says while a snapshot of it is read: in order, in memory taken at the start.
//
// When it is full the oldest goes: a snapshot is of the time of its login or later, so what came long before is not
// needed any more.
#pragma once

#include <vector>

#include "feed/mold_receiver.h"

namespace openbell {

class LiveBuffer {
  public:
    explicit LiveBuffer(std::size_t bytes_max);

    // Nothing is held; message `next_seq` comes next.
    void start(u64 next_seq);
    // Takes what follows the last one. False: older ones, or this one, found no room and are gone.
    bool keep(const Delivery& delivery);
    void drop_below(u64 seq);

    bool empty() const { return tail_ == head_; }
    u64 first() const { return first_; }  // all messages from here on are held ...
    u64 end() const { return end_; }      // ... up to this one
    // The oldest packet, less the messages that were dropped; valid until the next verb.
    Delivery front();
    void pop();

  private:
    struct Head {
        u64 seq;         // first message that is wanted
        u64 packet_seq;  // first message of the packet
        i64 ts_recv;
        u32 size;  // of the blocks that follow; kSkip: the rest of the ring is not used
        u16 count;
        u8 line;
        u8 pad;
    };
    static_assert(sizeof(Head) == 32);
    static constexpr u32 kSkip = ~u32(0);

    Head& head_at(u64 at) { return *reinterpret_cast<Head*>(&ring_[at % bytes() / sizeof(u64)]); }
    std::size_t bytes() const { return ring_.size() * sizeof(u64); }
    std::size_t room_before_wrap(u64 at) const { return bytes() - at % bytes(); }
    void skip_to_packet();

    std::vector<u64> ring_;
    u64 tail_ = 0;  // bytes taken away so far; the oldest packet stands there
    u64 head_ = 0;  // bytes ever put in
    u64 first_ = 0;
    u64 end_ = 0;
};

}  // namespace openbell
