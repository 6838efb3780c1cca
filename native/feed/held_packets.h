// Packets that arrived before their predecessors, in order, in memory taken at the start.
//
// The lowest numbers are kept: when the buffer is full the highest packet goes, because it is the one that
// will be wanted last and can be asked for again.
#pragma once

#include <optional>
#include <vector>

#include "wire/moldudp64.h"

namespace openbell {

struct HeldPacket {
    u64 seq;      // first message
    u64 end;      // number after the last
    i64 ts_recv;  // ns, when the datagram arrived
    u32 slot;
    u32 size;  // of the datagram, bytes
    u8 line;
};

class HeldPackets {
  public:
    HeldPackets(u32 packets_max, u32 packet_bytes_max);

    struct Outcome {
        bool kept = false;
        std::optional<u64> dropped_seq;  // first message of the packet that found no room
    };
    // `packet` is the datagram of `header`; nothing is kept of one whose messages are all held already.
    Outcome add(const mold::Header& header, Bytes datagram, u8 line, i64 ts_recv);

    bool empty() const { return packets_.empty(); }
    std::size_t size() const { return packets_.size(); }
    const HeldPacket& at(std::size_t i) const { return packets_[i]; }
    Bytes datagram(const HeldPacket& p) const { return {&bytes_[std::size_t(p.slot) * packet_bytes_max_], p.size}; }
    void drop_first(std::size_t count);
    void clear() { drop_first(packets_.size()); }

    // The first number from `seq` on that no held packet contains.
    u64 first_missing(u64 seq) const;
    // How many packets begin below `seq`, a number that is missing.
    std::size_t count_before(u64 seq) const { return index_after(seq); }
    // The first number above `seq` at which a held packet begins; the largest number when there is none.
    u64 first_held_after(u64 seq) const;

  private:
    std::size_t index_after(u64 seq) const;  // of the first packet that begins above seq
    void release(std::size_t first, std::size_t count);

    u32 packet_bytes_max_;
    std::vector<HeldPacket> packets_;  // by seq; none contains another, so the ends are in order too
    std::vector<u32> free_;
    std::vector<u8> bytes_;
};

}  // namespace openbell
