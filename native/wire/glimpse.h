// GLIMPSE 5.0: the message that ends a snapshot, after ITCH messages in sequenced packets of SoupBinTCP.
//
//  0   1                    21
//  | G | sequence number     |     20 digits: the number of the feed to go on with
//
// The snapshot holds the effect of every message below that number. Source: GLIMPSE 5.0, End of Snapshot.
#pragma once

#include "wire/soupbintcp.h"

namespace openbell::glimpse {

inline constexpr char kEndOfSnapshot = 'G';
inline constexpr std::size_t kEndOfSnapshotBytes = 21;

inline bool write_end_of_snapshot(ByteWriter& out, u64 next_seq) {
    out.be8(u8(kEndOfSnapshot));
    out.text(soup::number_field(next_seq).raw(), 20);
    return !out.failed();
}

// Padding of either side, spaces or zeros, is read. Nothing for another type or length, or without a number.
inline std::optional<u64> parse_end_of_snapshot(Bytes message) {
    if (message.size() != kEndOfSnapshotBytes || char(message[0]) != kEndOfSnapshot) return std::nullopt;
    ByteReader in(message.subspan(1));
    soup::Number number;
    FieldReader{in}("next_seq", number);
    return soup::parse_number(number);
}

}  // namespace openbell::glimpse
