// Virtual own orders in an unaltered book: the venue of a backtest over a tape, and of paper trading.
//
// The tape is what happened without us. It is never changed; our orders live beside it, by these rules:
//
//  Place.    Every order, displayed or ours, is stamped on arrival. Better price first, then smaller stamp. So what is
//            in front of ours is known exactly, order by order; cancels, deletes and executions in front advance us; a
//            replaced order takes a new stamp and goes behind. Orders of a snapshot have stamp 0: they were there
//            before.
//  Passive.  An execution of q of a resting order R fills those of our orders on R's side that stand in front of R
//            (better price: traded through; same price and smaller stamp: the aggressor would have met us first), in
//            priority, at our prices, together at most q.
//            A print against a hidden order (Trade) at px does the same to our orders better than px, and to those
//            at px with nothing displayed in front: displayed goes before hidden. An added or replaced order that
//            crosses ours would have been the aggressor: it fills us, together at most the quantity it displays.
//  Taking.   A marketable order takes displayed size, best price first and by priority, up to its limit. What it took
//  of
//            an order stays taken for as long as that order is displayed: never sold to us twice. An execution or
//            cancel of that order uses up what is left of it first, what we took last; a replace displays anew.
//  Ourselves. We do not trade with ourselves: an order that reaches our own on the other side loses the rest
//  (SelfMatch).
//
// What this cannot show: nobody reacts to our orders, and what we took is still there for others.
// Commands answer as OUCH 4.2 does: what is not live is silence; a Replace counts executed shares, and with invalid
// details takes the order out; only quantity down at the same price keeps the place. While the instrument is halted or
// its book invalid, new orders and replaces are rejected and nothing fills.
#pragma once

#include <vector>

#include "backtest/displayed.h"

namespace openbell {

// Delays of the way to the strategy and back, ns; applied by whoever feeds the venue.
struct VenueLatency {
    i64 feed_ns;    // market data: venue -> us
    i64 order_ns;   // commands: us -> venue
    i64 report_ns;  // reports: venue -> us
};

inline constexpr u64 kVirtualOrderIds = u64(1) << 63;  // our order_ids begin here, far above any venue's

class VirtualVenue {
  public:
    // `orders_max` displayed, `own_orders_max` of ours live at once; one more is rejected.
    VirtualVenue(u32 instruments_max, u32 orders_max, u32 own_orders_max)
        : VirtualVenue(Displayed(instruments_max, orders_max), instruments_max, own_orders_max) {}
    // Without books of its own, beside an engine that has every record later; see displayed.h.
    VirtualVenue(u32 instruments_max, u32 orders_max, u32 own_orders_max, const Books& engines)
        : VirtualVenue(Displayed(instruments_max, orders_max, engines), instruments_max, own_orders_max) {}
    BookTap& tap() { return displayed_; }

    bool add_instrument(const Instrument& instrument);  // false: id is instruments_max or above
    void on_market(const Market& record, i64 now);
    void on_command(const Order& command, i64 now);  // NewOrder, ReplaceOrder, CancelOrder; others: nothing
    void set_valid(u32 instrument, bool is_valid) { displayed_.set_valid(instrument, is_valid); }  // Gap, Recovered

    // What the calls since clear_reports() produced, ts_event = their `now`. Room for kReportsReserved is taken at
    // construction; only one order that sweeps more levels than that makes it grow.
    std::span<const Report> reports() const { return reports_; }
    void clear_reports() { reports_.clear(); }
    static constexpr std::size_t kReportsReserved = 4096;

    const Books& books() const { return displayed_.books(); }  // the tape's, unaltered
    u32 own_orders() const { return own_count_; }
    // Displayed quantity and quantity of ours in front of a live order of ours; -1: not live.
    i64 queue_ahead(u64 cl_ord_id) const;

    void save(StateWriter& out) const;  // without reports: clear them first
    void load(StateReader& in);

  private:
    struct Own {
        u64 cl_ord_id;
        u64 order_id;
        u64 stamp;
        i64 px;
        i64 leaves;
        i64 executed;
        u32 instrument;
        u32 version;
        u32 next;  // the next in priority of the same instrument and side; or the next free one
        u32 prev;
        Side side;
        bool is_queued;
        u8 pad[6];
    };
    static_assert(sizeof(Own) == 72);
    struct Lane {                                     // of one instrument
        u32 first[2] = {Books::kNone, Books::kNone};  // our bids and asks, best first
        i64 tick = 0;
        TradingState state = TradingState::Unknown;
    };
    using Shown = Displayed::Shown;

    VirtualVenue(Displayed displayed, u32 instruments_max, u32 own_orders_max);
    void on_new(const Order& command);
    void on_replace(const Order& command);
    void on_cancel(const Order& command);
    bool is_open(u32 instrument) const;
    char objection(const Order& command) const;

    bool concerns_us(const Market& record) const;
    void arrive(u32 instrument, const Shown& order);
    void fill_in_front(u32 instrument, Side side, i64 px, u64 stamp, i64 qty);
    void fill_by_print(u32 instrument, Side side, i64 px, i64 qty);
    bool is_something_in_front(const Own& own) const;

    void enter(u32 index, const Order& command);
    void take(u32 index);
    i64 takeable(const Own& own) const;
    bool reaches_ourselves(const Own& own) const;
    template <class Visit>
    void walk_takeable(const Own& own, Visit visit) const;

    u32 slot_of(u64 cl_ord_id) const;
    u32 find(u64 cl_ord_id) const { return own_table_.order_at(slot_of(cl_ord_id)); }
    u32 open(const Order& command);
    void link(u32 index);
    void unlink(u32 index);
    void close(u32 index);
    u32 first(u32 instrument, Side side) const { return lanes_[instrument].first[side == Side::Buy ? 0 : 1]; }

    Report& report(Type type, const Own& own);
    void load_lane(StateReader& in, u32 id);
    void report_terms(Type type, const Own& own, u32 prev_version);
    void report_rejected(const Order& command, Reason reason, char venue_reason);
    void report_canceled(u32 index, Reason reason, char venue_reason);
    void fill(u32 index, i64 px, i64 qty, char liquidity);
    void fill_resting(u32 index, i64 qty);

    Displayed displayed_;
    std::vector<Lane> lanes_;
    std::vector<Own> own_;
    book::OrderTable own_table_;
    std::vector<Report> reports_;
    u32 free_own_ = Books::kNone;
    u32 own_count_ = 0;
    u64 stamps_ = 0;
    u64 order_ids_ = kVirtualOrderIds;
    u64 exec_ids_ = 0;
    i64 now_ = 0;
};

}  // namespace openbell
