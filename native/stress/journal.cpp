#include <atomic>
#include <thread>

#include "journal/archiver.h"
#include "journal/reader.h"
#include "journal/writer.h"
#include "rng.h"
#include "stress/stress.h"

namespace openbell::stress {
namespace {

constexpr u32 kFrameBytes = 4096;
constexpr u64 kSegmentBytes = 64 * 1024;  // a few frames: segments begin, end and are unlinked all the time
constexpr u32 kHotSegments = 4;
constexpr u32 kReaders = 2;
constexpr i64 kPauseNs = 20'000;

u32 records_of(u64 seq, u64 seed) {
    return 1 + u32(SplitMix64(seq ^ seed).below((kFrameBytes - sizeof(FrameHeader)) / kSmallRecord));
}
u8 byte_of(u64 seq, u64 seed) { return u8(SplitMix64(seq + seed).next()); }

// The trading thread; the preparer's thread makes its segments. Says how often hot memory was full.
u64 write_all(JournalWriter& journal, const Plan& plan) {
    u64 full = 0;
    for (u64 seq = 1; seq <= plan.rounds;) {
        FrameHeader* frame = journal.begin(FrameClass::In, source::kFeed, kSmallRecord);
        if (frame == nullptr) {
            ++full;
            std::this_thread::yield();
            continue;
        }
        const u32 count = records_of(seq, plan.seed);
        std::memset(static_cast<void*>(frame + 1), byte_of(seq, plan.seed), std::size_t(count) * kSmallRecord);
        if (journal.commit(frame, count) != seq) broken("journal: a frame's number", seq, journal.last_seq());
        ++seq;
        if (journal.durable_seq() > journal.last_seq())
            broken("journal: durable", journal.last_seq(), journal.durable_seq());
    }
    return full;
}

void archive_all(const std::string& hot, const std::string& journal) {
    RealDisk disk(journal);
    Archiver archiver(hot, disk);
    while (!archiver.is_done()) archiver.run(100, kPauseNs);
}

// A process that follows: in hot memory, and on disk where it is behind.
void read_all(const std::string& hot, const std::string& journal, const Plan& plan) {
    JournalReader reader(journal, hot, true);
    for (u64 seq = 1; seq <= plan.rounds;) {
        const FrameView frame = reader.next();
        if (!frame) {
            std::this_thread::yield();
            continue;
        }
        if (frame.header->seq != seq) broken("journal: the next frame read", seq, frame.header->seq);
        if (frame.count() != records_of(seq, plan.seed))
            broken("journal: records", records_of(seq, plan.seed), frame.count());
        for (const u8 byte : frame.bytes())
            if (byte != byte_of(seq, plan.seed)) broken("journal: a byte", byte_of(seq, plan.seed), byte);
        ++seq;
    }
}

}  // namespace

// Writer, preparer, archiver and two readers, each a thread: every frame is read whole and once, everything is durable.
std::string run_journal(const Plan& plan) {
    const std::string hot = plan.folder + "/hot", disk = plan.folder + "/journal";
    JournalOptions options;
    options.journal_dir = disk;
    options.hot_dir = hot;
    options.segment_bytes = kSegmentBytes;
    options.frame_bytes_max = kFrameBytes;
    options.hot_segments_max = kHotSegments;
    JournalWriter journal(options);
    std::thread archiver([&] { archive_all(hot, disk); });
    std::vector<std::thread> readers;
    for (u32 i = 0; i < kReaders; ++i) readers.emplace_back([&] { read_all(hot, disk, plan); });
    const u64 full = write_all(journal, plan);
    for (std::thread& reader : readers) reader.join();
    const u64 segments = journal.segment();
    journal.close();
    archiver.join();
    read_all("", disk, plan);  // and what is on disk is all of it
    return std::to_string(plan.rounds) + " frames in " + std::to_string(segments) + " segments, " +
           std::to_string(kReaders) + " readers; the writer found hot memory full " + std::to_string(full) + " times";
}

}  // namespace openbell::stress
