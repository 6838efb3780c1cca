// What other limits would have said of every order, each judged against what really happened until then.
//
// Two engines play the journal with the same recorded intents, the second one under other limits. Where they decide
// differently the difference is counted and the second engine goes on from the state of the first: what would have
// followed from an order that never was, nobody knows.
#pragma once

#include <memory>

#include "node/replay.h"

namespace openbell {

struct WhatIfReport {
    u64 frames = 0;
    u64 judged = 0;                 // orders, in the range
    u64 now_refused = 0;            // that passed then
    u64 now_passes = 0;             // that were refused then
    bool is_cut = false;            // so many frames differ that the rest was not looked at
    std::vector<Otherwise> others;  // verdicts, the first of those
};

class WhatIfLimits {
  public:
    static constexpr u64 kResumedMax = 100'000;
    struct Line {
        std::string symbol;  // empty: of no instrument
        Limit record;
    };

    WhatIfLimits(const EngineCapacity& capacity, std::vector<Line> lines);

    // Both begin at a snapshot instead of the first frame.
    void load(Bytes state);
    void compare_from(u64 seq) { compares_from_ = seq; }
    // The next frame of the journal; false once the report is cut.
    bool feed(const FrameView& frame);
    void finish();
    u64 seq() const { return then_.seq(); }
    const WhatIfReport& report() const { return report_; }

  private:
    void settle(const FrameView& out);
    void compare(u64 seq, const Decision& then, const Decision& now);
    void follow();
    void give(const Line& line, u32 instrument);
    void resume();

    Engine then_;  // as it was
    Engine now_;   // under the other limits
    RecordedStrategies recorded_then_, recorded_now_;
    std::vector<Line> lines_;
    std::vector<u8> in_;  // the pending IN frame
    bool has_pending_ = false;
    bool is_limited_ = false;  // has been given those of no instrument in this epoch
    u32 instruments_limited_ = 0;
    u64 compares_from_ = 0;
    u64 resumed_ = 0;
    WhatIfReport report_;
};

}  // namespace openbell
