#include "journal/recovery.h"

#include <algorithm>

#include "journal/archiver.h"
#include "journal/disk.h"
#include "journal/watermark.h"

namespace openbell {
namespace {

std::string path_of(const std::string& dir, u64 number) { return dir + "/" + segment_name(number); }

// The oldest segment of the directory that has been begun; prepared ones have no header yet.
u64 first_begun(const std::string& dir, const std::vector<u64>& numbers) {
    SegmentHeader header;
    for (u64 number : numbers) {
        const Mapping m = Mapping::open_readable(path_of(dir, number));
        if (read_segment_header(m.bytes(), number, header)) return number;
    }
    return 0;
}

}  // namespace

u64 extent_after(Bytes segment, std::size_t offset) {
    std::size_t end = segment.size();
    const auto is_zero = [&](std::size_t at) {
        u64 word;
        std::memcpy(&word, segment.data() + at, sizeof word);
        return word == 0;
    };
    while (end >= offset + 8 && is_zero(end - 8)) end -= 8;
    while (end > offset && segment[end - 1] == 0) --end;
    return end > offset ? end - offset : 0;
}

void throw_damaged(const std::string& path, std::size_t offset, u64 seq, const std::string& why) {
    throw Error(ErrorKind::JournalDamaged, "journal is damaged: expected frame seq " + std::to_string(seq) +
                                               ", found that its " + why + ", in " + path + " at offset " +
                                               std::to_string(offset) +
                                               "; nothing was skipped: restore this segment from a copy");
}

std::string begins_at(u64 first_seq) {
    return "segment begins with seq " + std::to_string(first_seq) +
           " (numbers are left out only for a tape that holds them, and the first frame then says so)";
}

Scan scan_segment(Bytes segment, const std::string& path, const SegmentHeader& header, u64 durable_seq) {
    Scan scan{header.first_seq - 1, kSegmentHeaderBytes, header.epoch, false, 0};
    for (;;) {
        const Look look = look_at(segment, scan.end, scan.last_seq + 1, true);
        if (look.slot == Slot::Frame) {
            scan.epoch = std::max(scan.epoch, frame_at(segment, scan.end)->epoch);
            scan.last_seq = frame_at(segment, scan.end)->seq;
            scan.end += look.length;
            continue;
        }
        scan.is_ended = look.slot == Slot::End;
        if (scan.is_ended) return scan;
        if (scan.last_seq < durable_seq) {
            throw_damaged(path, scan.end, scan.last_seq + 1, look.slot == Slot::Empty ? "bytes are missing" : look.why);
        }
        scan.torn_bytes = extent_after(segment, scan.end);
        return scan;
    }
}

Recovery recover_hot(const std::string& hot_dir, u64 durable_seq) {
    const std::vector<u64> numbers = segments_in(hot_dir);
    Recovery r;
    r.first_segment = first_begun(hot_dir, numbers);
    if (r.first_segment == 0) return r;
    r.is_hot = true;
    for (u64 number = r.first_segment;; ++number) {
        const std::string path = path_of(hot_dir, number);
        const Mapping m = Mapping::open_readable(path);
        SegmentHeader header;
        if (!read_segment_header(m.bytes(), number, header))
            throw_damaged(path, 0, r.last_seq + 1, "segment header is missing");
        if (r.segment != 0 && header.first_seq != r.last_seq + 1)
            throw_damaged(path, 0, r.last_seq + 1, begins_at(header.first_seq));
        // A finished segment was committed as a whole before the next one began.
        const Scan scan = scan_segment(m.bytes(), path, header, durable_seq);
        r.segment = number;
        r.end = scan.end;
        r.last_seq = scan.last_seq;
        r.epoch = std::max(r.epoch, scan.epoch);
        r.torn_bytes = scan.torn_bytes;
        if (!scan.is_ended) return r;
    }
}

namespace {

// All before the archiver's last batch had been synced, and a batch ends with a whole frame.
constexpr u64 kTornBytesMax = kArchiveBatchBytesMax + kFrameBytesMax + kEndMarkerBytes;

// The last archived segment with a whole header; a younger file without one is a torn creation.
u64 last_begun(const std::string& dir, std::vector<u64> numbers) {
    SegmentHeader header;
    for (; !numbers.empty(); numbers.pop_back()) {
        const Mapping m = Mapping::open_readable(path_of(dir, numbers.back()));
        if (read_segment_header(m.bytes(), numbers.back(), header)) return numbers.back();
    }
    return 0;
}

// The segment before the last was whole before that one was begun, or the archiver has lied.
void expect_whole(const std::string& dir, u64 number, u64 next_seq) {
    const std::string path = path_of(dir, number);
    const Mapping m = Mapping::open_readable(path);
    SegmentHeader header;
    if (!m) return;  // packed, or removed by retention
    if (!read_segment_header(m.bytes(), number, header)) throw_damaged(path, 0, next_seq, "segment header is missing");
    const Scan scan = scan_segment(m.bytes(), path, header, next_seq - 1);
    if (!scan.is_ended) throw_damaged(path, scan.end, next_seq, "segment has no end marker");
}

// A name that nothing has yet: what is cut off stays for people.
std::string torn_name(const RealDisk& disk, u64 number) {
    const std::string name = segment_name(number).substr(0, 8) + ".torn";
    std::string free = name;
    for (u64 i = 1; file_exists(disk.dir() + "/" + free); ++i) free = name + "." + std::to_string(i);
    return free;
}

void keep_torn(RealDisk& disk, u64 number, Bytes torn) {
    if (torn.empty()) return;
    const std::string name = torn_name(disk, number);
    disk.append(name, torn);
    disk.sync(name);
    disk.sync_names();
}

// A segment without a header is a torn creation: the archiver begins one when it has synced all before.
void set_aside_younger(RealDisk& disk, const std::vector<u64>& numbers, u64 last, u64 next_seq) {
    for (u64 number : numbers) {
        if (number <= last) continue;
        if (number != numbers.back())
            throw_damaged(path_of(disk.dir(), number), 0, next_seq, "segment header is missing");
        disk.rename(segment_name(number), torn_name(disk, number));
        disk.sync_names();
    }
}

void end_segment(Disk& disk, const std::string& name, std::size_t end) {
    u8 marker[kEndMarkerBytes] = {0xFF, 0xFF, 0xFF, 0xFF};
    disk.truncate(name, end);
    disk.sync(name);  // or the marker might reach the disk before what follows it has gone
    disk.append(name, marker);
    disk.sync(name);
}

}  // namespace

Recovery recover_disk(const std::string& journal_dir, u64 durable_seq) {
    const std::vector<u64> numbers = segments_in(journal_dir);
    RealDisk disk(journal_dir);
    Recovery r;
    r.segment = last_begun(journal_dir, numbers);
    expect_written(journal_dir, read_watermark(disk.read(kWatermarkName)));
    if (r.segment == 0) {
        if (durable_seq > 0) throw_damaged(journal_dir, 0, durable_seq, "segment is missing");
        set_aside_younger(disk, numbers, 0, 1);
        return r;
    }
    const std::string path = path_of(journal_dir, r.segment);
    const Mapping m = Mapping::open_readable(path);
    SegmentHeader header;
    read_segment_header(m.bytes(), r.segment, header);
    const Scan scan = scan_segment(m.bytes(), path, header, durable_seq);
    // It is the oldest unfinished segment, or the end marker says that the next one had begun in memory.
    if (scan.last_seq < durable_seq) throw_damaged(path, scan.end, scan.last_seq + 1, "segment is missing");
    if (r.segment > kFirstSegment) expect_whole(journal_dir, r.segment - 1, header.first_seq);
    r.end = scan.end;
    r.last_seq = scan.last_seq;
    r.epoch = scan.epoch;
    r.torn_bytes = scan.torn_bytes;
    if (scan.torn_bytes > kTornBytesMax) {
        throw_damaged(
            path, scan.end, scan.last_seq + 1,
            "bytes are wrong and " + std::to_string(scan.torn_bytes) + " follow, more than a power cut can tear");
    }
    set_aside_younger(disk, numbers, r.segment, scan.last_seq + 1);
    if (scan.is_ended) {
        disk.sync(segment_name(r.segment));
    } else {
        keep_torn(disk, r.segment, m.bytes().subspan(scan.end, scan.torn_bytes));
        end_segment(disk, segment_name(r.segment), scan.end);
    }
    return r;
}

}  // namespace openbell
