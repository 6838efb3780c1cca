// Feed to arrays: receives, decodes and keeps everything, for tests and tools. Not for the hot path.
#pragma once

#include <string>
#include <vector>

#include "feed/itch_feed.h"
#include "feed/mold_receiver.h"

namespace openbell {

struct FeedEvent {
    std::string what;  // session, gap, recovered, lost, end
    u64 from = 0;
    u64 to = 0;
};

class Collector final : public MoldListener {
  public:
    explicit Collector(ItchFeed& itch) : itch_(itch) {}

    void on_session(const mold::Session&) override { events.push_back({"session"}); }
    void on_messages(const Delivery& delivery) override {
        delivery.for_each([this](u64 seq, Bytes message) { on_message(seq, message); });
    }
    void on_gap(u64 from, u64 to) override { events.push_back({"gap", from, to}); }
    void on_recovered(u64 next) override { events.push_back({"recovered", next, next}); }
    void on_lost(u64 from, u64 to) override { events.push_back({"lost", from, to}); }
    void on_end_of_session(u64 next) override { events.push_back({"end", next, next}); }

    // Instruments get ids in the order of their announcement, a symbol announced again keeps its own.
    void on_message(u64 seq, Bytes message) {
        seqs.push_back(seq);
        Market out[kRecordsPerMessageMax];
        const Emitted emitted = itch_.on_message(message, out);
        if (emitted == Emitted::Instrument) return add_instrument(itch_.instrument());
        markets.insert(markets.end(), out, out + std::size_t(emitted));
        take_quarantined();
    }
    void take_quarantined() {
        if (itch_.checks().has_quarantined()) quarantined.push_back(itch_.checks().take_quarantined());
    }

    void add_instrument(Instrument instrument) {
        instrument.instrument = itch_.instrument_of(u16(instrument.locate));
        if (instrument.instrument == kNoInstrument) instrument.instrument = next_id_++;
        itch_.assign(instrument);
        instruments.push_back(instrument);
    }

    std::vector<u64> seqs;  // of every message delivered
    std::vector<Market> markets;
    std::vector<Instrument> instruments;
    std::vector<Quarantined> quarantined;
    std::vector<FeedEvent> events;

  private:
    ItchFeed& itch_;
    u32 next_id_ = 0;
};

}  // namespace openbell
