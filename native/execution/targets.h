// Target positions: where strategies want to be. One order at a time works towards each, by the quoter.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "book/books.h"
#include "oms/exposure.h"
#include "state.h"

namespace openbell {

struct Target {
    i64 position;  // wanted, short negative
    i64 px;        // the worst price; 0 = the far touch when it is looked at
    i64 qty_max;   // of one order; 0 = no bound
    u64 tag;
    u8 is_set;
    u8 is_new;  // the strategy changed it since it was last looked at
    u8 pad[6];
};
static_assert(sizeof(Target) == 40);

// What is missing now: one order, or none (qty 0).
struct Aim {
    Side side = Side::Buy;
    i64 px = 0;
    i64 qty = 0;
};

inline Aim aim_at(const Target& target, i64 position, const Touch& touch, i64 lot) {
    Aim aim;
    aim.side = target.position > position ? Side::Buy : Side::Sell;
    const bool is_buy = aim.side == Side::Buy;
    const i64 missing = is_buy ? target.position - position : position - target.position;
    const i64 far = is_buy ? (touch.ask_qty > 0 ? touch.ask_px : 0) : (touch.bid_qty > 0 ? touch.bid_px : 0);
    aim.px = target.px > 0 ? target.px : far;
    const i64 most = target.qty_max > 0 ? std::min(missing, target.qty_max) : missing;
    aim.qty = lot > 0 ? most / lot * lot : 0;
    return aim;
}

class Targets {
  public:
    Targets(u32 strategies_max, u32 instruments_max)
        : strategies_max_(strategies_max),
          instruments_max_(instruments_max),
          targets_(std::size_t(strategies_max) * instruments_max) {}

    // Terms (a negative size), PriceNotPositive or WouldOverflow, and then what stood before is gone.
    Reason set(const Intent& t) {
        if (t.strategy >= strategies_max_) return Reason::UnknownStrategy;
        if (t.instrument >= instruments_max_) return Reason::NoInstrument;
        Target& target = at(t.strategy, t.instrument);
        const Target before = target;
        drop(t.strategy, t.instrument);
        if (t.display_qty < 0) return Reason::Terms;
        if (t.px < 0) return Reason::PriceNotPositive;
        if (t.px > kPxMax || t.qty > kQtyMax || t.qty < -kQtyMax) return Reason::WouldOverflow;
        target = {t.qty, t.px, t.display_qty, t.tag, 1, 1, {}};
        const bool is_same = before.is_set && before.position == t.qty && before.px == t.px &&
                             before.qty_max == t.display_qty && before.tag == t.tag;
        target.is_new = is_same ? before.is_new : 1;
        ++count_;
        return Reason::None;
    }
    void drop(u16 strategy, u32 instrument) {
        count_ -= at(strategy, instrument).is_set;
        at(strategy, instrument) = {};
    }
    Target* find(u16 strategy, u32 instrument) {
        if (count_ == 0) return nullptr;
        Target& target = at(strategy, instrument);
        return target.is_set ? &target : nullptr;
    }
    bool empty() const { return count_ == 0; }
    // f(strategy, instrument) of every target, ascending; it may drop the one it is told of.
    template <class F>
    void for_each(F&& f) const {
        for (std::size_t i = 0; count_ > 0 && i < targets_.size(); ++i)
            if (targets_[i].is_set) f(u16(i / instruments_max_), u32(i % instruments_max_));
    }

    void save(StateWriter& out) const {
        out.put(u64(count_));
        for (std::size_t i = 0; i < targets_.size(); ++i) {
            if (!targets_[i].is_set) continue;
            out.put(u64(i));
            out.put(targets_[i]);
        }
    }
    void load(StateReader& in) {
        std::fill(targets_.begin(), targets_.end(), Target{});
        count_ = in.get<u64>();
        for (u64 n = count_; n > 0; --n) {
            const u64 i = in.get<u64>();
            if (i >= targets_.size()) throw Error(ErrorKind::Snapshot, "targets snapshot: one lies beyond its table");
            targets_[i] = in.get<Target>();
        }
    }

  private:
    Target& at(u16 strategy, u32 instrument) { return targets_[std::size_t(strategy) * instruments_max_ + instrument]; }
    u32 strategies_max_;
    u32 instruments_max_;
    std::vector<Target> targets_;
    u64 count_ = 0;
};

}  // namespace openbell
