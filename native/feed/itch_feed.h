// ITCH 5.0 messages -> records, written where the caller wants them (a frame of the journal).
//
// Only subscribed symbols become records; the rest is counted and dropped before it is journalled. An
// instrument is announced once by its Stock Directory message; the node gives it an id and `assign`s it to
// its locate, and from then on its messages are emitted.
//
// | ITCH | record      | flags                 | order_id            | px        | qty         | ref         |
// |------|-------------|-----------------------|---------------------|-----------|-------------|-------------|
// | A F  | BookAdd     | kBuy                  | reference           | price     | shares      |             |
// | E    | BookExecute | kAtOrderPx kPrintable | reference           | 0         | executed    | match       |
// | C    | BookExecute | kPrintable            | reference           | execution | executed    | match       |
// | X    | BookCancel  |                       | reference           | 0         | taken away  |             |
// | D    | BookCancel  | kWhole                | reference           | 0         | 0           |             |
// | U    | BookModify  |                       | old reference       | price     | new total   | new         |
// | P    | Trade       | kPrintable kBuy       | reference           | price     | shares      | match       |
// | Q    | Trade       | kPrintable            | cross type          | cross     | shares      | match       |
// | B    | TradeBust   |                       |                     |           |             | match       |
// | H    | Status      |                       | reason, 4 chars     |           |             | TradingState|
// | S    | Status      | no instrument         | event code          |           |             | TradingState|
// | I    | Imbalance   |                       | direction, cross, variation | reference | signed | paired   |
//
// Characters in order_id stand in the lowest bytes, the first one lowest.
#pragma once

#include <string>
#include <vector>

#include "records.h"
#include "wire/itch50.h"

namespace openbell {

enum class Emitted : u8 { None, Market, Instrument };

struct ItchCounters {
    u64 messages = 0;
    u64 markets = 0;       // records emitted
    u64 instruments = 0;   // Stock Directory messages of subscribed symbols
    u64 unsubscribed = 0;  // dropped: of other symbols, or of a locate that was never assigned
    u64 ignored = 0;       // known types that make no record
    u64 unknown = 0;       // types of a later revision
    u64 malformed = 0;     // cut, or a quantity beyond 63 bits
};

class ItchFeed {
  public:
    // Times are `midnight_ns` (UTC ns of the exchange's midnight) plus ITCH's. Without symbols every
    // instrument is subscribed. `venue` is the index of the venue in the configuration.
    ItchFeed(std::vector<std::string> symbols, i64 midnight_ns, u16 venue);

    // Market: `out` holds the record. Instrument: `instrument()` does, without an id yet.
    Emitted on_message(Bytes message, Market& out);
    const Instrument& instrument() const { return instrument_; }

    void assign(u16 locate, u32 instrument_id) { ids_[locate] = instrument_id; }
    u32 instrument_of(u16 locate) const { return ids_[locate]; }
    // A new day: other midnight, other locates.
    void start_day(i64 midnight_ns);

    const ItchCounters& counters() const { return counters_; }

  private:
    bool is_subscribed(std::string_view symbol) const;
    Emitted announce(const itch50::StockDirectory& m);

    static constexpr std::size_t kLocates = 65536;  // all that two bytes can say

    std::vector<std::string> symbols_;  // sorted
    std::vector<u32> ids_;              // by locate; kNoInstrument: dropped
    i64 midnight_ns_;
    u16 venue_;
    Instrument instrument_{};
    ItchCounters counters_;
};

}  // namespace openbell
