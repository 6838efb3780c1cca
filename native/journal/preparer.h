// Makes the next segment ready while the present one is written, and unlinks archived ones, so that the
// trading thread never waits for the kernel to find, clear and map pages.
#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "journal/control.h"

namespace openbell {

// Hot segments that stay after they are archived, for readers a little behind.
inline constexpr u64 kHotSegmentsKept = 2;

class SegmentPreparer {
  public:
    struct Plan {
        std::string dir;
        u64 segment_bytes;
        u32 segments_max;
        const ControlPage* control;  // nullptr: plain files
        bool is_on_demand;           // made in the caller's thread, when they are taken
    };
    explicit SegmentPreparer(Plan plan) : plan_(std::move(plan)) {}
    ~SegmentPreparer();

    // Asks for segment `number`; `old` is unmapped on the way. Trading thread.
    void want(u64 number, Mapping old);
    // The segment asked for; empty while hot space is full (the archiver is behind) or cannot be had.
    // Waits while it is being made. Trading thread.
    Mapping take();

  private:
    enum State : u32 { kIdle, kWanted, kReady, kFull, kStopped };
    void start();
    void run();
    bool prepare();
    void unlink_archived(u64 durable_segment);
    Mapping make(bool resident) const;

    Plan plan_;
    // Owner by state: the trading thread in kIdle and kReady, the preparer in kWanted and kFull. What wakes the
    // preparer (kWanted, kStopped) is stored sequentially consistent: a release store can be overtaken by the
    // look of notify_all whether anyone waits, and then nobody wakes.
    u64 number_ = 0;
    Mapping old_;
    Mapping ready_;
    std::atomic<u32> state_{kIdle};
    std::thread thread_;
};

}  // namespace openbell
