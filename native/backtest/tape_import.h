// Writes the market data of ITCH 5.0 bytes to a tape, in the order of the file.
//
// Files hold 2-byte big-endian length and message, repeated. They know no receive times: a frame's ts_recv
// and ts_seq are its event time, and its flag kSyntheticTime says so. Instruments get ids in the order of
// their Stock Directory messages.
#pragma once

#include <string>
#include <vector>

#include "feed/itch_feed.h"
#include "journal/writer.h"

namespace openbell {

// Records of one timestamp beyond this many go into the next frame.
inline constexpr u32 kTapeFrameRecordsMax = 1024;
static_assert(sizeof(FrameHeader) + kTapeFrameRecordsMax * kLargeRecord <= kFrameBytesMax);

struct TapeOptions {
    i64 midnight_ns = 0;               // UTC, of the exchange's day
    std::vector<std::string> symbols;  // empty: all
    bool split_by_tracking = false;    // a frame ends where the tracking number changes, not only the time
    EdgeConfig checks;
};

class TapeImport {
  public:
    TapeImport(JournalWriter& journal, const TapeOptions& options);

    // Takes the next bytes of the file; a message may be cut between two calls. Throws Decode, Journal.
    void feed(Bytes bytes);
    // The file ends here. Throws Decode if it ends inside a message or held none.
    void finish();

    u64 records() const { return records_; }
    u64 frames() const { return frames_; }
    const ItchCounters& counters() const { return itch_.counters(); }
    const EdgeCounters& checked() const { return itch_.checks().counters(); }

  private:
    std::size_t take_whole(Bytes bytes);
    void on_message(Bytes message);
    template <class Record>
    void put(Bytes message, const Record& record, i64 ts_event) {
        std::memcpy(room_for(message, ts_event, sizeof record), &record, sizeof record);
    }
    u8* room_for(Bytes message, i64 ts_event, std::size_t record_size);
    void close_frame();

    JournalWriter& journal_;
    ItchFeed itch_;
    bool split_by_tracking_;
    u32 next_instrument_ = 0;
    std::vector<u8> cut_;  // beginning of a message whose end comes with the next bytes
    u64 offset_ = 0;       // in the file, of the next message
    FrameHeader* frame_ = nullptr;
    u32 count_ = 0;
    u16 tracking_ = 0;
    i64 ts_seq_ = 0;
    u64 records_ = 0;
    u64 frames_ = 0;
};

}  // namespace openbell
