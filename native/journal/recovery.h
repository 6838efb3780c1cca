// Where a journal ends, and whether everything up to there is whole (law 10).
//
// Damage at or below the durable watermark is an error that names the position; above it is a torn tail:
// the journal ends before it.
#pragma once

#include <string>

#include "journal/control.h"
#include "journal/segment.h"

namespace openbell {

// One segment, walked from its header to the end of what is whole.
struct Scan {
    u64 last_seq = 0;
    std::size_t end = 0;    // offset after the last whole frame
    u32 epoch = 0;          // greatest seen
    bool is_ended = false;  // an end marker follows
    u64 torn_bytes = 0;     // up to the last byte that is not zero
};

// `durable_seq`: frames up to here must be whole.
Scan scan_segment(Bytes segment, const std::string& path, const SegmentHeader& header, u64 durable_seq);

// Bytes from `offset` to the last one that is not zero.
u64 extent_after(Bytes segment, std::size_t offset);

// Where the writer goes on.
struct Recovery {
    u64 segment = 0;        // 0: there is no journal yet
    std::size_t end = 0;    // in that segment
    u64 first_segment = 0;  // oldest one in the hot directory
    u64 last_seq = 0;
    u32 epoch = 0;        // greatest seen in the frames
    u64 torn_bytes = 0;   // dropped after the end
    bool is_hot = false;  // the segment lies in the hot directory, else on disk and finished
};

// Reads all hot segments; changes nothing.
Recovery recover_hot(const std::string& hot_dir, u64 durable_seq);

// After a reboot: truncates the last archived segment to its whole frames, ends it and syncs.
Recovery recover_disk(const std::string& journal_dir, u64 durable_seq);

// What is wrong with a segment that does not go on where the last one ended.
std::string begins_at(u64 first_seq);

// The error that halts: what was expected, what was found, where, and what to do.
[[noreturn]] void throw_damaged(const std::string& path, std::size_t offset, u64 seq, const std::string& why);

}  // namespace openbell
