// One market-data feed: datagrams in, frames to the driver out. Sits between net and engine, live only.
#pragma once

#include "feed/itch_feed.h"
#include "feed/mold_receiver.h"
#include "net/ports.h"
#include "node/driver.h"

namespace openbell {

class FeedHandler final : private MoldListener {
  public:
    static constexpr std::size_t kBatch = 64;  // datagrams a poll: reports and control get their turn

    struct Config {
        u16 source = source::kFeed;
        u16 venue = 0;
        u32 instruments_max = 64;
        Address retransmit;  // port 0: none
        MoldConfig mold;
    };
    FeedHandler(const Config& config, DatagramPort& port, ItchFeed& feed, Driver& driver, const Engine& engine,
                Clock& clock);

    // Expects the message after the last one that the engine has applied.
    void start(std::string_view session);
    // Receives one batch; how many datagrams there were.
    std::size_t poll();
    void tick(i64 now_ns);
    i64 deadline_ns() const { return receiver_.deadline_ns(); }
    const MoldReceiver& receiver() const { return receiver_; }
    u64 instruments_refused() const { return instruments_refused_; }

  private:
    void on_session(const mold::Session& session) override;
    void on_messages(const Delivery& delivery) override;
    void on_gap(u64 from, u64 to) override;
    void on_recovered(u64 next) override;
    void on_lost(u64 from, u64 to) override;
    void on_end_of_session(u64) override {}

    void take(u64 number, Bytes message, i64 ts_recv);
    void flush(u64 number, i64 ts_recv);
    void introduce(Instrument instrument, u64 number);
    void say(Type type, u64 from, u64 to, u32 code);
    void send_requests();

    Config config_;
    DatagramPort& port_;
    ItchFeed& feed_;
    Driver& driver_;
    const Engine& engine_;
    Clock& clock_;
    MoldReceiver receiver_;
    std::vector<Datagram> batch_;
    FrameHeader* frame_ = nullptr;  // being filled, in the journal
    u32 count_ = 0;
    u64 instruments_refused_ = 0;
};

}  // namespace openbell
