// A tape played through the books once, for whoever counts what it did: bars, features.
//
// It follows the engine (engine/happened.cpp) in what makes a book invalid: a gap of its feed until it is recovered, a
// loss until a snapshot has built the book anew, a record that contradicts it until it is cleared.
#pragma once

#include <limits>
#include <optional>
#include <string>

#include "book/books.h"
#include "journal/reader.h"

namespace openbell {

// A trade that counts as volume.
struct Print {
    i64 px;
    i64 qty;
    int sign;  // of the aggressor: +1 bought, -1 sold, 0 nobody or not known
};

// What is told of each record, before the next one is applied. `ts` is the time by the pass's clock.
class MarketSink {
  public:
    virtual void on_time(i64 ts) = 0;  // before the record at `ts` changes anything
    virtual void on_print(u32 instrument, i64 ts, const Print& print) = 0;
    // Price or quantity of a best changed, and the book was valid before and after.
    virtual void on_touch(u32 instrument, i64 ts, const Touch& before, const Touch& after) = 0;
    virtual void on_frame_end() = 0;

  protected:
    ~MarketSink() = default;
};

// Event: of the record, where the venue tells one. Receipt: of its frame.
enum class PassClock : u8 { Event, Receipt };
// Auto: the side of the resting order where the feed tells it, else as Lee and Ready.
enum class SignRule : u8 { Auto, LeeReady };

struct PassConfig {
    std::string tape_dir;
    u32 instruments_max = 0;
    u32 orders_max = 1 << 20;
    std::vector<u32> instruments;          // empty: all
    std::vector<u32> prints_without_side;  // instruments whose Trade records have a side that says nothing
    PassClock clock = PassClock::Event;
    SignRule sign_rule = SignRule::Auto;
    i64 end_ns = std::numeric_limits<i64>::max();  // what was received from here on need not be told
};

class MarketPass {
  public:
    explicit MarketPass(const PassConfig& config);

    // Applies the next frame and tells `sink`; false at the end of the tape. Throws Capacity when a table is full.
    bool step(MarketSink& sink);
    const Books& books() const { return books_; }
    // Records that contradicted their book, and the first of them.
    u64 faults() const { return faults_; }
    u64 first_fault_seq() const { return first_fault_seq_; }

  private:
    struct State {
        u16 feed = 0;
        bool is_wanted = false;
        u8 broken = 0;  // why its book is not valid whatever else is said: kLostMessages, kContradicted
        bool has_sided_prints = true;
        bool has_traded = false;
        i64 last_px = 0;
        int tick = 0;  // sign of the last change of the trade price
    };

    void look_ahead();
    void on_market(const Market& record, i64 ts, MarketSink& sink);
    void on_trade(const Market& record, i64 ts, MarketSink& sink);
    void on_large(const FrameView& frame, std::size_t i);
    void introduce(const Instrument& record, u16 feed);
    void on_gap(const Control& record, bool is_open);
    void on_session(const Control& record);
    void on_fault(u32 id, BookChange::Fault fault);
    void clear(u32 id, u8 flags);
    void print(const Market& record, i64 ts, i64 px, i64 qty, std::optional<int> told, const Touch& touch,
               MarketSink& sink);

    JournalReader reader_;
    FrameView ahead_;  // the next one to apply
    std::shared_ptr<const Mapping> ahead_lies_in_;
    std::shared_ptr<const Mapping> current_lies_in_;  // null: where the next one does
    Books books_;
    std::vector<State> states_;
    PassClock clock_;
    SignRule sign_rule_;
    i64 late_ns_;
    u64 seq_ = 0;
    u64 faults_ = 0;
    u64 first_fault_seq_ = 0;
    struct Feed {
        std::string session;
        bool is_rebuilding = false;  // a snapshot is on its way
    };
    std::vector<Feed> feeds_;
};

}  // namespace openbell
