// `ctx`: all that a strategy may ask, and the intents it gives. The same verbs serve both speeds.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "strategy/decision.h"
#include "strategy/world.h"

namespace openbell {

// What one order says of itself beside its instrument; docs/strategies.md.
struct OrderTerms {
    Side side;
    i64 px;  // 0: at market, within the collar
    i64 qty;
    Tif tif = Tif::Day;
    i64 tag = 0;
    u8 flags = 0;         // kPostOnly, kHidden
    i64 display_qty = 0;  // 0: all of it
    i64 collar_bps = 0;
    i64 expires_ns = 0;
    Trigger trigger = Trigger::None;
    i64 stop_px = 0;
    i64 trail = 0;
};

constexpr u8 flags_of(bool is_post_only, bool is_hidden) {
    return u8((is_post_only ? kPostOnly : 0) | (is_hidden ? kHidden : 0));
}

// How a parent order is to be worked.
struct ParentTerms {
    i64 px = 0;                 // the worst price; 0: none
    i64 begins_ns = 0;          // 0: now
    i64 ends_ns = 0;            // 0: no end
    i64 participation_bps = 0;  // most of the market's volume; 0: any
    i64 urgency_bps = 0;
    i64 tag = 0;
};

// Numbers come as a strategy wrote them, of 64 bits with a sign; a verb checks what a record holds in fewer.
class Context {
  public:
    static constexpr u32 kIntentsMax = 64;  // of one strategy in one frame
    // Ids that the engine may give to quotes of a strategy until what it says in a process of its own has arrived.
    static constexpr u32 kIdsAhead = 64;
    static constexpr i64 kAll = -1;

    // Before the callbacks of a frame. `random_state` is a word of the strategy's declared state.
    void open(const World& world, Decision& out, u16 strategy, u64& random_state, const std::vector<u32>& instruments);

    // In a process of its own a strategy gives the ids of its orders itself; a new start begins behind the engine's.
    void give_ids() { gives_ids_ = true; }
    void begin_ids() { last_id_ = 0; }

    i64 now_ns() const { return world_->now_ns; }
    u64 seq() const { return world_->seq; }
    const World& world() const { return *world_; }
    void quote(i64 instrument, i64 bid_px, i64 bid_qty, i64 ask_px, i64 ask_qty);
    u64 order(i64 instrument, const OrderTerms& terms);
    u64 became(u64 stop_id) const;  // the order that a stop became; 0: it waits, or is gone
    u64 parent(i64 instrument, Side side, i64 qty, i64 algorithm, const ParentTerms& terms);
    void basket_open();
    void basket_close();
    void target(i64 instrument, i64 position, i64 px, i64 qty_max, i64 tag);
    void target_off(i64 instrument) { quote(instrument, 0, 0, 0, 0); }
    void replace(u64 cl_ord_id, i64 px, i64 qty);
    void cancel(u64 cl_ord_id);
    void cancel_all() { mass_cancel(kAll, 0); }
    void mass_cancel(i64 instrument, i64 side);  // kAll: of every instrument; side 0: both
    void set_timer(i64 timer_id, i64 deadline);
    i64 position(i64 instrument) const;
    Totals totals() const { return world_->accounts.totals(strategy_); }
    double random();
    u32 instrument(std::string_view symbol) const;
    const std::vector<u32>& instruments() const { return *instruments_; }
    std::span<const LiveOrder> orders();  // its live orders, as this frame left them
    std::span<const LiveOrder> orders_counted() const { return live_; }
    u32 known(i64 instrument) const;  // its id, or an Error

  private:
    Intent& intend(IntentKind kind, u32 instrument);
    void count_intent();
    u64 take_id(Intent& intent);

    const World* world_ = nullptr;
    Decision* out_ = nullptr;
    u64* random_state_ = nullptr;
    const std::vector<u32>* instruments_ = nullptr;
    u16 strategy_ = 0;
    u32 intents_ = 0;
    u32 orders_ = 0;
    u16 baskets_ = 0;  // opened in this frame
    bool is_in_basket_ = false;
    bool gives_ids_ = false;
    u64 last_id_ = 0;
    std::vector<LiveOrder> live_;
};

}  // namespace openbell
