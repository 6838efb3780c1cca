// Follows a journal from any process, without a lock: hot segments while they exist, archived files else, plain or
// packed.
#pragma once

#include <functional>
#include <memory>

#include "journal/packed.h"
#include "journal/recovery.h"

namespace openbell {

class JournalReader {
  public:
    // `hot_dir` may be empty: only what has been archived (or a tape). Begins at the oldest frame there is.
    // `check_crc`: verify every frame. Length, sequence and version are always checked, and the CRC of every frame that
    // a power cut may have torn: on disk, above the watermark.
    explicit JournalReader(std::string journal_dir, std::string hot_dir = "", bool check_crc = false);

    // The next frame, or null when nothing more is committed now. A view is valid until the next call of
    // next() or seek(), or as long as the mapping it lies in is held. Throws JournalDamaged below the watermark.
    FrameView next();

    // The next frame will be `seq`, or the first after it that exists. 0 = the oldest.
    void seek(u64 seq);
    // Begins at a segment that holds or precedes the first frame sequenced at `ts_seq` or later.
    void seek_time(i64 ts_seq);

    // Where the next frame will stand.
    u64 segment() const { return number_; }
    std::size_t offset() const { return offset_; }
    u64 next_seq() const { return next_seq_; }
    const std::string& path() const { return path_; }
    // After next() returned null: bytes up to the last one that is not zero, of a torn tail. 0 = a clean end.
    u64 bytes_after() const;
    // After next() returned null: throws JournalDamaged when what follows is no frame and not nothing either. A node
    // cuts such a tail off when it opens its journal; who reads a tape to its end wants to know.
    void expect_end() const;
    bool is_hot() const { return is_hot_; }
    const std::shared_ptr<const Mapping>& mapping() const { return mapping_; }
    // Frames up to here are promised; damage among them is an error and not an end.
    u64 durable_seq() const;

  private:
    bool attach();
    bool open_segment(u64 number);
    bool open_in(const std::string& dir, u64 number);
    bool grow();
    using Test = std::function<bool(const SegmentHeader&, const FrameView& first)>;
    void start_at_last(const Test& is_early_enough);
    bool passes(u64 number, const Test& test) const;
    u64 whole_seq() const;
    bool is_passed();
    bool is_end_torn();
    bool is_next_begun() const;
    std::vector<u64> numbers() const;

    std::string journal_dir_;
    std::string hot_dir_;
    bool check_crc_;
    mutable JournalControl control_;
    std::shared_ptr<const Mapping> mapping_;
    Bytes bytes_;  // of mapping_
    std::string path_;
    bool is_hot_ = false;
    bool is_packed_ = false;
    u64 number_ = 0;  // 0: no segment was there yet
    std::size_t offset_ = 0;
    u64 next_seq_ = 0;
    u64 wanted_seq_ = 0;  // frames before it are passed over
    u64 whole_seq_ = 0;   // frames up to here are whole by promise
};

}  // namespace openbell
