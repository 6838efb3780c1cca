// The one writer of a journal (law 1): frames go into shared memory and are committed with one release store.
#pragma once

#include <memory>

#include "journal/durable.h"
#include "journal/preparer.h"
#include "journal/recovery.h"

namespace openbell {

struct JournalOptions {
    std::string journal_dir;  // on disk
    // Shared memory, e.g. /dev/shm/openbell/<node>. Empty or equal to journal_dir: a tape, plain files without
    // archiver whose bytes are a function of the frames alone; the directory must hold no segments yet.
    std::string hot_dir;
    u64 segment_bytes = kSegmentBytesDefault;
    u32 frame_bytes_max = kFrameBytesMax;  // room that begin() guarantees
    u32 hot_segments_max = 16;             // when as many wait for the archiver, begin() returns nullptr
    u16 node = 0;
    u32 epoch = 1;          // of a tape; a live journal raises its own
    bool is_alone = false;  // no thread prepares segments beside the writer: in simulation all is one thread
};

class JournalWriter final : public Durable {
  public:
    // Opens or recovers. Throws JournalLocked, JournalDamaged (below the watermark), Journal, Config.
    explicit JournalWriter(JournalOptions options);
    ~JournalWriter() override;
    JournalWriter(const JournalWriter&) = delete;
    JournalWriter& operator=(const JournalWriter&) = delete;

    // Room for a frame of frame_bytes_max at the tail; its header is zero but for class, source and size, and
    // the records follow at header + 1. nullptr: hot space is full or the writer is closed; send nothing new.
    FrameHeader* begin(FrameClass frame_class, u16 source, std::size_t record_size) {
        if (tail_ > begin_max_ && !roll()) [[unlikely]]
            return nullptr;
        auto* header = reinterpret_cast<FrameHeader*>(base_ + tail_);
        // All but the commit word, which is zero and which others look at all the time.
        std::memset(base_ + tail_ + sizeof header->length, 0, sizeof *header - sizeof header->length);
        // One store of eight bytes: commit's CRC reads them as one word.
        const u64 word = u64(kFormatVersion) | u64(frame_class) << 16 | u64(source) << 32 | u64(record_size) << 48;
        std::memcpy(&header->version, &word, 8);
        return header;
    }

    // Publishes the frame begun last, with `count` records; returns its seq. count 0 abandons it.
    u64 commit(FrameHeader* header, u32 count);

    // Gives a number to a frame that stays on its tape; the next frame committed says that numbers were skipped.
    u64 skip() {
        has_skipped_ = true;
        return ++seq_;
    }

    u64 last_seq() const { return seq_; }
    // Everything up to here survives the host. A tape promises nothing and answers last_seq.
    u64 durable_seq() const override;
    bool has_failed() const override;  // the archiver
    u32 epoch() const { return epoch_; }
    u64 segment() const { return number_; }
    bool is_locked_in_memory() const { return segment_.is_locked(); }
    const Recovery& recovery() const { return recovery_; }

    // A tape gets its end marker and its written length; a live journal is marked closed for the archiver.
    void close();
    // Leaves a live journal as a killed process does.
    void abandon();

  private:
    void open_tape();
    void open_live();
    void continue_hot();
    void raise_epoch();
    void publish_open();
    void begin_segment(Mapping segment, u64 number);
    bool roll();
    bool is_tape() const { return !control_; }
    void let_go();
    void use(Mapping segment, u64 number, std::size_t tail);
    std::string path_of(const std::string& dir, u64 number) const { return dir + "/" + segment_name(number); }

    JournalOptions options_;
    JournalControl control_;
    Fd directory_lock_;
    Recovery recovery_;
    std::unique_ptr<SegmentPreparer> preparer_;
    Mapping segment_;
    u8* base_ = nullptr;
    std::size_t tail_ = 1;
    std::size_t begin_max_ = 0;  // greatest tail at which a frame of frame_bytes_max fits
    u64 seq_ = 0;
    u32 epoch_ = 0;
    u64 number_ = 0;
    bool is_open_ = false;
    bool has_skipped_ = false;
};

inline u64 JournalWriter::commit(FrameHeader* header, u32 count) {
    if (count == 0) return 0;
    const std::size_t length = sizeof(FrameHeader) + std::size_t(count) * header->record_size;
    if (length > options_.frame_bytes_max) [[unlikely]] {
        throw Error(ErrorKind::Invariant, "frame is too long: expected at most " +
                                              std::to_string(options_.frame_bytes_max) + " bytes, found " +
                                              std::to_string(length) + "; split the batch");
    }
    const u64 word = u64(count) | u64(epoch_) << 32;
    std::memcpy(&header->count, &word, 8);
    header->seq = ++seq_;
    if (has_skipped_) [[unlikely]] {
        header->flags |= kAfterTape;
        has_skipped_ = false;
    }
    u8* at = reinterpret_cast<u8*>(header);
    header->crc32c = crc32c({at + 8, length - 8});
    tail_ += length;
    // The next commit word must be zero before this frame is seen: an abandoned, longer frame may have left bytes.
    const u32 zero = 0;
    std::memcpy(base_ + tail_, &zero, sizeof zero);
    store_commit(at, u32(length));
    if (control_) {
        control_->committed_offset.store(tail_, std::memory_order_relaxed);
        control_->committed_seq.store(seq_, std::memory_order_release);
    }
    return seq_;
}

}  // namespace openbell
