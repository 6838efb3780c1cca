#include "journal/segment.h"

#include "error.h"

namespace openbell {

bool read_segment_header(Bytes bytes, u64 number, SegmentHeader& out) {
    if (bytes.size() < kSegmentHeaderBytes) return false;
    std::memcpy(&out, bytes.data(), sizeof out);
    if (std::memcmp(out.magic, "openbell", 8) != 0 || out.crc32c != header_crc(out)) return false;
    if (out.version != kFormatVersion) {
        throw Error(ErrorKind::Journal, "journal is of another format: expected version " +
                                            std::to_string(kFormatVersion) + ", found " + std::to_string(out.version) +
                                            " in the header of segment " + std::to_string(number) +
                                            "; read it with the openbell that wrote it, and begin a new journal " +
                                            "directory with this one (docs/durability.md, format versions)");
    }
    return out.number == number;
}

}  // namespace openbell
