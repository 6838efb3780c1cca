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
    if (venue_ - us_ == frames_.size()) grow();
    const FrameView frame = reader_.next();
    frames_[venue_ & mask()] = frame;
    if (!frame) return;
    const u8* ahead = frame.records + kAheadBytes;
    prefetch_line(ahead);
    prefetch_line(ahead + 64);
    if (mappings_.empty() || mappings_.back().mapping != reader_.mapping())
        mappings_.push_back({venue_, reader_.mapping()});
}

void TapeFeed::grow() {
    std::vector<FrameView> larger(frames_.size() * 2);
    for (u64 n = us_; n != venue_; ++n) larger[n & (larger.size() - 1)] = frames_[n & mask()];
    frames_ = std::move(larger);
}

}  // namespace openbell
