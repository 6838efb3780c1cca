// The feed: what happened at the venue, as ITCH 5.0 messages in a log from which lines and retransmissions are served.
//
// Only what is displayed is public. An order stands on the feed under the engine's `shown_ref`; a hidden one that
// trades is a Trade (P); who trades in an auction loses shares by C that are not printable, and the print is one Q.
#pragma once

#include <string>
#include <vector>

#include "exchange/day/circuit_breaker.h"
#include "exchange/matching/match_event.h"
#include "exchange/matching/uncross.h"
#include "exchange/message_log.h"
#include "wire/itch50.h"

namespace openbell::exchange {

// Time as the venue tells it.
struct VenueClock {
    i64 midnight_ns = 0;
    i64 now_ns = 0;
    i64 shift_ns = 0;  // reported times are so far off: a fault on command

    u64 since_midnight() const {
        const i64 ns = now_ns - midnight_ns + shift_ns;
        return ns > 0 ? u64(ns) : 0;
    }
};

class ItchOut {
  public:
    // `is_silent`: a tape that is passed through is all that is published.
    ItchOut(ChunkStore& store, std::size_t messages_max, const VenueClock& clock, bool is_silent)
        : log_(store, messages_max), clock_(clock), is_silent_(is_silent) {}

    void add_instrument(const std::string& symbol, u32 round_lot);
    itch50::Symbol symbol(u32 instrument) const { return instruments_[instrument].symbol; }

    void system_event(char event);
    void directory();
    // `state`: H halted, P paused, Q quotation only, T trading.
    void trading_action(u32 instrument, char state, Alpha<4> reason = {});
    void order_event(const MatchEvent& e);
    void broken_trade(u32 instrument, u64 match_number);
    void imbalance(u32 instrument, Auction auction, const Indication& indication);
    // The range of a reopening auction after a volatility pause, and how often it was extended.
    void collar(u32 instrument, i64 reference, i64 lo, i64 hi, u32 extensions);
    // Market-wide circuit breaker: the index at its levels (8 decimals), and one that was breached.
    void breaker_levels(const std::array<i64, kBreakerLevels>& levels);
    void breaker_status(u8 level);

    // A message of somebody else's, as it is.
    void pass(Bytes message) { log_.append(message); }

    const MessageLog& log() const { return log_; }
    MessageLog& log() { return log_; }

  private:
    struct Listed {
        itch50::Symbol symbol;
        u32 round_lot;
    };

    itch50::Head head(u32 instrument) const { return {u16(instrument + 1), 0, clock_.since_midnight()}; }
    template <class Message>
    void publish(const Message& message);
    void add(const MatchEvent& e);
    void executed(const MatchEvent& e);
    void crossed(u32 instrument, u64 shown_ref, const MatchEvent& e);
    void reduced(u32 instrument, u64 shown_ref, i64 shown_qty, bool is_gone);
    void replaced(const MatchEvent& e);
    void repriced(const MatchEvent& e);

    MessageLog log_;
    const VenueClock& clock_;
    bool is_silent_;
    std::vector<Listed> instruments_;
};

}  // namespace openbell::exchange
