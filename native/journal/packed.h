// Segments that were packed with zstd, `<n>.seg.zst`, when nobody wrote them any more (openbell/journal/segments.py).
//
// The core knows no zstd: whoever runs it installs what unpacks one into memory, and the segment comes back
// mapped like a file. Readers of one process that stand in the same segment share it; a backtest, whose engine
// reads one feed latency behind its venue, unpacks each once and holds two at most.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "journal/mapping.h"

namespace openbell {

// A descriptor of memory that holds the unpacked segment. Throws what the installer's errors are.
using Unpack = Fd (*)(const std::string& path);
void install_unpack(Unpack unpack);

struct OpenSegment {
    std::shared_ptr<const Mapping> mapping;  // empty when there is no such segment
    std::string path;
    bool is_packed = false;
};

// Plain or packed; where both exist the plain one counts.
OpenSegment open_segment(const std::string& dir, u64 number);
// Numbers of the plain and the packed segments, ascending.
std::vector<u64> readable_segments_in(const std::string& dir);

}  // namespace openbell
