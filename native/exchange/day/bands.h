// Limit up, limit down of one instrument: price bands that follow the market, the limit state, the pause and its
// reopening. Sans I/O. Rules: docs/rulebook.md, Price bands.
//
// The owner takes what is due with `next(now)` until nothing is, then tells what happened at `now` (trades, the touch),
// then takes again. So what the bands do depends on the market and never on how often somebody looked.
//
// The mean is exact: the trades of the last `window_s` whole seconds, each once whatever its size, looked at when a
// second begins. It needs two numbers per second of the window, however many trades there are.
//
// Source: Plan to Address Extraordinary Market Volatility (LULD plan), with amendments 10 and 18.
#pragma once

#include <limits>
#include <optional>
#include <vector>

#include "exchange/matching/tick_rule.h"
#include "exchange/matching/uncross.h"
#include "state.h"

namespace openbell::exchange {

inline constexpr i64 kNever = std::numeric_limits<i64>::max();
inline constexpr i64 kSecondNs = 1'000'000'000;

// For instruments whose price of the day before is at least from_px.
struct BandWidth {
    i64 from_px = 0;
    i64 bps = 0;                       // of the reference
    i64 px_max = 0;                    // the width is at most so much; 0: no maximum
    bool doubles_before_close = true;  // from wide_from_ns on
};

struct BandRules {
    std::vector<BandWidth> widths{};  // ascending, the first from 0; none: no bands
    i64 wide_from_ns = kNever;        // since midnight
    i64 window_s = 300;               // of the mean
    i64 move_bps = 100;               // the reference changes when the mean is so far away
    i64 hold_ns = 30 * kSecondNs;     // and has stood so long
    i64 limit_ns = 15 * kSecondNs;    // of the limit state, until the pause
    i64 pause_ns = 300 * kSecondNs;   // and of each extension
    i64 collar_bps = 500;             // of the reference, for the price of the reopening
};

enum class BandAction : u8 {
    SetBands = 1,  // nothing trades outside lo, hi
    EnterLimit,    // the touch stands at a band
    LeaveLimit,
    Pause,    // reopening call until `until`, with the collar lo, hi
    EndCall,  // the call's time is over: tell its price with `on_call_price`
    Extend,   // the price is outside the collar: lo, hi is the next, the call goes on until `until`
    Reopen,   // run the auction; lo, hi are the bands of continuous trading
};

struct BandChange {
    BandAction action{};
    i64 at = 0;  // when it was due; what happened since does not count
    i64 lo = 0;
    i64 hi = 0;
    i64 reference = 0;
    i64 until = 0;
    u32 extension = 0;  // Pause, EndCall, Extend: extensions so far (ITCH J)
    bool operator==(const BandChange&) const = default;
};

class Bands {
  public:
    // Rules and tick table outlive the bands. `listed_px`, the price of the day before, finds the width (0: the
    // reference does).
    Bands(const BandRules& rules, TickTable ticks, i64 listed_px);

    // Continuous trading begins, after an opening or a halt that was not ours. `reference` 0: the first trade gives it.
    void open(i64 reference, i64 midnight_ns, i64 now);
    // It ends: halt, close. The owner lifts the bands; nothing is due until the next `open`.
    void stop();

    void on_trade(i64 px, i64 now);            // an auction's print is one trade
    void on_touch(i64 bid, i64 ask, i64 now);  // displayed; 0: none. Also after every change that was applied
    void on_call_price(i64 px);                // the answer to EndCall; 0: nothing would trade

    std::optional<BandChange> next(i64 now);
    i64 next_due() const;  // kNever: nothing, unless something happens

    i64 reference() const { return reference_; }

    void save(StateWriter& out) const;
    void load(StateReader& in);

  private:
    enum class State : u8 { Off, Trading, Limit, Paused, Deciding };
    enum class At : u8 { None, Lower, Upper };
    // The trades of one second of the window.
    struct Second {
        i64 px_sum = 0;
        i64 trades = 0;
    };

    At touch() const;
    i64 next_look() const;
    std::optional<BandChange> change_at(i64 at);
    std::optional<BandChange> look(i64 at);
    BandChange enter_limit(i64 at);
    BandChange leave_limit(i64 at);
    BandChange pause(i64 at);
    BandChange decide(i64 at);
    BandChange change(BandAction action, i64 at, PxRange range) const;

    Second& in_ring(i64 second) { return seconds_[std::size_t(second) % seconds_.size()]; }
    void begin(i64 reference, i64 now);
    void close_second(i64 at);
    void roll_to(i64 second);
    bool mean_has_moved(i64 at) const;
    i64 mean() const;
    void set_range(i64 at);
    PxRange collar() const;
    PxRange around_reference(i128 width_e4) const;
    template <class Self>
    static void each_field(Self& self, auto visit);

    const BandRules* rules_;
    TickTable ticks_;
    i64 listed_px_;
    std::vector<Second> seconds_;  // a ring, one entry per second of the window
    Second sum_{};                 // of the ring
    i64 second_ = 0;               // the newest in the ring
    State state_ = State::Off;
    At limit_at_ = At::None;  // Limit: the band that is touched
    i64 midnight_ns_ = 0;
    i64 reference_ = 0;
    i64 reference_since_ = 0;
    PxRange range_{};        // the bands that the owner was told
    i64 looked_at_ = 0;      // when reference and bands were last computed
    bool is_wide_ = false;   // and whether for the end of the day
    i64 deadline_ = kNever;  // of the limit state or the call
    i64 bid_ = 0;
    i64 ask_ = 0;
    i64 touched_at_ = 0;
    i64 call_px_ = kUnanswered;
    u32 extension_ = 0;

    static constexpr i64 kUnanswered = -1;
};

}  // namespace openbell::exchange
