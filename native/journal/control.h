// journal.ctl: one page of shared memory in the hot directory, where writer, archiver and readers meet.
//
//   0  magic 8 | version 4 | node 4 | segment_bytes 8 | writer pid 4 | state 4 | epoch 4 | ...
//  64  current_segment 8 | committed_offset 8 | committed_seq 8               written by the writer
// 128  durable_segment 8 | durable_offset 8 | durable_seq 8                   written by the archiver
// 192  archiver pid 4 | archiver state 4 | archiver passes 8
//
// Each line is 64 bytes, so that writer and archiver do not write to the same cache line.
#pragma once

#include <atomic>

#include "journal/mapping.h"

namespace openbell {

inline constexpr std::size_t kControlBytes = 4096;
inline constexpr char kControlName[] = "journal.ctl";
inline constexpr char kWatermarkName[] = "DURABLE";
inline constexpr char kEpochName[] = "EPOCH";
inline constexpr u32 kEpochMax = (1u << 18) - 1;  // an order id has 18 bits for it

enum class WriterState : u32 { None = 0, Open = 1, Closed = 2 };
enum class ArchiverState : u32 { None = 0, Running = 1, Stopped = 2, Failed = 3 };

struct ControlPage {
    char magic[8];  // "openbctl", written last at creation
    u32 version;
    u32 node;
    u64 segment_bytes;
    std::atomic<u32> writer_pid;  // relaxed: for people
    std::atomic<u32> state;       // WriterState; release by the writer, acquire by the archiver
    std::atomic<u32> epoch;       // release by the writer at open; acquire by whoever fences on it

    // The bytes themselves are published by commit words; these say where to look.
    alignas(64) std::atomic<u64> current_segment;  // release at roll; acquire by readers that attach
    std::atomic<u64> committed_offset;             // relaxed: for people
    std::atomic<u64> committed_seq;                // release per frame; acquire by monitors

    // The next byte to make durable. The release store of durable_seq comes last and pairs with the
    // writer's acquire load before a command leaves (law 8).
    alignas(64) std::atomic<u64> durable_segment;  // release; acquire by the writer before it unlinks
    std::atomic<u64> durable_offset;               // release; acquire by the next archiver
    std::atomic<u64> durable_seq;                  // release

    alignas(64) std::atomic<u32> archiver_pid;  // relaxed: for people
    std::atomic<u32> archiver_state;            // ArchiverState; release, acquire by the writer
    std::atomic<u64> archiver_passes;           // relaxed: moves while the archiver lives
};
static_assert(sizeof(ControlPage) == 256 && std::atomic<u64>::is_always_lock_free);

// The mapped page. The writer also holds its lock.
class JournalControl {
  public:
    // Creates the page if needed and takes the writer's lock. Throws JournalLocked, naming the holder.
    static JournalControl open_as_writer(const std::string& hot_dir);
    // Attaches to an existing page (archiver: it writes); empty when there is none yet.
    static JournalControl attach(const std::string& hot_dir, bool writable);

    ControlPage* operator->() const { return reinterpret_cast<ControlPage*>(page_.data()); }
    explicit operator bool() const { return bool(page_); }
    void unlock() { lock_ = Fd(); }
    bool was_created() const { return was_created_; }

  private:
    Mapping page_;
    Fd lock_;
    bool was_created_ = false;
};

// The watermark as last written to disk: a lower bound of what is durable, for the day after a power loss.
struct Watermark {
    u64 seq = 0;
    u64 segment = 0;
    u64 offset = 0;
    u32 crc32c = 0;
    u32 pad = 0;
};
static_assert(sizeof(Watermark) == 32);

Watermark make_watermark(u64 seq, u64 segment, u64 offset);
// Zeros when absent or damaged: then only sealed and finished segments are known to be durable.
Watermark read_watermark(Bytes bytes);

}  // namespace openbell
