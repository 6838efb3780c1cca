// Makes the journal durable: copies committed frames from the hot segments to disk, syncs, and only then
// publishes durable_seq (law 8). All frames that arrived meanwhile go with the next sync: a group commit.
#pragma once

#include <vector>

#include "journal/control.h"
#include "journal/disk.h"
#include "journal/segment.h"

namespace openbell {

inline constexpr std::size_t kArchiveBatchBytesMax = 8 << 20;  // written and synced at once

class Archiver {
  public:
    // `disk` is the journal directory and outlives the archiver. Attaches when the writer has opened.
    Archiver(std::string hot_dir, Disk& disk);
    ~Archiver();

    // One pass: copy, sync, publish. Bytes made durable. Throws JournalDamaged when disk and memory differ below
    // the watermark, Journal when the disk fails; after either it never runs again. What a failed sync has lost, a
    // second one does not bring back: another archiver writes everything above the watermark anew.
    std::size_t run_once();

    // Up to `passes` passes; after an empty one waits `wait_ns` (0 = busy). Ends early when done.
    void run(u64 passes, i64 wait_ns);

    // The writer has closed and everything is durable.
    bool is_done() const;
    u64 durable_seq() const { return durable_seq_; }
    u64 segment() const { return number_; }
    // Segments completed since the last call, for sealing.
    std::vector<u64> take_finished();

  private:
    bool attach();
    bool open_segment(u64 number);
    std::size_t agreed_with_disk();
    bool step(std::size_t limit);
    void write_and_sync();
    void publish();
    Watermark reached() const;
    void sync_watermark();
    std::size_t pass();

    std::string hot_dir_;
    Disk& disk_;
    JournalControl control_;
    Mapping segment_;
    std::string name_;
    u64 number_ = 0;
    u32 epoch_ = 0;
    std::size_t copied_ = 0;  // bytes of the segment on disk, synced by us or promised before
    std::size_t walked_ = 0;  // bytes of the segment that are whole frames
    u64 next_seq_ = 0;        // at walked_
    bool is_end_reached_ = false;
    u64 durable_seq_ = 0;
    u64 witnessed_seq_ = 0;  // in DURABLE when it was synced last
    bool is_failed_ = false;
    std::vector<u64> finished_;
};

}  // namespace openbell
