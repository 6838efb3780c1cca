#include "journal/reader.h"

#include <algorithm>
#include <iterator>

#include "journal/disk.h"

namespace openbell {

JournalReader::JournalReader(std::string journal_dir, std::string hot_dir, bool check_crc)
    : journal_dir_(std::move(journal_dir)), hot_dir_(std::move(hot_dir)), check_crc_(check_crc) {
    if (hot_dir_ == journal_dir_) hot_dir_.clear();
}

FrameView JournalReader::next() {
    if (number_ == 0 && !attach()) return {};
    for (;;) {
        const Look look = look_at(bytes_, offset_, next_seq_, check_crc_ || next_seq_ > whole_seq_);
        switch (look.slot) {
            case Slot::Frame: {
                const FrameView view{frame_at(bytes_, offset_)};
                offset_ += look.length;
                next_seq_ = view.header->seq + 1;
                if (view.header->seq >= wanted_seq_) return view;
                break;
            }
            case Slot::End:
                if (!open_segment(number_ + 1)) return {};
                break;
            case Slot::Empty:
                if (grow()) break;
                if (!is_passed()) return {};
                // The writer may have committed or rolled in between: look once more.
                if (look_at(bytes_, offset_, next_seq_, false).slot != Slot::Empty || grow()) break;
                throw_damaged(path_, offset_, next_seq_, "bytes are missing");
            case Slot::Damaged:
                if (grow()) break;
                if (is_end_torn()) return {};
                throw_damaged(path_, offset_, next_seq_, look.why);
        }
    }
}

bool JournalReader::attach() {
    const std::vector<u64> all = numbers();
    return !all.empty() && open_segment(all.front());
}

// Hot first: a segment leaves the hot directory only after its file is complete on disk.
bool JournalReader::open_segment(u64 number) {
    if (!hot_dir_.empty() && open_in(hot_dir_, number)) {
        is_hot_ = true;
    } else if (open_in(journal_dir_, number)) {
        is_hot_ = false;
    } else {
        const std::vector<u64> all = numbers();
        if (number_ == 0 || all.empty() || all.back() <= number) return false;  // not archived yet
        throw_damaged(journal_dir_ + "/" + segment_name(number), 0, next_seq_, "segment is missing");
    }
    whole_seq_ = whole_seq();
    return true;
}

// In memory a commit word stands before no frame that is not whole, and a tape's writer has ended in order.
u64 JournalReader::whole_seq() const {
    const bool is_tape = hot_dir_.empty() && !file_exists(journal_dir_ + "/" + kWatermarkName);
    return is_hot_ || is_tape ? ~u64(0) : durable_seq();
}

bool JournalReader::open_in(const std::string& dir, u64 number) {
    OpenSegment opened = openbell::open_segment(dir, number);
    const std::string& path = opened.path;
    std::shared_ptr<const Mapping>& mapping = opened.mapping;
    SegmentHeader header;
    if (!read_segment_header(mapping->bytes(), number, header)) return false;
    // Only a journal that refers to a tape may go on at a later number; its first frame says so, once it is committed.
    const auto has_skipped = [&] {
        const Look first = look_at(mapping->bytes(), kSegmentHeaderBytes, header.first_seq, false);
        return header.first_seq > next_seq_ && first.slot == Slot::Frame &&
               frame_at(mapping->bytes(), kSegmentHeaderBytes)->flags & kAfterTape;
    };
    if (number_ != 0 && header.first_seq != next_seq_ && !has_skipped())
        throw_damaged(path, 0, next_seq_, begins_at(header.first_seq));
    mapping_ = std::move(mapping);
    bytes_ = mapping_->bytes();
    path_ = path;
    is_packed_ = opened.is_packed;
    number_ = number;
    offset_ = kSegmentHeaderBytes;
    next_seq_ = header.first_seq;
    return true;
}

// An archived file grows; a hot segment has its size from the start, a packed one is complete. True when there is
// more to look at.
bool JournalReader::grow() {
    if (is_hot_ || is_packed_) return false;
    auto mapping = std::make_shared<const Mapping>(Mapping::open_readable(path_));
    if (!*mapping || mapping->size() == bytes_.size()) return false;  // recovery may also have cut a torn tail
    mapping_ = std::move(mapping);
    bytes_ = mapping_->bytes();
    whole_seq_ = whole_seq();
    return true;
}

// Whether something after this place is promised: then nothing here is not the end, but a loss.
bool JournalReader::is_passed() {
    if (!control_ && !hot_dir_.empty()) control_ = JournalControl::attach(hot_dir_, false);
    if (is_hot_) {
        return control_ && (control_->current_segment.load(std::memory_order_acquire) > number_ ||
                            control_->durable_seq.load(std::memory_order_acquire) >= next_seq_);
    }
    // A tape that is being written has prepared its next segment before it is begun.
    return is_next_begun() || durable_seq() >= next_seq_;
}

// Bad bytes above the watermark, in the last segment that was begun, are where the journal ends.
bool JournalReader::is_end_torn() {
    const std::vector<u64> all = numbers();
    return next_seq_ > durable_seq() && (all.empty() || all.back() <= number_ + 1) && !is_next_begun();
}

bool JournalReader::is_next_begun() const {
    return passes(number_ + 1, [](const SegmentHeader&, const FrameView&) { return true; });
}

u64 JournalReader::durable_seq() const {
    if (!control_ && !hot_dir_.empty()) control_ = JournalControl::attach(hot_dir_, false);
    const Mapping m = Mapping::open_readable(journal_dir_ + "/" + kWatermarkName);
    const u64 on_disk = read_watermark(m.bytes()).seq;
    return control_ ? std::max(on_disk, control_->durable_seq.load(std::memory_order_acquire)) : on_disk;
}

void JournalReader::expect_end() const {
    const Look look = look_at(bytes_, offset_, next_seq_, check_crc_);
    if (look.slot == Slot::Damaged) throw_damaged(path_, offset_, next_seq_, look.why);
}

u64 JournalReader::bytes_after() const {
    if (look_at(bytes_, offset_, next_seq_, false).slot == Slot::End) return 0;
    return extent_after(bytes_, offset_);
}

std::vector<u64> JournalReader::numbers() const {
    std::vector<u64> disk = readable_segments_in(journal_dir_);
    if (hot_dir_.empty()) return disk;
    const std::vector<u64> hot = segments_in(hot_dir_);
    std::vector<u64> all;
    std::set_union(disk.begin(), disk.end(), hot.begin(), hot.end(), std::back_inserter(all));
    return all;
}

void JournalReader::seek(u64 seq) {
    wanted_seq_ = seq;
    if (number_ != 0 && next_seq_ <= seq) return;  // forward: next() passes over what lies between
    start_at_last([&](const SegmentHeader& header, const FrameView&) { return header.first_seq <= seq; });
}

void JournalReader::seek_time(i64 ts_seq) {
    wanted_seq_ = 0;
    start_at_last([&](const SegmentHeader&, const FrameView& first) { return first && first.header->ts_seq < ts_seq; });
}

// By halves: a packed segment is unpacked to be asked.
void JournalReader::start_at_last(const Test& is_early_enough) {
    number_ = 0;
    const std::vector<u64> all = numbers();
    const auto after =
        std::partition_point(all.begin(), all.end(), [&](u64 number) { return passes(number, is_early_enough); });
    if (!all.empty()) open_segment(after == all.begin() ? all.front() : *(after - 1));
}

// A segment that has not been begun passes none.
bool JournalReader::passes(u64 number, const Test& test) const {
    const bool is_in_hot = !hot_dir_.empty() && file_exists(hot_dir_ + "/" + segment_name(number));
    const OpenSegment opened = openbell::open_segment(is_in_hot ? hot_dir_ : journal_dir_, number);
    const Bytes bytes = opened.mapping->bytes();
    SegmentHeader header;
    if (!read_segment_header(bytes, number, header)) return false;
    const bool has_frame = look_at(bytes, kSegmentHeaderBytes, header.first_seq, false).slot == Slot::Frame;
    return test(header, has_frame ? FrameView(frame_at(bytes, kSegmentHeaderBytes)) : FrameView());
}

}  // namespace openbell
