// Quoting: a strategy's two-sided target becomes the fewest new, replace and cancel commands.
//
// One own quote order a side, per (strategy, instrument), never two. The rules:
//  * the target's quantity is consumed by fills; after it, nothing is sent until the strategy quotes again;
//  * an unchanged px and qty leaves the order alone, partially filled or not; a change is ONE replace;
//  * what is in flight or in doubt is waited for, except that a pull cancels a pending order at once;
//  * a refused side stays quiet until its target changes, and what still rests at the old target is pulled;
//  * a command whose price meets an own order on the other side waits until the venue confirmed that order
//    away (I10): own orders never meet, whatever the venue makes of the commands in between.
//
// The caller's loop, for each (strategy, instrument) that changed: reconcile -> for each command risk, then
// either on_refused, or reserve + Oms::on_command + on_order_opened (new orders). If any was refused,
// reconcile once more. Commands must be applied to the OMS or refused before reconcile is called again.
#pragma once

#include <span>
#include <vector>

#include "execution/targets.h"
#include "oms/oms.h"

namespace openbell {

class Quoter {
  public:
    static constexpr std::size_t kCommandsMax = 2;  // of one reconcile: one a side
    static constexpr u8 kCancelsMax = 3;            // unanswered or refused cancels of an order before the next target

    Quoter(u32 strategies_max, u32 instruments_max);

    // A new target; qty 0 pulls that side, px is then ignored. Refused, and both sides pulled: SelfMatch (the
    // bid meets the ask), PriceNotPositive, QtyNotPositive (negative). Unknown ids: NoInstrument, UnknownStrategy.
    Reason set_target(const Intent& quote);
    void pull(u16 strategy);
    void pull(u16 strategy, u32 instrument);
    void pull(u16 strategy, u32 instrument, Side);
    void pull_all();

    // One order towards a target position in place of a quote; qty 0 = none. What works already stays as it is, unless
    // its price is another, it is too large, or it is too small and `may_grow`. The other side's order goes first.
    // What the venue takes away unexecuted is not tried again until price or quantity change.
    void aim(u16 strategy, u32 instrument, const Aim&, u64 tag, bool may_grow, const Oms&);

    // The commands wanted now; `out` has room for kCommandsMax. cl_ord_id of a NewOrder is 0, to be reserved;
    // ts_event and intent_seq are the caller's. prev_qty of a replace is executed + still open.
    std::size_t reconcile(u16 strategy, u32 instrument, const Oms&, std::span<Order> out);

    void on_order_opened(u16 strategy, u32 instrument, Side, u64 cl_ord_id);
    // The command for that side was refused (risk, OMS, no id): quiet until the target changes.
    void on_refused(u16 strategy, u32 instrument, Side);
    // The order has ended. Called for every order that became terminal; others than quotes are ignored.
    void on_order_closed(const LiveOrder&);
    // Limits, arming, trading state or the session changed: sides refused before may try again, cancels too.
    void forget_refusals();

    // Whether there is a target or an order.
    bool is_active(u16 strategy, u32 instrument) const;
    // The (strategy, instrument) pairs with a target or an order, ascending.
    template <class F>
    void for_each_active(F&& f) const {
        for (std::size_t i = 0; i < quotes_.size(); ++i) {
            if (is_active(quotes_[i])) f(u16(i / instruments_max_), u32(i % instruments_max_));
        }
    }
    // cl_ord_id of the quote order of that side, 0 if none.
    u64 order_of(u16 strategy, u32 instrument, Side) const;

    void save(StateWriter&) const;
    void load(StateReader&);

  private:
    struct Half {                 // one side of one quote
        i64 px, qty;              // target
        i64 asked_px, asked_qty;  // the target its last command was made for
        i64 consumed;             // of the target, by orders that have ended
        i64 base_cum;             // executed of the current order when the target was set
        u64 order;                // cl_ord_id, 0 if none
        u32 asked_version;        // last replace sent; the venue refused it if it is not confirmed
        u8 is_fresh;              // the target changed: starts to count at the next reconcile
        u8 is_requoted;           // the same target was quoted again: counts only if nothing is open
        u8 is_refused;
        u8 is_opening;    // NewOrder emitted, not yet opened or refused
        u8 is_canceling;  // the last command was our cancel
        u8 cancels;
        u8 pad[6];
    };
    struct Quote {
        Half half[2];  // bid, ask
        u64 tag;
        u64 is_aim;  // it works towards a target position
    };

    static bool is_active(const Quote&);
    static Half canonical(Half);
    static void set_half(Half&, i64 px, i64 qty);
    static void aim_half(Half&, i64 px, i64 qty, const LiveOrder* own);
    static void close(Half&, const LiveOrder*, bool is_aim);
    static void start_target(Half&, const LiveOrder*);
    static bool meets_own(const LiveOrder* other, Side, i64 px);
    bool decide(Half&, Side, const LiveOrder* own, const LiveOrder* other, Order& out);
    bool decide_new(Half&, Side, const LiveOrder* other, Order& out);
    Quote* find(u16 strategy, u32 instrument);

    u32 strategies_max_;
    u32 instruments_max_;
    std::vector<Quote> quotes_;
};

}  // namespace openbell
