// One market-data feed: datagrams of its lines in, frames to the driver out. Sits between net and engine, live only.
//
// What is missing is, in this order, waited for on the other line, asked for at the request server, and given up. After
// that only a snapshot helps: what the feed says meanwhile is kept, the snapshot builds the books anew, and what was
// kept follows from the snapshot's number on. Books are not valid from the first missing message to the end of this.
//
//   Live --lost--> Reading --End of Snapshot--> Splicing --nothing is kept any more--> Live
//                  (a further loss, or a buffer too small, begins the Reading anew)
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>

#include "feed/live_buffer.h"
#include "node/feed_frames.h"
#include "node/ports.h"
#include "node/snapshot_session.h"

namespace openbell {

class FeedHandler final : private MoldListener, private GlimpseListener {
  public:
    static constexpr std::size_t kBatch = 64;  // datagrams of a line and poll: reports and control get their turn

    struct Config {
        FeedFrames::Config frames;
        Address retransmit;  // port 0: none
        MoldConfig mold;
        std::vector<u32> senders;  // addresses that lines are heard from; empty: all
        // The venue's days from the first one on: a session that begins later is of the day that has begun by then.
        struct Day {
            i64 midnight_ns = 0;
            Control trading_day{};  // to be journalled when it begins, if it is one
        };
        std::vector<Day> days = {Day{}};
        i64 stale_ns = 0;  // silence of the lines after which books are not valid; 0: never
        SnapshotSession::Config snapshots;
        std::size_t buffer_bytes = 64 << 20;  // of what is said during a snapshot
    };
    struct Counters {
        u64 strangers = 0;                         // datagrams of addresses that are no senders
        std::array<i64, line::kCount> heard_ns{};  // when each line said something
        i64 waited_ns = 0;                         // the oldest datagram of the last batch, in its socket
        i64 waited_ns_max = 0;
        u64 restarts = 0;  // of a reading, by a further loss
        u64 sessions = 0;  // that began, the first included
        u64 silences = 0;  // longer than `stale_ns`
        u64 mendings = 0;  // of books that contradicted the feed, by snapshots
    };

    FeedHandler(const Config& config, const FeedPorts& ports, ItchFeed& feed, Driver& driver, const Engine& engine,
                Clock& clock);

    // Expects the message after the last one that the engine has applied. A session that is given is the only one;
    // without, the known one goes on until it has ended.
    void start(std::string_view session);
    // Receives one batch; how many datagrams there were, or whether a snapshot made progress.
    std::size_t poll();
    // Asked after each datagram: a batch of them may keep the strategies busy for long, and a kill waits for nobody.
    void set_between(std::function<void()> ask) { between_ = std::move(ask); }
    void tick(i64 now_ns);
    i64 deadline_ns() const;
    // Stamps of the kernel are of the wall clock: what to add to have our time.
    void set_stamp_offset(i64 ns) { stamp_offset_ns_ = ns; }

    const MoldReceiver& receiver() const { return receiver_; }
    const Counters& counters() const { return counters_; }
    const SnapshotSession* snapshots() const { return snapshots_ ? &*snapshots_ : nullptr; }
    bool is_recovering() const { return phase_ != Phase::Live; }
    bool is_stale() const { return is_stale_; }
    const ItchFeed& feed() const { return feed_; }
    u64 instruments_refused() const { return frames_.instruments_refused(); }

  private:
    enum class Phase : u8 { Live, Reading, Splicing };
    static constexpr std::size_t kSplicedPerPoll = 256;  // packets

    void on_session(const mold::Session& session) override;
    void on_messages(const Delivery& delivery) override;
    void on_gap(u64 from, u64 to) override { frames_.gap(from, to, 0); }
    void on_recovered(u64 next) override;
    void on_lost(u64 from, u64 to) override;
    void on_end_of_session(u64 next) override { frames_.ended(next); }

    void on_snapshot_begin() override { frames_.begin_rebuild(); }
    void on_snapshot_message(Bytes message) override { frames_.add_snapshot(message); }
    bool on_snapshot_end(u64 next_seq) override;

    std::size_t receive();
    std::size_t receive_answers();
    void take(const Datagram& datagram, u8 line, i64 now_ns);
    i64 arrival_of(const Datagram& datagram, i64 now_ns) const;
    bool is_sender(const Address& from) const;
    void hear(i64 now_ns);
    void watch_silence(i64 now_ns);
    void say_stale();
    void send_requests();

    void start_day();
    void mend(i64 now_ns);
    void begin_recovery(u64 next_seq);
    bool poll_recovery(i64 now_ns);
    bool splice();

    Config config_;
    FeedPorts ports_;
    const ItchFeed& feed_;
    const Engine& engine_;
    Clock& clock_;
    FeedFrames frames_;
    MoldReceiver receiver_;
    std::vector<std::vector<Datagram>> batches_;  // one a line
    std::vector<Datagram> answers_;
    std::function<void()> between_ = [] {};
    std::optional<SnapshotSession> snapshots_;
    std::optional<LiveBuffer> buffer_;
    Phase phase_ = Phase::Live;
    std::size_t day_ = 0;
    u32 mendings_ = 0;  // one after the other
    i64 mended_ns_ = 0;
    i64 next_mending_ns_ = 0;
    std::string to_announce_;  // a configured session that the engine has not heard of yet
    bool is_asking_ = false;   // answers may come
    i64 asked_ns_ = 0;
    i64 stamp_offset_ns_ = 0;
    bool is_stale_ = false;
    bool was_away_ = false;  // nobody heard the session while no process was there
    i64 heard_ns_ = 0;       // the session, on any line
    u64 heard_packets_ = 0;
    Counters counters_;
};

}  // namespace openbell
