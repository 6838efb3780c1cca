// The segment: a file of fixed size that holds frames. `<number, 8 digits>.seg`, numbered from 1.
//
//  0          8         10     12      16       24          32              40       44 ... 4096
//  | openbell | version | node | epoch | number | first_seq | segment_bytes | crc32c | zero ... | frames ...
//
// Frames follow at 4096, each a multiple of 16 bytes long. A frame whose commit word is kEndMarker is
// 16 bytes of end marker: the journal goes on in segment number + 1. A commit word of zero is the end
// of what is written. In shared memory the file has its full size from the start; the archived file
// ends after its last frame or its end marker.
#pragma once

#include <atomic>
#include <cstdio>
#include <string>

#include "journal/crc32c.h"
#include "journal/frame.h"

namespace openbell {

inline constexpr std::size_t kSegmentHeaderBytes = 4096;
inline constexpr u32 kEndMarker = 0xFFFF'FFFF;
inline constexpr std::size_t kEndMarkerBytes = 16;
inline constexpr std::size_t kFrameAlignment = 16;
inline constexpr u64 kSegmentBytesDefault = 64ull << 20;
inline constexpr u64 kFirstSegment = 1;

struct SegmentHeader {
    char magic[8];      //  0 "openbell"
    u16 version;        //  8 kFormatVersion
    u16 node;           // 10
    u32 epoch;          // 12 in which the segment was begun
    u64 number;         // 16
    u64 first_seq;      // 24 of its first frame
    u64 segment_bytes;  // 32 size while it is written
    u32 crc32c;         // 40 of bytes 0..40
    u32 pad;
};
static_assert(sizeof(SegmentHeader) == 48 && offsetof(SegmentHeader, crc32c) == 40);

inline u32 header_crc(const SegmentHeader& h) {
    return crc32c({reinterpret_cast<const u8*>(&h), offsetof(SegmentHeader, crc32c)});
}

inline SegmentHeader make_segment_header(u16 node, u32 epoch, u64 number, u64 first_seq, u64 segment_bytes) {
    SegmentHeader h{
        {'o', 'p', 'e', 'n', 'b', 'e', 'l', 'l'}, kFormatVersion, node, epoch, number, first_seq, segment_bytes, 0, 0};
    h.crc32c = header_crc(h);
    return h;
}

// Whether the bytes begin with the header of segment `number`. A prepared segment (zeros) has none yet. Throws Journal
// when it is of another format: magic, version and the CRC keep their places in every one, so that it is known for
// what it is and never taken for a segment that was not begun.
bool read_segment_header(Bytes bytes, u64 number, SegmentHeader& out);

inline std::string segment_name(u64 number) {
    char name[32];
    std::snprintf(name, sizeof name, "%08llu.seg", static_cast<unsigned long long>(number));
    return name;
}

// The commit word. The writer's release store pairs with the acquire load of every reader (law 9).
inline u32 load_commit(const u8* at) {
    return std::atomic_ref<u32>(*reinterpret_cast<u32*>(const_cast<u8*>(at))).load(std::memory_order_acquire);
}
inline void store_commit(u8* at, u32 word) {
    std::atomic_ref<u32>(*reinterpret_cast<u32*>(at)).store(word, std::memory_order_release);
}

// What stands at an offset of a segment.
enum class Slot : u8 { Frame, Empty, End, Damaged };
struct Look {
    Slot slot;
    u32 length = 0;        // of the frame
    const char* why = "";  // Damaged: what is wrong
};

inline const FrameHeader* frame_at(Bytes segment, std::size_t offset) {
    return reinterpret_cast<const FrameHeader*>(segment.data() + offset);
}

inline const char* flaw_of(const FrameHeader& h, u32 length, u64 expected_seq, bool check_crc) {
    if (h.version != kFormatVersion) return "format version is unknown";
    if (h.record_size != kSmallRecord && h.record_size != kLargeRecord) return "record size is neither 48 nor 128";
    if (sizeof(FrameHeader) + u64(h.count) * h.record_size != length) return "length does not match the record count";
    const bool continues = h.seq == expected_seq || (h.seq > expected_seq && h.flags & kAfterTape);
    if (!continues) return "sequence does not continue";
    const u8* body = reinterpret_cast<const u8*>(&h) + 8;
    if (check_crc && crc32c({body, length - 8}) != h.crc32c) return "CRC32C does not match";
    return nullptr;
}

inline Look look_at_end(Bytes marker) {
    for (const u8 byte : marker.subspan(sizeof(u32)))
        if (byte != 0) return {Slot::Damaged, kEndMarkerBytes, "end marker is torn"};
    return {Slot::End};
}

// Looks at the frame at `offset`, which should be `expected_seq`. Never reads past the segment's bytes.
inline Look look_at(Bytes segment, std::size_t offset, u64 expected_seq, bool check_crc) {
    if (offset + kEndMarkerBytes > segment.size()) return {Slot::Empty};
    const u32 length = load_commit(segment.data() + offset);
    if (length == 0) return {Slot::Empty};
    if (length == kEndMarker) return look_at_end(segment.subspan(offset, kEndMarkerBytes));
    if (length < sizeof(FrameHeader) || length % kFrameAlignment)
        return {Slot::Damaged, length, "length is impossible"};
    if (length > segment.size() - offset) return {Slot::Damaged, length, "frame is cut short"};
    const char* flaw = flaw_of(*frame_at(segment, offset), length, expected_seq, check_crc);
    return flaw ? Look{Slot::Damaged, length, flaw} : Look{Slot::Frame, length};
}

}  // namespace openbell
