// Circuit breakers on our own behaviour: what we lose, what the venue refuses, how we are filled, what we hear.
//
// Each watches one measure of the node or of one strategy. Above its threshold it trips: its scope moves down to a
// state, and a person has to arm it again. Until the measure has been at or below `again_below` it does not trip a
// second time, so whoever re-arms is not thrown back at once. docs/breakers.md explains each measure.
//
// A function of what it is told, in engine time; nothing is allocated after construction.
#pragma once

#include <span>
#include <vector>

#include "book/books.h"
#include "oms/accounts.h"
#include "oms/oms.h"
#include "risk/window.h"

namespace openbell {

// A `Parameters` record about a breaker: Control::code = BreakerKind, strategy and instrument its scope, text its
// owner.
inline constexpr u16 kBreakerParameters = 1;  // Control::source
inline constexpr int kThreshold = 0;          // Control::values
inline constexpr int kWindowNs = 1;
inline constexpr int kAgainBelow = 2;
inline constexpr int kStateAndLeast = 3;  // ArmState + 256 x the least count of a ratio or mean

// Of the timer frame that asks those that trip by silence; a grant's has 48 bits (engine/arming.cpp).
inline constexpr u64 kBreakerTimer = u64(1) << 63;

class Breakers {
  public:
    static constexpr u32 kBreakersMax = 256;
    static constexpr u32 kUnansweredMax = 1024;

    struct Trip {
        BreakerKind kind;
        ArmState to;
        u16 strategy;  // kNoStrategy: the node's
        u32 instrument;
        i64 limit, observed;
    };

    Breakers(u32 strategies_max, u32 instruments_max);

    // Gives a breaker, or takes it away (kRemoved). False: it was not taken.
    bool set(const Control&);
    // A new epoch gives all of them anew; one that was given before goes on where it was.
    void restart();

    // What is watched. Times are the engine's.
    void on_command(const Order&, i64 now);
    void on_report(const Report&, const Applied&, const Touch&, i64 now);  // as the OMS completed it
    void on_unreached(const LiveOrder&);  // a command of it that was sent never reached its venue
    // A position moved by other means than a fill of ours: a person, a reconciliation, an execution nobody knows.
    void on_moved(u16 strategy, u32 instrument, i64 qty);
    void on_break(i64 now);

    // Whether anything was watched since the last check: `check` then asks all, else only those of the result.
    bool is_due() const { return is_due_; }
    void set_due() { is_due_ = true; }
    // When those have to be asked that trip by silence; INT64_MAX: there are none.
    i64 next_check() const { return next_check_; }
    // `heard_ns`: when the feed heard longest ago last said anything. Returns how many trips were written.
    std::size_t check(const Accounts&, i64 heard_ns, i64 now, std::span<Trip, kBreakersMax> out);

    struct Breaker {
        u8 kind;  // BreakerKind; None: free
        u8 to;    // ArmState
        u8 is_given;
        u8 is_tripped;  // and not yet down again
        u16 strategy;
        u8 is_forced;     // whatever the measure says
        u8 is_following;  // PositionJump: `last` is the position as it was seen last
        u32 instrument;
        u32 least;
        i64 threshold, window_ns, again_below;
        i64 last, worst;   // of measures of one event: the last, the worst since the last check
        SumWindow events;  // what happened
        SumWindow of;      // of how many
    };
    static_assert(sizeof(Breaker) == 264);
    std::span<const Breaker> all() const { return breakers_; }
    i64 measure(const Breaker&, const Accounts&, i64 heard_ns, i64 now) const;

    void save(StateWriter&) const;
    void load(StateReader&);

  private:
    struct Unanswered {  // a command that has left: `Type`, and the version that it names
        u64 cl_ord_id;
        i64 sent_ns;
        u32 version;
        u16 strategy;
        u8 command;
        u8 pad;
    };

    template <class F>
    void for_each(BreakerKind kind, u16 strategy, u32 instrument, F&& f);
    Breaker* find(const Breaker& like);
    void on_fill(const Report&, const Touch&, i64 now);
    void on_sent(Type command, const LiveOrder&, i64 now);
    void on_answer(const LiveOrder&, i64 now);
    void on_end(const LiveOrder&, i64 now);
    static bool is_awaited(const Unanswered&, const LiveOrder&);
    static void measured(Breaker&, i64 value);
    static void follow(Breaker&, const Accounts&, i64 now);
    i64 unanswered_ns(u16 strategy, i64 now) const;
    void plan(i64 now);

    u32 strategies_max_, instruments_max_;
    std::vector<Breaker> breakers_;       // in the order they were given
    std::vector<Unanswered> unanswered_;  // the newest, in the order they left
    i64 next_check_;
    bool is_due_ = true;
};

}  // namespace openbell
