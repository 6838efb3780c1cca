// ITCH 5.0 messages -> records, written where the caller wants them (a frame of the journal).
//
// Only subscribed symbols become records; the rest is counted and dropped before it is journalled. An
// instrument is announced once by its Stock Directory message; the node gives it an id and `assign`s it to
// its locate, and from then on its messages are emitted.
//
// | ITCH | record         | flags                 | order_id           | px        | qty      | ref           |
// |------|----------------|-----------------------|--------------------|-----------|----------|---------------|
// | A F  | BookAdd        | kBuy                  | reference          | price     | shares   | F: MPID       |
// | E    | BookExecute    | kAtOrderPx kPrintable | reference          | 0         | executed | match         |
// | C    | BookExecute    | kPrintable            | reference          | execution | executed | match         |
// | X    | BookCancel     |                       | reference          | 0         | taken    |               |
// | D    | BookCancel     | kWhole                | reference          | 0         | 0        |               |
// | U    | BookModify     |                       | old reference      | price     | total    | new reference |
// | P    | Trade          | kPrintable kBuy       | reference          | price     | shares   | match         |
// | Q    | Trade          | kPrintable            | cross type         | cross     | shares   | match         |
// | B    | TradeBust      |                       |                    |           |          | match         |
// | H    | Status         |                       | reason             |           |          | TradingState  |
// | S    | Status         | no instrument         | event              |           |          | TradingState  |
// | h    | VenueHalt      | kHere                 | market, action     |           |          | TradingState  |
// | Y    | ShortSale      |                       | action             |           |          |               |
// | L    | Participant    |                       | MPID, primary, mode, state |   |          |               |
// | W    | Breaker        | no instrument         | level              |           |          | level         |
// | K    | IpoQuoting     |                       | qualifier          | price     |          | release, ns   |
// | N    | RetailInterest |                       | interest           |           |          |               |
// | I    | Imbalance      |                       | direction, cross, variation | reference | signed | paired |
//
// | ITCH | record         | flags                 | code               | px[0]     | px[1]    | px[2]         |
// |------|----------------|-----------------------|--------------------|-----------|----------|---------------|
// | I    | AuctionPrices, second |                | as of Imbalance    | far       | near     | reference     |
// | J    | AuctionCollar  |                       | extensions         | reference | lower    | upper         |
// | O    | DirectListing  | kEligible             | near time, ns      | lowest    | highest  | near          |
// | O    | AuctionCollar, second |                | 0                  | near      | lower    | upper         |
// | V    | BreakerLevels  | no instrument         | 0                  | level 1   | level 2  | level 3       |
//
// R is an `Instrument`. Letters stand in the lowest bytes, the first one lowest. The imbalance is negative
// where direction says S, positive else.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "feed/itch_orders.h"

namespace openbell {

// What a message made: nothing, up to three records (two, and what a check has to say), an `instrument()`.
enum class Emitted : u8 { None = 0, Market = 1, Two = 2, Three = 3, Instrument = 4 };
inline constexpr std::size_t kRecordsPerMessageMax = 3;

// What became of a run of messages.
struct Framed {
    std::size_t bytes = 0;    // used, whole messages
    std::size_t records = 0;  // written
    bool has_instrument = false;
    bool has_quarantined = false;
};

struct ItchCounters {
    u64 messages = 0;
    u64 markets = 0;       // records emitted, what checks say among them
    u64 instruments = 0;   // Stock Directory messages of subscribed symbols
    u64 unsubscribed = 0;  // dropped: of other symbols, or of a locate that was never assigned
    u64 unknown = 0;       // types of a later revision
    u64 malformed = 0;     // cut, or a quantity beyond 63 bits
};

class ItchFeed {
  public:
    // Times are `midnight_ns` (UTC ns of the exchange's midnight) plus ITCH's. Without symbols every
    // instrument is subscribed. `venue` is the index of the venue in the configuration.
    ItchFeed(std::vector<std::string> symbols, i64 midnight_ns, u16 venue, const EdgeConfig& checks = {});

    // `out` has room for kRecordsPerMessageMax. Instrument: `instrument()` holds it, without an id yet.
    Emitted on_message(Bytes message, Market* out);
    const Instrument& instrument() const { return instrument_; }

    // The instrument's locate stands for its id from now on.
    void assign(const Instrument& instrument);
    u32 instrument_of(u16 locate) const { return ids_[locate]; }
    // A new day: other midnight, other locates.
    void start_day(i64 midnight_ns);
    // After a message: what it left to be put aside, to be taken before the next one.
    EdgeChecks& checks() { return checks_; }
    const EdgeChecks& checks() const { return checks_; }

    const ItchCounters& counters() const { return counters_; }

    // The same for messages in Nasdaq's framing, length (2) then message. It ends where `out` may not hold what the
    // next one says, at a message that is cut, and behind one that announces an instrument or is put aside.
    Framed on_framed(Bytes data, std::span<Market> out);

  private:
    Emitted on_order(const itch50::OrderRow& row, Bytes message, Market* out);
    Emitted on_other(Bytes message, Market* out);
    bool is_subscribed(std::string_view symbol) const;
    Emitted announce(const itch50::StockDirectory& m);
    Emitted on_cut(Bytes message, Market* out);
    Emitted judged(u8 doubt, u8 look, Bytes message, Market* out, std::size_t count);
    template <class M>
    Emitted emit(const M& m, Bytes message, Market* out);
    template <class M>
    u32 instrument_of(const M& m) const;

    static constexpr std::size_t kLocates = 65536;  // all that two bytes can say

    std::vector<std::string> symbols_;                             // sorted
    std::vector<u32> ids_;                                         // by locate; kNoInstrument: dropped
    std::vector<itch50::Symbol> names_;                            // by locate, of those that have an id
    std::array<itch50::OrderRow, 256> rows_ = itch50::kOrderRows;  // less those of messages that are left out
    std::array<bool, 256> is_left_out_{};                          // by type of message
    EdgeChecks checks_;
    i64 midnight_ns_;
    u16 venue_;
    Instrument instrument_{};
    ItchCounters counters_;
};

}  // namespace openbell
