#include "journal/archiver.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "journal/recovery.h"
#include "journal/watermark.h"

namespace openbell {

Archiver::Archiver(std::string hot_dir, Disk& disk) : hot_dir_(std::move(hot_dir)), disk_(disk) {}

Archiver::~Archiver() {
    if (control_ && !is_failed_) control_->archiver_state.store(u32(ArchiverState::Stopped), std::memory_order_release);
}

std::size_t Archiver::run_once() {
    if (is_failed_)
        throw Error(ErrorKind::Journal, "archiver has failed before: start a new one after checking the disk");
    if (!control_ && !attach()) return 0;
    control_->archiver_passes.fetch_add(1, std::memory_order_relaxed);
    try {
        return pass();
    } catch (...) {  // also no memory: nothing is published of a pass that did not end
        is_failed_ = true;
        control_->archiver_state.store(u32(ArchiverState::Failed), std::memory_order_release);
        throw;
    }
}

void Archiver::run(u64 passes, i64 wait_ns) {
    for (u64 i = 0; i < passes && !is_done(); ++i) {
        if (run_once() == 0 && wait_ns > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(wait_ns));
    }
}

bool Archiver::is_done() const {
    if (!control_ || control_->state.load(std::memory_order_acquire) != u32(WriterState::Closed)) return false;
    return durable_seq_ >= control_->committed_seq.load(std::memory_order_acquire);
}

std::vector<u64> Archiver::take_finished() { return std::exchange(finished_, {}); }

bool Archiver::attach() {
    JournalControl control = JournalControl::attach(hot_dir_, true);
    if (!control || control->epoch.load(std::memory_order_acquire) == 0) return false;
    control_ = std::move(control);
    control_->archiver_pid.store(u32(::getpid()), std::memory_order_relaxed);
    control_->archiver_state.store(u32(ArchiverState::Running), std::memory_order_release);
    durable_seq_ = control_->durable_seq.load(std::memory_order_acquire);
    return true;
}

std::size_t Archiver::pass() {
    const u32 epoch = control_->epoch.load(std::memory_order_acquire);
    if (epoch != epoch_) segment_ = Mapping();  // a new writer may have cut a torn tail: compare again
    epoch_ = epoch;
    if (!segment_ && !open_segment(control_->durable_segment.load(std::memory_order_acquire))) return 0;
    while (walked_ < copied_ + kArchiveBatchBytesMax && step(segment_.size())) {
    }
    if (walked_ == copied_) {
        if (witnessed_seq_ < durable_seq_ && is_done()) sync_watermark();
        return 0;
    }
    const std::size_t fresh = walked_ - copied_;
    write_and_sync();
    publish();
    if (is_end_reached_) {
        finished_.push_back(number_);
        segment_ = Mapping();
    }
    return fresh;
}

bool Archiver::open_segment(u64 number) {
    // Asked first: a segment opened before it was begun, and begun by now, is not missing.
    if (number > control_->current_segment.load(std::memory_order_acquire)) return false;
    Mapping segment = Mapping::open_readable(hot_dir_ + "/" + segment_name(number));
    SegmentHeader header;
    if (!read_segment_header(segment.bytes(), number, header)) {
        throw_damaged(hot_dir_ + "/" + segment_name(number), 0, durable_seq_ + 1,
                      "segment is missing before it was archived");
    }
    segment_ = std::move(segment);
    name_ = segment_name(number);
    number_ = number;
    walked_ = kSegmentHeaderBytes;
    next_seq_ = header.first_seq;
    is_end_reached_ = false;
    copied_ = agreed_with_disk();
    return true;
}

// How much of the segment was promised, which the disk must have. What a predecessor wrote above that may never have
// been synced, or its sync may have failed and the pages pass for clean: it is written again, in place, and what
// differs is cut off.
std::size_t Archiver::agreed_with_disk() {
    const std::vector<u8> on_disk = disk_.read(name_);
    const Bytes hot = segment_.bytes();
    const std::size_t n = std::min(on_disk.size(), hot.size());
    std::size_t agreed = 0;
    while (agreed < n && on_disk[agreed] == hot[agreed]) ++agreed;
    const bool is_promised = control_->durable_segment.load(std::memory_order_acquire) == number_;
    u64 promised = is_promised ? control_->durable_offset.load(std::memory_order_acquire) : 0;
    const Watermark watermark = read_watermark(disk_.read(kWatermarkName));
    if (watermark.segment == number_) promised = std::max(promised, watermark.offset);
    if (agreed < promised) {
        throw_damaged(name_ + " of the journal directory", agreed, durable_seq_, "archived bytes differ from memory");
    }
    while (walked_ < promised && step(promised)) {
    }
    if (on_disk.size() > agreed) disk_.truncate(name_, agreed);
    return promised;
}

// Goes over one committed frame (or the end marker) that ends at or before `limit`; false when there is none.
bool Archiver::step(std::size_t limit) {
    if (is_end_reached_) return false;
    const Look look = look_at(segment_.bytes(), walked_, next_seq_, false);
    if (look.slot == Slot::Empty) return false;
    if (look.slot == Slot::Damaged) throw_damaged(hot_dir_ + "/" + name_, walked_, next_seq_, look.why);
    const bool is_end = look.slot == Slot::End;
    const std::size_t length = is_end ? kEndMarkerBytes : look.length;
    if (walked_ + length > limit) return false;
    walked_ += length;
    next_seq_ += is_end ? 0 : 1;
    is_end_reached_ = is_end;
    return true;
}

void Archiver::write_and_sync() {
    const bool is_new = copied_ == 0;
    disk_.write_at(name_, copied_, segment_.bytes().subspan(copied_, walked_ - copied_));
    disk_.sync(name_);
    if (is_new) disk_.sync_names();
    copied_ = walked_;
    if (is_new) sync_watermark();
}

Watermark Archiver::reached() const {
    return make_watermark(std::max(durable_seq_, next_seq_ - 1), is_end_reached_ ? number_ + 1 : number_,
                          is_end_reached_ ? 0 : copied_);
}

void Archiver::sync_watermark() {
    const Watermark watermark = reached();
    write_synced(disk_, watermark);
    witnessed_seq_ = watermark.seq;
}

void Archiver::publish() {
    const Watermark watermark = reached();
    durable_seq_ = watermark.seq;
    // Whoever dies between two of these stores leaves a place that is not beyond what is durable.
    if (watermark.segment != number_) control_->durable_offset.store(0, std::memory_order_release);
    control_->durable_segment.store(watermark.segment, std::memory_order_release);
    control_->durable_offset.store(watermark.offset, std::memory_order_release);
    control_->durable_seq.store(durable_seq_, std::memory_order_release);
    write_latest(disk_, watermark);
}

}  // namespace openbell
