// Messages of one feed -> frames of the journal, through the driver: what is live, what is of a snapshot, and what is
// to be said of gaps.
#pragma once

#include "feed/itch_feed.h"
#include "feed/mold_receiver.h"
#include "node/driver.h"

namespace openbell {

class FeedFrames final : private BookedOrders {
  public:
    struct Config {
        u16 source = source::kFeed;
        u16 venue = 0;
        u32 instruments_max = 64;
    };
    FeedFrames(const Config& config, ItchFeed& feed, Driver& driver, const Engine& engine, Clock& clock);

    // The instruments that the journal knows: after a restart the directory is not said again.
    void assign_known();
    // Goes on in a session of which an earlier process has journalled a part.
    void resume() { feed_.checks().resume(*this); }
    // Another session than before, of a day that began then; the record says which, if it is one.
    void start_day(i64 midnight_ns, const Control& trading_day);

    void connected(std::string_view session);
    void ended(u64 next_seq);
    void gap(u64 from, u64 to, u32 code);
    void recovered(u64 next_seq);

    // What follows was received now.
    void set_received(i64 now_ns) { driver_.set_received(now_ns); }
    // One frame for the messages of a datagram; more where an instrument is announced among them.
    void add(const Delivery& delivery);

    // Books are invalid and empty, then grow with each message, and are valid with `end_rebuild`, which is of the
    // moment before `next_seq`. `gap_to` beyond it: messages up to there are missing already.
    void begin_rebuild();
    void add_snapshot(Bytes message);
    void flush_snapshot() { flush(kUnnumbered, 0); }  // before anybody else writes a frame
    void end_rebuild(u64 next_seq, u64 gap_to);

    u64 instruments_refused() const { return instruments_refused_; }

  private:
    static constexpr u64 kUnnumbered = 0;  // messages of a snapshot have no number in the feed
    static constexpr u32 kSnapshotRecordsPerFrame = 256;
    static constexpr u32 kRecordsPerFrame = 4096;  // of a large datagram the rest comes in a frame of its own
    static_assert(sizeof(FrameHeader) + (kRecordsPerFrame + kRecordsPerMessageMax) * sizeof(Market) <= kFrameBytesMax);

    bool holds(u32 instrument, u64 order_id) const override;
    void take(u64 number, Bytes message, i64 ts_recv, u8 flags);
    void put(const Market& record);
    void put_aside(const Quarantined& record, u64 number, i64 ts_recv);
    void flush(u64 number, i64 ts_recv);
    void introduce(Instrument instrument, u64 number, i64 ts_recv);
    u32 asset_of(std::string_view symbol, u32 id) const;
    Control control(Type type, u64 from, u64 to, u32 code) const;

    Config config_;
    ItchFeed& feed_;
    Driver& driver_;
    const Engine& engine_;
    Clock& clock_;
    FrameHeader* frame_ = nullptr;  // being filled, in the journal
    u32 count_ = 0;
    u64 instruments_refused_ = 0;
};

}  // namespace openbell
