#include "journal/writer.h"

#include <unistd.h>

#include <algorithm>

#include "journal/disk.h"
#include "journal/folder_lock.h"
#include "journal/packed.h"
#include "journal/watermark.h"

namespace openbell {
namespace {

constexpr u64 kPageBytes = 4096;

void check(const JournalOptions& o) {
    const u64 least = kSegmentHeaderBytes + o.frame_bytes_max + kEndMarkerBytes;
    const char* flaw = nullptr;
    if (o.journal_dir.empty()) flaw = "journal_dir must be set";
    if (o.frame_bytes_max < 256 || o.frame_bytes_max > kFrameBytesMax) flaw = "frame_bytes_max must lie in 256..262144";
    if (o.segment_bytes < least || o.segment_bytes % kPageBytes) {
        flaw = "segment_bytes must be a multiple of 4096 and hold a header and frame_bytes_max";
    }
    if (o.hot_segments_max < 2) flaw = "hot_segments_max must be at least 2: the present segment and the next";
    if (flaw) throw Error(ErrorKind::Config, std::string("journal options: ") + flaw);
}

u32 parse_epoch(const std::vector<u8>& text) {
    return u32(std::strtoul(std::string(text.begin(), text.end()).c_str(), nullptr, 10));
}

// Retention leaves the newest as they are; what a person has packed would be taken for missing.
void expect_newest_plain(const std::string& dir) {
    const std::vector<u64> all = readable_segments_in(dir), plain = segments_in(dir);
    if (all.empty() || (!plain.empty() && plain.back() == all.back())) return;
    throw Error(ErrorKind::Journal, "expected the newest segment in " + dir + " to be plain, found segment " +
                                        std::to_string(all.back()) +
                                        " packed; unpack it with zstd -d and remove the packed one");
}

void cut_file(const std::string& path, std::size_t bytes) {
    if (::truncate(path.c_str(), off_t(bytes)) != 0) throw_errno("truncate", path);
}

}  // namespace

JournalWriter::JournalWriter(JournalOptions options) : options_(std::move(options)) {
    if (options_.hot_dir.empty()) options_.hot_dir = options_.journal_dir;
    check(options_);
    make_directories(options_.journal_dir);
    make_directories(options_.hot_dir);
    if (options_.hot_dir == options_.journal_dir) {
        open_tape();
    } else {
        open_live();
    }
    is_open_ = true;
}

JournalWriter::~JournalWriter() {
    try {
        close();
    } catch (const std::exception&) {  // the journal stays as a crash would leave it: recovery handles that
    }
}

void JournalWriter::open_tape() {
    directory_lock_ = lock_exclusively(options_.journal_dir);
    if (!directory_lock_) {
        throw Error(ErrorKind::JournalLocked, "tape has one writer: expected " + options_.journal_dir +
                                                  " to be free, found it locked; wait for the other process");
    }
    if (!readable_segments_in(options_.journal_dir).empty()) {
        throw Error(ErrorKind::Journal, "expected no segments in " + options_.journal_dir +
                                            ", found a tape; choose a new directory or remove it");
    }
    epoch_ = options_.epoch;
    preparer_ = std::make_unique<SegmentPreparer>(
        SegmentPreparer::Plan{options_.journal_dir, options_.segment_bytes, options_.hot_segments_max, nullptr, true});
    preparer_->want(kFirstSegment, {});
    begin_segment(preparer_->take(), kFirstSegment);
    preparer_->want(kFirstSegment + 1, {});
}

void JournalWriter::open_live() {
    directory_lock_ = lock_folder(options_.journal_dir, options_.hot_dir);  // before anything is read or cut
    control_ = JournalControl::open_as_writer(options_.hot_dir);
    sync_path_to(options_.journal_dir);
    RealDisk disk(options_.journal_dir);
    const Watermark watermark = read_watermark(disk.read(kWatermarkName));
    const u64 durable_seq = std::max(control_->durable_seq.load(std::memory_order_acquire), watermark.seq);
    expect_newest_plain(options_.journal_dir);
    recovery_ = recover_hot(options_.hot_dir, durable_seq);
    if (!recovery_.is_hot) recovery_ = recover_disk(options_.journal_dir, durable_seq);
    const std::vector<u64> archived = segments_in(options_.journal_dir);
    if (recovery_.is_hot && !archived.empty() && archived.back() > recovery_.segment) {
        throw Error(ErrorKind::Journal, "expected " + options_.hot_dir + " to hold the newest segment, found segment " +
                                            std::to_string(archived.back()) + " in " + options_.journal_dir +
                                            "; the two belong to different journals");
    }
    seq_ = recovery_.last_seq;
    // What was recovered from disk is synced; with hot segments the archiver goes on from where it was.
    if (!recovery_.is_hot) write_synced(disk, make_watermark(seq_, recovery_.segment + 1, 0));
    if (recovery_.is_hot && !is_written(watermark)) write_synced(disk, make_watermark(0, 0, 0));
    raise_epoch();
    for (u64 number : segments_in(options_.hot_dir)) {  // prepared and never begun
        if (!recovery_.is_hot || number > recovery_.segment) ::unlink(path_of(options_.hot_dir, number).c_str());
    }
    preparer_ = std::make_unique<SegmentPreparer>(SegmentPreparer::Plan{
        options_.hot_dir, options_.segment_bytes, options_.hot_segments_max, control_.operator->(), options_.is_alone});
    if (recovery_.is_hot) {
        continue_hot();
    } else {
        const u64 number = recovery_.segment + 1;
        begin_segment(Mapping::create(path_of(options_.hot_dir, number), options_.segment_bytes, true), number);
    }
    publish_open();
    preparer_->want(number_ + 1, {});
}

void JournalWriter::continue_hot() {
    const std::string path = path_of(options_.hot_dir, recovery_.segment);
    SegmentHeader header;
    read_segment_header(Mapping::open_readable(path).bytes(), recovery_.segment, header);
    cut_file(path, header.segment_bytes);
    Mapping segment = Mapping::open_writable(path, true);
    std::memset(segment.data() + recovery_.end, 0, recovery_.torn_bytes);  // behind them it is zero
    use(std::move(segment), recovery_.segment, recovery_.end);
}

void JournalWriter::raise_epoch() {
    RealDisk disk(options_.journal_dir);
    epoch_ = 1 + std::max({control_->epoch.load(std::memory_order_acquire), recovery_.epoch,
                           parse_epoch(disk.read(kEpochName))});
    if (epoch_ > kEpochMax) {
        throw Error(ErrorKind::Capacity, "epochs are used up: expected at most " + std::to_string(kEpochMax) +
                                             ", found " + std::to_string(epoch_) + "; begin a new journal directory");
    }
    const std::string text = std::to_string(epoch_) + "\n";
    replace_durably(disk, kEpochName, {reinterpret_cast<const u8*>(text.data()), text.size()});
}

void JournalWriter::publish_open() {
    ControlPage& page = *control_.operator->();
    if (control_.was_created() || !recovery_.is_hot) {
        // Hot segments without their page: the archiver compares them with the disk again. After a reboot
        // everything recovered is on disk and synced.
        const u64 first = recovery_.is_hot ? recovery_.first_segment : number_;
        page.durable_segment.store(first, std::memory_order_relaxed);
        page.durable_offset.store(0, std::memory_order_relaxed);
        page.durable_seq.store(recovery_.is_hot ? 0 : seq_, std::memory_order_release);
    }
    page.node = options_.node;
    page.segment_bytes = options_.segment_bytes;
    page.committed_offset.store(tail_, std::memory_order_relaxed);
    page.committed_seq.store(seq_, std::memory_order_relaxed);
    page.current_segment.store(number_, std::memory_order_release);
    page.epoch.store(epoch_, std::memory_order_release);
    page.state.store(u32(WriterState::Open), std::memory_order_release);
}

void JournalWriter::begin_segment(Mapping segment, u64 number) {
    const SegmentHeader header = make_segment_header(options_.node, epoch_, number, seq_ + 1, options_.segment_bytes);
    std::memcpy(segment.data(), &header, sizeof header);
    use(std::move(segment), number, kSegmentHeaderBytes);
}

void JournalWriter::use(Mapping segment, u64 number, std::size_t tail) {
    segment_ = std::move(segment);
    number_ = number;
    base_ = segment_.data();
    tail_ = tail;
    // A segment begun under a smaller segment_bytes may have no room at all: then the first begin() rolls.
    const u64 reserved = kEndMarkerBytes + options_.frame_bytes_max;
    begin_max_ = segment_.size() > reserved ? segment_.size() - reserved : 0;
}

bool JournalWriter::roll() {
    if (!is_open_) return false;
    Mapping next = preparer_->take();
    if (!next) return false;
    // The next header stands before the end marker that leads readers to it.
    Mapping old = std::move(segment_);
    segment_ = Mapping();
    u8* const end = base_ + tail_;
    const std::size_t used = tail_ + kEndMarkerBytes;
    begin_segment(std::move(next), number_ + 1);
    std::memset(end + 4, 0, kEndMarkerBytes - 4);
    store_commit(end, kEndMarker);
    if (is_tape()) cut_file(path_of(options_.journal_dir, number_ - 1), used);
    if (control_) control_->current_segment.store(number_, std::memory_order_release);
    preparer_->want(number_ + 1, std::move(old));
    return true;
}

u64 JournalWriter::durable_seq() const {
    return control_ ? control_->durable_seq.load(std::memory_order_acquire) : seq_;
}

bool JournalWriter::has_failed() const {
    return control_ && control_->archiver_state.load(std::memory_order_acquire) == u32(ArchiverState::Failed);
}

void JournalWriter::close() {
    if (!is_open_) return;
    is_open_ = false;
    preparer_.reset();
    if (is_tape()) {
        std::memset(base_ + tail_ + 4, 0, kEndMarkerBytes - 4);
        store_commit(base_ + tail_, kEndMarker);
        cut_file(path_of(options_.journal_dir, number_), tail_ + kEndMarkerBytes);
    } else {
        ::unlink(path_of(options_.hot_dir, number_ + 1).c_str());
        control_->state.store(u32(WriterState::Closed), std::memory_order_release);
    }
    let_go();
}

void JournalWriter::abandon() {
    is_open_ = false;
    preparer_.reset();
    let_go();
}

void JournalWriter::let_go() {
    segment_ = Mapping();
    base_ = nullptr;
    begin_max_ = 0;
    tail_ = 1;
    control_.unlock();
    directory_lock_ = Fd();
}

}  // namespace openbell
