// The OMS owns what became of every order: its state, what it may still execute, the position it made.
//
//  on_command ──► PENDING_NEW ──Accepted──► NEW ──Filled──► PARTIALLY_FILLED ──► FILLED
//                      │                     │  ▲                                CANCELED
//                      │                     ▼  │                                REJECTED
//                      │        PENDING_REPLACE, PENDING_CANCEL                  EXPIRED
//                      └─ new epoch, no Sent ─► IN_DOUBT ─ evidence, or Resolved ─┘
//
// The live state is a function of what is confirmed and what is in flight (`settle`), so a fill while a
// replace or cancel is pending needs no case of its own. The venue's account is the truth: what contradicts
// ours is counted and answered with a kind, never clamped away.
//
// Rules of silence (OUCH 4.2, section Replace/Cancel): a command for a dead order gets no answer; the fill or
// cancel that killed the order settles it. A cancel that names a version the venue no longer holds is
// ignored too, so it stops pending as soon as another version is confirmed.
#pragma once

#include <span>
#include <vector>

#include "oms/fee_schedule.h"
#include "oms/fill_memory.h"
#include "oms/live_orders.h"
#include "oms/own_touch.h"
#include "oms/position.h"
#include "state.h"

namespace openbell {

// Of the commands that went out and found no answer, those that never reached the venue.
enum class Unreached : u8 {
    All,      // it has told all that it has
    Cancels,  // it is not believed; but a cancel may be sent again whatever became of it
    InDoubt,  // a person says so of what is in doubt; what was sent since may still be answered
};

struct Applied {
    enum Kind : u8 {
        Ignored,  // legitimate and without effect (Sent after the ack, a refusal of what is settled)
        Done,
        UnknownOrder,  // not ours or long recycled; nothing changed: reconcile
        Duplicate,     // seen before; nothing changed
        Illegal,       // contradicts what we know; nothing changed: halt the instrument and reconcile. A bust or
                       // correction of a fill that was not told yet is kept until it is
        Overfill,      // applied, position follows the venue; the order executed more than its quantity
        BeyondAsked,   // applied, exposure follows the venue; it confirmed more than was asked, or at a worse price
    } kind;
    const LiveOrder* order;  // null if unknown (a bust may still apply when only its fill is remembered)
    bool became_terminal;
};

// The venue did what was not asked: what it says counts, and the instrument is held until a person has looked.
constexpr bool is_incident(Applied::Kind kind) { return kind == Applied::Overfill || kind == Applied::BeyondAsked; }
constexpr bool is_applied(Applied::Kind kind) { return kind == Applied::Done || is_incident(kind); }

class Oms {
  public:
    struct Capacity {
        u32 orders_max, strategies_max, instruments_max;
        u32 fills_max = 0;  // fills remembered for duplicates and busts; 0 = 4 x orders_max
    };
    struct Counters {
        u64 reports, applied, ignored, unknown, duplicates, illegal, overfills, beyond_asked;
        u64 late_fills;        // on an order that had ended
        u64 refused_commands;  // on_command said no
        u64 stale_starts;      // Started with an epoch not above the last
    };

    explicit Oms(Capacity);

    // What fills will cost, and of which instrument.
    void set_fee_rate(const Control& rate) { fees_.set_rate(rate); }
    void set_instrument(const Instrument& instrument) { fees_.set_instrument(instrument); }
    // By which session new orders of an instrument leave; kNoSession: by none. Of one that is not known, the first.
    void set_session(u32 instrument, u8 session) { session_of_[instrument] = session; }
    u8 session_of(u32 instrument) const { return instrument < session_of_.size() ? session_of_[instrument] : u8(0); }

    // A new epoch: id counters restart, and every live order with a command unsent becomes IN_DOUBT.
    void on_started(const Started&);
    // The words of a session's venue have a hole: what was sent there and not answered becomes IN_DOUBT.
    void doubt_in_flight(u8 session);
    // The next cl_ord_id; 0 when nothing was started, the strategy is unknown or its 2^30 ids are used up.
    u64 reserve(u16 strategy);
    // The id that the n-th call of `reserve` from now will return (n from 0), for whoever must know it earlier.
    u64 next_id(u16 strategy, u32 n) const;
    // Takes an id that the strategy has given itself; false: it is not of it, or one as high was given before.
    bool claim(u16 strategy, u64 id);
    bool can_open(u16 strategy) const { return strategy < capacity_.strategies_max && orders_.has_room(); }

