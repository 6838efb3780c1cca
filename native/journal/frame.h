// The frame: the unit of the journal and of determinism.
//
//  0        4        8    10  11   12     14      16      20
//  | length | crc32c | version | class | flags | source | record_size | count | epoch |
// 24      32          40           48        56       64
//  | seq  | cause_seq | source_seq | ts_recv | ts_seq | records: count x record_size ...
//
// `length` counts the whole frame, is a multiple of 16 and is the commit word: the writer stores it last,
// with release; zero means "not yet written". The CRC covers bytes 8..length and is for damage, not for
// publication.
#pragma once

#include "bytes.h"

namespace openbell {

enum class FrameClass : u8 { In = 1, Out = 2 };

inline constexpr u16 kFormatVersion = 1;

// Who a frame comes from. Feeds and sessions number their messages: source_seq is the number of the last
// message in the frame, so that a restart resumes after it.
namespace source {
inline constexpr u16 kNode = 0;         // start, timers, Sent and NotSent
inline constexpr u16 kOperator = 1;     // commands of people
inline constexpr u16 kExchange = 2;     // inputs of an exchange, in its own journal
inline constexpr u16 kStrategies = 3;   // strategies in processes of their own: `Said`, and what one of them said
inline constexpr u16 kFeed = 16;        // 16..63: market-data feeds
inline constexpr u16 kOrderEntry = 64;  // 64..127: order sessions
}  // namespace source

// FrameHeader::flags
inline constexpr u8 kSyntheticTime = 1;  // nobody received this frame: ts_recv is the event time of its records
inline constexpr u8 kAfterTape = 2;      // numbers before this one that the journal lacks are its tape's, in order

struct FrameHeader {
    u32 length;       //  0 commit word
    u32 crc32c;       //  4 of bytes 8..length
    u16 version;      //  8 kFormatVersion
    u8 frame_class;   // 10 FrameClass
    u8 flags;         // 11
    u16 source;       // 12
    u16 record_size;  // 14 48 or 128
    u32 count;        // 16 records
    u32 epoch;        // 20
    u64 seq;          // 24 of the journal, +1 per frame
    u64 cause_seq;    // 32 OUT: seq of the IN frame it answers
    u64 source_seq;   // 40
    i64 ts_recv;      // 48 our edge
    i64 ts_seq;       // 56 engine time: max(previous, clock)
};
static_assert(sizeof(FrameHeader) == 64 && offsetof(FrameHeader, seq) == 24 && offsetof(FrameHeader, ts_seq) == 56);

inline constexpr std::size_t kFrameBytesMax = 256 * 1024;

// A frame to read. The records usually follow the header; a backtest pairs a header of its own with
// records that stay in the mapped tape.
struct FrameView {
    const FrameHeader* header = nullptr;
    const u8* records = nullptr;

    FrameView() = default;
    explicit FrameView(const FrameHeader* h) : header(h), records(reinterpret_cast<const u8*>(h + 1)) {}
    FrameView(const FrameHeader* h, const u8* r) : header(h), records(r) {}

    explicit operator bool() const { return header != nullptr; }
    std::size_t count() const { return header->count; }
    Bytes bytes() const { return {records, std::size_t(header->count) * header->record_size}; }
    const u8* record(std::size_t i) const { return records + i * header->record_size; }
    Type type_at(std::size_t i) const { return Type(*record(i)); }
    template <class Record>
    const Record& as(std::size_t i) const {
        return *reinterpret_cast<const Record*>(record(i));
    }
};

}  // namespace openbell
