// MoldUDP64 1.00: downstream packets, and the request for messages that were missed.
//
//  0         10    18      20
//  | session | seq | count | blocks: length (2), message; count times |     downstream
//  | session | seq | count |                                                request
//
// seq is the number of the first message; of the next expected one in a heartbeat (count 0) and at the
// end of the session (count 0xFFFF). Source: MoldUDP64 1.00, downstream and request packet.
#pragma once

#include <array>
#include <optional>

#include "wire/layout.h"

namespace openbell::mold {

using Session = Alpha<10>;

inline constexpr std::size_t kHeaderBytes = 20;
inline constexpr std::size_t kBlockHeaderBytes = 2;
inline constexpr std::size_t kPacketBytesSafe = 1400;  // what we send
inline constexpr std::size_t kPacketBytesMax = 1472;   // what Nasdaq sends: Ethernet less IP and UDP
inline constexpr u16 kHeartbeat = 0;
inline constexpr u16 kEndOfSession = 0xFFFF;
inline constexpr u16 kCountMax = 0xFFFE;

struct Header {
    Session session;
    u64 seq = 0;
    u16 count = 0;

    bool is_heartbeat() const { return count == kHeartbeat; }
    bool is_end_of_session() const { return count == kEndOfSession; }
    u16 messages() const { return is_end_of_session() ? u16(0) : count; }
    u64 end() const { return seq + messages(); }  // number after the last message
};
using Request = Header;  // count: messages wanted

inline void write_header(ByteWriter& out, const Header& header) {
    out.text(header.session.raw(), 10);
    out.be64(header.seq);
    out.be16(header.count);
}

inline std::optional<Header> read_header(ByteReader& in) {
    Header header;
    FieldReader read{in};
    read("session", header.session), read("seq", header.seq), read("count", header.count);
    if (in.failed()) return std::nullopt;
    return header;
}

// Are these `count` blocks, with nothing behind them?
inline bool are_blocks(Bytes blocks, u16 count) {
    ByteReader in(blocks);
    for (u16 i = 0; i < count && !in.failed(); ++i) in.skip(in.be16());
    return !in.failed() && in.remaining() == 0;
}

// Calls f(number, message) for every message numbered `from` or higher of `count` blocks; the first block is `seq`.
template <class F>
void for_each_message(Bytes blocks, u64 seq, u16 count, u64 from, F&& f) {
    ByteReader in(blocks);
    for (u16 i = 0; i < count; ++i, ++seq) {
        const Bytes message = in.take(in.be16());
        if (seq >= from) f(seq, message);
    }
}

// A packet whose blocks are known to fill the datagram exactly.
struct Packet {
    Header header;
    Bytes blocks;

    // Calls f(number, message) for every message numbered `from` or higher.
    template <class F>
    void for_each(u64 from, F&& f) const {
        for_each_message(blocks, header.seq, header.messages(), from, f);
    }
    template <class F>
    void for_each(F&& f) const {
        for_each(header.seq, f);
    }
};

// Nothing when the header is cut, the blocks do not add up to the datagram, or the numbers wrap.
inline std::optional<Packet> parse(Bytes datagram) {
    ByteReader in(datagram);
    const auto header = read_header(in);
    if (!header || header->end() < header->seq) return std::nullopt;
    const Bytes blocks = datagram.subspan(kHeaderBytes);
    if (!are_blocks(blocks, header->messages())) return std::nullopt;
    return Packet{*header, blocks};
}

inline bool write_request(ByteWriter& out, const Request& request) {
    write_header(out, request);
    return !out.failed();
}

// Longer ones are malformed: servers drop them silently.
inline std::optional<Request> parse_request(Bytes datagram) {
    ByteReader in(datagram);
    const auto request = read_header(in);
    if (!request || in.remaining() != 0) return std::nullopt;
    return request;
}

// Packs messages into packets of at most `packet_bytes_max`; a message is never split.
class PacketBuilder {
  public:
    enum class Packed : u8 { Yes, PacketFull, NeverFits };

    PacketBuilder(const Session& session, u64 next_seq, std::size_t packet_bytes_max = kPacketBytesSafe)
        : session_(session),
          first_seq_(next_seq),
          limit_(packet_bytes_max < kPacketBytesMax ? packet_bytes_max : kPacketBytesMax) {}

    // PacketFull: send `take()` first and add again. NeverFits: longer than a whole packet.
    Packed add(Bytes message) {
        const std::size_t needed = kBlockHeaderBytes + message.size();
        if (kHeaderBytes + needed > limit_) return Packed::NeverFits;
        if (size_ + needed > limit_ || count_ == kCountMax) return Packed::PacketFull;
        ByteWriter out(std::span<u8>(bytes_).subspan(size_));
        out.be16(u16(message.size()));
        out.put(message);
        size_ += needed;
        ++count_;
        return Packed::Yes;
    }

    bool empty() const { return count_ == 0; }
    u64 next_seq() const { return first_seq_ + count_; }

    // The packet, valid until the next call of any verb; the next one begins empty after it. Without
    // messages it is a heartbeat.
    Bytes take() {
        const Bytes packet = finish(count_, size_);
        first_seq_ += count_;
        restart();
        return packet;
    }
    // Both say the number of the first message that was not taken yet.
    Bytes heartbeat() { return finish(kHeartbeat, kHeaderBytes); }
    Bytes end_of_session() { return finish(kEndOfSession, kHeaderBytes); }

    // Begins anew at another number: the answer to a request.
    void seek(u64 next_seq) {
        first_seq_ = next_seq;
        restart();
    }

  private:
    void restart() {
        size_ = kHeaderBytes;
        count_ = 0;
    }
    Bytes finish(u16 count, std::size_t size) {
        ByteWriter out(bytes_);
        write_header(out, {session_, first_seq_, count});
        return Bytes(bytes_).first(size);
    }

    Session session_;
    u64 first_seq_;
    std::size_t limit_;
    std::size_t size_ = kHeaderBytes;
    u16 count_ = 0;
    std::array<u8, kPacketBytesMax> bytes_{};
};

}  // namespace openbell::mold
