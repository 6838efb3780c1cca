// `ctx`: all that a strategy may ask, and the intents it gives. The same verbs serve both speeds.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "strategy/decision.h"
#include "strategy/world.h"

namespace openbell {

class Context {
  public:
    static constexpr u32 kIntentsMax = 64;  // of one strategy in one frame

    // Before the callbacks of a frame. `random_state` is a word of the strategy's declared state.
    void open(const World& world, Decision& out, u16 strategy, u64& random_state, const std::vector<u32>& instruments);

    i64 now_ns() const { return world_->now_ns; }
    u64 seq() const { return world_->seq; }
    const World& world() const { return *world_; }
    void quote(u32 instrument, i64 bid_px, i64 bid_qty, i64 ask_px, i64 ask_qty);
    u64 order(u32 instrument, Side side, i64 px, i64 qty, Tif tif, u64 tag);
    void cancel(u64 cl_ord_id);
    void cancel_all();
    void set_timer(u64 timer_id, i64 deadline);
    i64 position(u32 instrument) const;
    Totals totals() const { return world_->accounts.totals(strategy_); }
    double random();
    u32 instrument(std::string_view symbol) const;
    const std::vector<u32>& instruments() const { return *instruments_; }
    std::span<const LiveOrder> orders();  // its live orders, as this frame left them
    std::span<const LiveOrder> orders_counted() const { return live_; }
    void check_instrument(u32 instrument) const;

  private:
    Intent& intend(IntentKind kind, u32 instrument);
    void count_intent();

    const World* world_ = nullptr;
    Decision* out_ = nullptr;
    u64* random_state_ = nullptr;
    const std::vector<u32>* instruments_ = nullptr;
    u16 strategy_ = 0;
    u32 intents_ = 0;
    u32 orders_ = 0;
    std::vector<LiveOrder> live_;
};

}  // namespace openbell