    // Tracks a decided command, after risk. Reason::None = tracked; anything else: nothing changed, do not send.
    Reason on_command(const Order&);
    // Remembers, until a cancel is commanded, that a live order of ours is to be canceled when that is possible.
    void want_cancel(const LiveOrder&);
    // Applies a report and fills in its strategy, side, instrument and leaves_qty (what is open after it).
    Applied on_report(Report&);
    // Moves a position by hand (`Adjustment`). False: a strategy or instrument that is not there, or what no position
    // can hold; nothing changed.
    bool adjust(const Control&);
    // The session has replayed all it has. Commands in doubt and commands sent without any evidence never
    // reached the venue and are settled so; each is a NotSent report in `out`. Returns how many; call again
    // while it equals out.size(). Nothing may be sent there between Connected and Resolved. Orders of other sessions
    // stay as they are.
    std::size_t on_resolved(u8 session, std::span<Report> out, Unreached what = Unreached::All);

    const LiveOrder* find(u64 cl_ord_id) const;
    // Every live order in the order of creation. `f` must not call on_command or on_report.
    template <class F>
    void for_each_live(F&& f) const {
        for (u32 s = orders_.first_live(); s != LiveOrders::kNone; s = orders_.next(s)) f(orders_[s]);
    }

    Exposure exposure(u32 instrument) const { return exposure(kNoStrategy, instrument); }
    Exposure exposure(u16 strategy, u32 instrument) const;  // kNoStrategy: the whole account
    OpenValue open_value(u16 strategy, u32 instrument) const { return known_cell(strategy, instrument).open_value; }
    const Position& position(u16 strategy, u32 instrument) const { return known_cell(strategy, instrument).position; }
    const Position& position(u32 instrument) const { return position(kNoStrategy, instrument); }

    // The price of one of our orders that this one would trade with, the best of them; 0 = none.
    i64 own_px_met(const Order& candidate);

    u32 live_orders() const { return orders_.live(); }
    bool has_live(u8 session) const;
    u32 live_orders(u16 strategy) const { return orders_of_[strategy]; }  // of one that is known
    u32 ended_orders() const { return orders_.ended(); }
    u64 recycled_orders() const { return orders_.recycled(); }
    const Counters& counters() const { return counters_; }
    const Capacity& capacity() const { return capacity_; }
    u32 epoch() const { return epoch_; }

    // Throws Invariant where orders, exposures or positions contradict each other (I3, I5 to I8, I12, I13).
    void audit() const;
    void save(StateWriter&) const;
    void load(StateReader&);  // of an OMS whose capacity is at least what was saved

  private:
    struct Cell {  // one (strategy, instrument); the last row is the account
        Position position;
        i64 open_buy, open_sell, orders, pad;
        OpenValue open_value;
    };

    Reason open(const Order&);
    Reason replace(LiveOrder&, const Order&);
    Reason cancel(LiveOrder&, const Order&);

    Applied::Kind apply(LiveOrder&, const Report&);
    Applied::Kind apply_fill(LiveOrder&, const Report&);
    Applied::Kind apply_change(LiveOrder*, const Report&);  // Busted, Corrected
    void change(LiveOrder*, Fill& fill, const Fill& wanted);
    void expect_fill(const LiveOrder&, u64 exec_id, const Fill& wanted, Fill* known);
    Applied on_unknown(Report&);
    Applied tallied(Applied);
    bool withdraw_unreached(u32 slot, u8 bit, Report&);

    void audit_exposures() const;
    void audit_positions() const;
    void load_orders(StateReader&, bool are_live);
    void add_exposure(const LiveOrder&, i64 sign);
    template <class F>
    void for_each_cell(u16 strategy, u32 instrument, F&& f) {
        f(cell(strategy, instrument));
        f(cell(kNoStrategy, instrument));
    }
    Cell& cell(u16 strategy, u32 instrument) { return cells_[at(strategy, instrument)]; }
    std::size_t at(u16 strategy, u32 instrument) const {
        const std::size_t row = strategy == kNoStrategy ? capacity_.strategies_max : strategy;
        return row * capacity_.instruments_max + instrument;
    }
    const Cell& known_cell(u16 strategy, u32 instrument) const;  // of ids that are not there: flat

    Capacity capacity_;
    u32 node_ = 0;
    u32 epoch_ = 0;
    std::vector<u32> counters_of_;  // last id counter by strategy
    LiveOrders orders_;
    FillMemory fills_;
    FeeSchedule fees_;
    std::vector<u8> session_of_;  // by instrument
    std::vector<Cell> cells_;
    std::vector<u32> orders_of_;       // live ones by strategy
    std::vector<OwnTouch> own_touch_;  // by instrument
    Counters counters_{};
};

}  // namespace openbell
