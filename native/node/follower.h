// An engine in another process that follows a journal: the monitor's view, who makes snapshots (law 14), and the
// standby, which runs the strategies again as it goes and compares.
#pragma once

#include "node/replay.h"

namespace openbell {

class Follower {
  public:
    Follower(const EngineCapacity& capacity, const std::string& journal_dir, const std::string& hot_dir,
             IntentSource* again = nullptr)
        : again_(again),
          engine_(capacity),
          reader_(journal_dir, hot_dir),
          replay_(std::make_unique<Replay>(engine_, again)),
          updates_(capacity.instruments_max) {}

    // Starts from a snapshot instead of the first frame. Before the first `poll`.
    void load(Bytes state) {
        StateReader in(state);
        engine_.load(in);
        reader_.seek(engine_.seq() + 1);
        replay_ = std::make_unique<Replay>(engine_, again_);
    }
    // Tells `witness` of every frame from here on; the engine then stands at the newest frame as soon as it is there.
    // After `load`, before the first `poll`.
    void add_witness(Witness& witness) { replay_->add_witness(witness); }
    // Plays what has been committed; without a witness the last frame waits until its successor is known.
    u64 poll(u64 frames_max) {
        u64 n = 0;
        for (; n < frames_max; ++n) {
            const FrameView frame = reader_.next();
            if (!frame) break;
            bytes_ += frame.header->length;
            count_updates(frame);
            replay_->feed(frame);
        }
        return n;
    }
    const Engine& engine() const { return engine_; }
    const ReplayReport& report() const { return replay_->report(); }
    u64 bytes() const { return bytes_; }  // of the journal, played
    // Market records played of each instrument: whoever looks now and then sees how many one look stands for.
    const std::vector<u64>& updates() const { return updates_; }

  private:
    void count_updates(const FrameView& frame) {
        if (frame.header->record_size != sizeof(Market)) return;
        for (std::size_t i = 0; i < frame.count(); ++i)
            if (const u32 id = frame.as<Market>(i).instrument; id < updates_.size()) ++updates_[id];
    }

    IntentSource* again_;
    Engine engine_;
    JournalReader reader_;
    std::unique_ptr<Replay> replay_;
    u64 bytes_ = 0;
    std::vector<u64> updates_;  // by instrument
};

}  // namespace openbell
