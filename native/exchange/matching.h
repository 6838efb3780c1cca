// The matching engine: price, then time. A library: it reads no clock, knows no protocol and does no I/O.
//
// Orders live in one slab of fixed capacity; a level is an intrusive list through it, a side a vector of
// levels sorted so that the best one is last (changes happen near the touch, so they move few levels).
// What happened is told to a sink in the order in which it happened.
//
// Prices are in the instrument's fixed decimal, quantities in lots.
#pragma once

#include <optional>
#include <vector>

#include "error.h"
#include "exchange/instrument_rules.h"
#include "exchange/match_event.h"

namespace openbell::exchange {

inline constexpr u32 kSlotBits = 24;  // an order reference is serial << kSlotBits | slot: lookup needs no table
inline constexpr std::size_t kOrdersMax = (std::size_t(1) << kSlotBits) - 1;

struct Resting {
    u64 ref = 0;  // 0: the slot is free
    u64 tag = 0;
    i64 px = 0;
    i64 leaves = 0;
    u32 instrument = 0;
    u32 account = 0;
    u32 prev = 0;  // towards the front of the level; 0: none
    u32 next = 0;
    Side side = Side::Buy;
};

struct Touch {
    i64 px = 0;
    i64 qty = 0;  // 0: the side is empty
};

class MatchingEngine {
  public:
    // Every instrument begins Closed. `matches` false makes a shadow book: orders rest beside each other and never
    // trade. Throws Config for rules that cannot be.
    MatchingEngine(std::vector<InstrumentRules> rules, std::size_t orders_max, MatchSink& sink, bool matches = true);

    // A refused order changes nothing and tells nothing.
    Submitted submit(u32 instrument, u32 account, Side side, const Terms& terms, u64 tag);
    // Why `submit` would refuse the order now, without trying.
    Refusal refuse(u32 instrument, Side side, const Terms& terms) const;

    // Leaves `leaves` of an open order; 0 takes it out. False when it is not live or would not shrink.
    bool reduce(u64 ref, i64 leaves, Cause cause);

    // New terms for an open order of the same side, `terms.qty` is what is open afterwards; `tag` is its mark from now
    // on. Whether it keeps its place: docs/rulebook.md. The reference the order has now.
    Submitted replace(u64 ref, const Terms& terms, u64 tag);

    // Cancels every open order of the account (of one instrument, of one side), oldest first; returns how many.
    u32 mass_cancel(u32 account, std::optional<u32> instrument, std::optional<Side> side, Cause cause);

    void set_phase(u32 instrument, Phase phase);

    const InstrumentRules& rules(u32 instrument) const { return books_[instrument].rules; }
    Phase phase(u32 instrument) const { return books_[instrument].phase; }
    i64 last_px(u32 instrument) const { return books_[instrument].last_px; }  // 0: no trade yet
    i64 reference_px(u32 instrument) const;                                   // the last trade, else the listed price
    const Resting* find(u64 ref) const;
    Touch touch(u32 instrument, Side side) const;
    i64 depth_qty(u32 instrument, Side side, i64 px) const;  // open quantity at px
    std::size_t open_orders() const { return open_; }
    bool full() const { return free_.empty(); }

  private:
    struct Level {
        i64 key;  // px of a bid, -px of an ask: the best level has the largest key
        i64 qty;
        u32 head;
        u32 tail;
    };
    struct Book {
        InstrumentRules rules;
        Phase phase = Phase::Closed;
        i64 last_px = 0;
        std::vector<Level> levels[2];
    };
    using Levels = std::vector<Level>;

    Levels& levels(u32 instrument, Side side) { return books_[instrument].levels[side == Side::Sell]; }
    const Levels& levels(u32 instrument, Side side) const { return books_[instrument].levels[side == Side::Sell]; }
    Refusal refuse_terms(u32 instrument, Side side, const Terms& terms) const;  // all but Full
    u64 take_slot();
    void free_slot(u64 ref);
    Resting& at(u64 ref) { return slab_[ref & kOrdersMax]; }

    void enter(Resting& order, const Terms& terms);
    void trade(Resting& aggressor, i64 worst_key);
    void execute(Resting& resting, Resting& aggressor, i64 qty);
    bool may_trade(const Resting& order, const Terms& terms, i64 worst_key) const;
    bool crosses(u32 instrument, Side side, i64 px) const;
    void rest(Resting& order);
    void join_level(Resting& order);
    void leave_level(Resting& order);
    void discard(Resting& order, Cause cause);
    void emit(MatchEventType type, const Resting& order, i64 qty, Cause cause = Cause::None);

    std::vector<Resting> slab_;  // slot 0 is unused, so that 0 means none
    std::vector<u32> free_;
    std::vector<Book> books_;
    MatchSink& sink_;
    u64 serial_ = 0;
    u64 match_number_ = 0;
    std::size_t open_ = 0;
    bool matches_;
};

}  // namespace openbell::exchange
