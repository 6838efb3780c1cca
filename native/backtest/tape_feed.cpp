#include "backtest/tape_feed.h"

#include "big_array.h"

namespace openbell {
namespace {

constexpr std::size_t kAheadBytes = 1024;  // the processor's own prefetch stops at each page: 36 frames of one record

}  // namespace

TapeFeed::TapeFeed(const std::string& tape_dir) : reader_(tape_dir), frames_(kFramesAtFirst) {
    read();
    if (!at_venue()) throw Error(ErrorKind::Journal, "tape " + tape_dir + ": expected frames, found none; import one");
}

void TapeFeed::read() {
    if (venue_ - us_ > mask_) grow();
    const FrameView frame = frames_[venue_ & mask_] = reader_.next();
    if (!frame) return;
    const u8* ahead = frame.records + kAheadBytes;
    prefetch_line(ahead);
    prefetch_line(ahead + 64);
    if (reader_.mapping().get() != newest_) hold();
}

void TapeFeed::grow() {
    std::vector<FrameView> larger(frames_.size() * 2);
    for (u64 n = us_; n != venue_; ++n) larger[n & (larger.size() - 1)] = frames_[n & mask_];
    frames_ = std::move(larger);
    mask_ = frames_.size() - 1;
}

void TapeFeed::hold() {
    mappings_.push_back({venue_, reader_.mapping()});
    newest_ = reader_.mapping().get();
    if (mappings_.size() == 2) next_mapping_ = venue_;
}

void TapeFeed::let_go() {
    mappings_.pop_front();
    next_mapping_ = mappings_.size() > 1 ? mappings_[1].first : kNever;
}

}  // namespace openbell
