// Any bytes as a segment: recovery, archiver's walk and reader agree where it ends, never look beyond it, and take no
// frame out of order; a watermark that is read was written.
// Input: | how (1) | durable_seq (1) | length of the header (1) | header | frames |. `how`: bit 0 repairs the CRCs of
// frames, so that what lies behind them is met; bit 1 repairs the header's; bit 2 puts an end marker behind.
#include <cstdlib>
#include <vector>

#include "error.h"
#include "journal/control.h"
#include "journal/recovery.h"
#include "journal/watermark.h"

namespace {

using namespace openbell;

constexpr std::size_t kSpareBytes = 256;  // of zeros after the frames, as in memory

void must(bool claim) {
    if (!claim) std::abort();
}

void repair_header(std::vector<u8>& segment) {
    SegmentHeader header;
    std::memcpy(&header, segment.data(), sizeof header);
    header.crc32c = header_crc(header);
    std::memcpy(segment.data(), &header, sizeof header);
}

void repair_frames(std::vector<u8>& segment) {
    std::size_t at = kSegmentHeaderBytes;
    while (at + sizeof(FrameHeader) <= segment.size()) {
        u32 length;
        std::memcpy(&length, segment.data() + at, sizeof length);
        if (length < sizeof(FrameHeader) || length % kFrameAlignment || length > segment.size() - at) return;
        const u32 crc = crc32c({segment.data() + at + 8, length - 8});
        std::memcpy(segment.data() + at + 4, &crc, sizeof crc);
        at += length;
    }
}

std::vector<u8> segment_of(ByteReader& in, u8 how) {
    std::vector<u8> segment(kSegmentHeaderBytes);
    SegmentHeader header = make_segment_header(1, 1, 1, 1, 1 << 16);
    const Bytes own = in.take(std::min<std::size_t>(in.be8(), in.remaining()));
    if (!own.empty()) std::memcpy(&header, own.data(), std::min(own.size(), sizeof header));
    std::memcpy(segment.data(), &header, sizeof header);
    const Bytes frames = in.take(in.remaining());
    segment.insert(segment.end(), frames.begin(), frames.end());
    if (how & 4) segment.insert(segment.end(), {0xFF, 0xFF, 0xFF, 0xFF});
    if (how & 4 || frames.size() % 2) segment.resize(segment.size() + kSpareBytes);
    if (how & 1) repair_frames(segment);
    if (how & 2) repair_header(segment);
    return segment;
}

// The end that a walk without recovery's help finds; checks what every reader relies on.
std::size_t walk(Bytes segment, u64 next_seq, u64& last_seq) {
    std::size_t at = kSegmentHeaderBytes;
    for (;;) {
        const Look look = look_at(segment, at, next_seq, true);
        if (look.slot != Slot::Frame) return at;
        const FrameView frame{frame_at(segment, at)};
        must(at + look.length <= segment.size() && frame.header->seq >= next_seq);
        must(frame.bytes().size() + sizeof(FrameHeader) == look.length);
        if (frame.count() > 0) must(u8(frame.type_at(frame.count() - 1)) == *frame.record(frame.count() - 1));
        last_seq = frame.header->seq;
        next_seq = last_seq + 1;
        at += look.length;
    }
}

void check_watermark(Bytes bytes) {
    const Watermark mark = read_watermark(bytes);
    if (mark.seq == 0 && mark.segment == 0 && mark.offset == 0) return;
    const Watermark again = make_watermark(mark.seq, mark.segment, mark.offset);
    const bool is_first = std::memcmp(&again, bytes.data(), offsetof(Watermark, pad)) == 0;
    must(is_first || std::memcmp(&again, bytes.data() + kLatestWatermarkAt, offsetof(Watermark, pad)) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    check_watermark(Bytes(data, size));
    ByteReader in(Bytes(data, size));
    const u8 how = in.be8(), durable_seq = in.be8();
    const std::vector<u8> segment = segment_of(in, how);
    SegmentHeader header;
    try {
        if (!read_segment_header(segment, 1, header)) return 0;
        u64 last_seq = header.first_seq - 1;
        const std::size_t end = walk(segment, header.first_seq, last_seq);
        const Scan scan = scan_segment(segment, "segment", header, durable_seq);
        must(scan.end == end && scan.last_seq == last_seq);
        must(scan.is_ended || scan.last_seq >= durable_seq || header.first_seq > durable_seq + 1u);
        must(scan.torn_bytes <= segment.size() - end);
    } catch (const Error& error) {
        must(error.kind() == ErrorKind::Journal || error.kind() == ErrorKind::JournalDamaged);
    }
    return 0;
}
