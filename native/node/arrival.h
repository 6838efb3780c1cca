// How a tape's frame arrives: as recorded, a feed latency later.
#pragma once

#include "journal/frame.h"

namespace openbell {

inline FrameHeader arrival_of(const FrameHeader& on_tape, i64 feed_ns) {
    FrameHeader header = on_tape;
    header.ts_recv = on_tape.ts_recv + feed_ns;
    header.ts_seq = header.ts_recv;
    return header;
}

}  // namespace openbell
