// An engine in another process that follows a journal: the monitor's view, and who makes snapshots (law 14).
#pragma once

#include "node/replay.h"

namespace openbell {

class Follower {
  public:
    Follower(const EngineCapacity& capacity, const std::string& journal_dir, const std::string& hot_dir)
        : engine_(capacity), reader_(journal_dir, hot_dir), replay_(std::make_unique<Replay>(engine_)) {}

    // Starts from a snapshot instead of the first frame. Before the first `poll`.
    void load(Bytes state) {
        StateReader in(state);
        engine_.load(in);
        reader_.seek(engine_.seq() + 1);
        replay_ = std::make_unique<Replay>(engine_);
    }
    // Plays what has been committed; the last frame waits until its successor is known.
    u64 poll(u64 frames_max) {
        u64 n = 0;
        for (; n < frames_max; ++n) {
            const FrameView frame = reader_.next();
            if (!frame) break;
            replay_->feed(frame);
        }
        return n;
    }
    const Engine& engine() const { return engine_; }
    const ReplayReport& report() const { return replay_->report(); }

  private:
    Engine engine_;
    JournalReader reader_;
    std::unique_ptr<Replay> replay_;
};

}  // namespace openbell
