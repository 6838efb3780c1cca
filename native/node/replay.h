// Plays a journal's frames through an engine again: recovery, snapshots, verification (law 3).
//
// Core replay needs no Python: strategies are the records they left. Given strategies to run again, it
// compares what they say now with what they said then.
#pragma once

#include "engine/engine.h"
#include "journal/reader.h"
#include "strategy/recorded.h"

namespace openbell {

// Where a replay first said something else than the journal does.
struct Difference {
    u64 seq = 0;     // of the IN frame; 0: nowhere
    u32 record = 0;  // its place among those compared
    u32 expected_count = 0;
    u32 found_count = 0;
    std::vector<u8> expected;  // the record of the journal, and the one of the replay; empty: none there
    std::vector<u8> found;
};

// A frame about which something else is said: the large records of then and those of now.
struct Otherwise {
    u64 seq = 0;
    std::vector<u8> then, now;
};
inline constexpr std::size_t kOthersMax = 10'000;  // of them are kept

inline void keep(std::vector<Otherwise>& others, u64 seq, Bytes then, Bytes now) {
    if (others.size() < kOthersMax) others.push_back({seq, {then.begin(), then.end()}, {now.begin(), now.end()}});
}

// The first of the large records that differs between `then` and `now`.
Difference first_difference(u64 seq, Bytes then, Bytes now);
// A decision without its last record, which hashes all that were made before.
inline Bytes without_hash(Bytes decision) {
    return decision.empty() ? decision : decision.first(decision.size() - kLargeRecord);
}

struct ReplayReport {
    u64 frames_in = 0;
    u64 frames_out = 0;
    u64 last_seq = 0;
    u64 strategy_frames = 0;  // frames on which strategies were run again
    u64 bytes_after = 0;      // of a torn end: bytes after the last whole frame, at `end_offset` of `end_path`
    u64 end_offset = 0;
    std::string end_path;
    Difference core;                // the first decision
    Difference strategy;            // what strategies said, run again
    u64 core_frames = 0;            // decided otherwise; that an earlier decision differed does not count again
    u64 strategy_differs = 0;       // frames on which strategies said something else
    std::vector<Otherwise> others;  // the first of those
    u64 acknowledged_at = 0;        // a person accepted all differences up to here: from this frame on, this core
};

// Who is told of every frame as soon as it is fed: when the engine has heard it, and when its decision is known too.
class Witness {
  public:
    virtual ~Witness() = default;
    virtual void heard(const FrameView& in, const Engine& engine) = 0;
    virtual void answered(const FrameView& in, const Engine& engine) = 0;
};

class Replay final : private IntentSource {
  public:
    // `again` may be null: core replay only. A `tape` fills the sequence numbers that the journal skips.
    Replay(Engine& engine, IntentSource* again = nullptr, JournalReader* tape = nullptr, i64 feed_ns = 0);

    // Full state hashes cover the sizes of the tables too. Without them an engine of other capacities may follow.
    void compare_decisions_only() { compares_state_ = false; }

    // Frames before this one are played and not compared.
    void compare_from(u64 seq) { compares_from_ = seq; }

    // With one, the engine hears a frame at once, and answers it when its successor is known. Before the first `feed`.
    void add_witness(Witness& witness) { witnesses_.push_back(&witness); }

    // The next frame in the journal's order. An IN frame is decided when its successor is known.
    void feed(const FrameView& frame);
    // No frame follows: the pending one had no decision, or the process died before it had one.
    void finish();
    // No decision follows about the pending frame, although more frames do.
    void settle_last() { settle_pending(); }
    bool has_pending() const { return has_pending_; }
    const ReplayReport& report() const { return report_; }

  private:
    void decide(const FrameView&, const Happened&, const World&, Decision& out) override;
    void settle(const FrameView& out, bool is_cut);
    void settle_pending();
    void hear_pending();
    void play_tape(u64 up_to_seq);
    void compare(const FrameView& recorded, const Decision& now, u64 seq);
    void accept_differences(const FrameView& in);
    FrameView pending() const;

    Engine& engine_;
    IntentSource* again_;
    JournalReader* tape_;
    i64 feed_ns_;
    std::vector<Witness*> witnesses_;
    RecordedStrategies recorded_;
    FrameView recorded_out_;
    FrameView deciding_;
    Decision scratch_;
    bool run_again_ = false;
    bool compares_state_ = true;
    u64 compares_from_ = 0;
    std::vector<u8> in_;  // the pending IN frame, copied: its segment may go
    FrameHeader tape_header_{};
    const u8* tape_records_ = nullptr;
    bool has_pending_ = false;
    bool is_tape_pending_ = false;
    u64 next_seq_ = 0;
    ReplayReport report_;
};

// Brings `engine` to the end of the journal at these directories, from where it stands (a snapshot, or new).
// A last IN frame without its decision is left for the driver to complete: nothing was sent for it, and the
// strategies that live now decide it.
ReplayReport recover(Engine& engine, const std::string& journal_dir, const std::string& hot_dir, u64 up_to_seq);

}  // namespace openbell
