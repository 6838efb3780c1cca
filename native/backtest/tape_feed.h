// The frames of a tape, read once, for two who are told of them at different times: the venue, where they happen, and
// us, one latency later. What lies between waits here, as views into the mapped tape.
#pragma once

#include <deque>
#include <vector>

#include "journal/reader.h"

namespace openbell {

class TapeFeed {
  public:
    // Throws Journal when there is no frame.
    explicit TapeFeed(const std::string& tape_dir);

    // The next frame of each; null at the end of the tape. Ours is never ahead of the venue's.
    const FrameView& at_venue() const { return frames_[venue_ & mask_]; }
    const FrameView& at_us() const { return frames_[us_ & mask_]; }
    void pass_venue() {
        ++venue_;
        read();
    }
    void pass_us() {
        ++us_;
        if (us_ == next_mapping_) let_go();
    }

  private:
    static constexpr std::size_t kFramesAtFirst = 64;  // grows to what happens in one latency
    static constexpr u64 kNever = ~u64(0);
    struct Held {
        u64 first;  // number of the first frame in it
        std::shared_ptr<const Mapping> mapping;
    };
    void read();
    void hold();
    void let_go();
    void grow();

    JournalReader reader_;
    std::vector<FrameView> frames_;  // numbers us_ to venue_, each at its number modulo the size
    u64 mask_ = kFramesAtFirst - 1;
    std::deque<Held> mappings_;  // that these lie in
    const Mapping* newest_ = nullptr;
    u64 next_mapping_ = kNever;  // number of the first frame that lies in the second of them
    u64 venue_ = 0;
    u64 us_ = 0;
};

}  // namespace openbell
