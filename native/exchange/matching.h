// The matching engine: price, then time. A library: it reads no clock, knows no protocol and does no I/O.
//
// Orders live in one slab of fixed capacity; a level is an intrusive list through it, a side a vector of
// levels sorted so that the best one is last (changes happen near the touch, so they move few levels).
// What happened is told to a sink in the order in which it happened.
//
// Prices are in the instrument's fixed decimal, quantities in lots.
#pragma once

#include <limits>
#include <vector>

#include "error.h"
#include "records.h"

namespace openbell::exchange {

inline constexpr i64 kMarketPx = std::numeric_limits<i64>::max();
inline constexpr u32 kSlotBits = 24;  // an order reference is serial << kSlotBits | slot: lookup needs no table
inline constexpr std::size_t kOrdersMax = (std::size_t(1) << kSlotBits) - 1;

enum class MatchEventType : u8 {
    Accepted = 1,   // the order got its reference; nothing is public yet
    Rested = 2,     // qty joined the back of level px
    Executed = 3,   // `ref` rested, `aggressor_ref` came: qty at the resting order's px
    Reduced = 4,    // a resting order lost qty by cancellation; leaves 0: it is gone
    Discarded = 5,  // what an order did not trade and may not rest (IOC, market, post-only)
    Replaced = 6,   // `prev_ref` became `ref` with px and leaves; see Priority
};

// What a replace did to the order's place in the book.
enum class Priority : u8 {
    Kept = 1,      // same px, not larger: same reference, qty is what it lost
    Lost = 2,      // new reference at the back of its level
    Reentered = 3  // the old order left the book, the new one is an aggressor: Executed, Rested, Discarded follow
};

enum class Cause : u8 { None = 0, User, ImmediateOrCancel, PostOnly, Timeout, Disconnect, Close };

struct MatchEvent {
    MatchEventType type;
    Side side;  // of the order `ref`
    Cause cause = Cause::None;
    Priority priority{};
    u32 instrument;
    u32 account;  // owner of `ref`
    u32 aggressor_account = 0;
    u64 ref;
    u64 tag;  // the owner's own mark of `ref`
    u64 aggressor_ref = 0;
    u64 aggressor_tag = 0;
    u64 prev_ref = 0;
    u64 match_number = 0;
    i64 px = 0;
    i64 qty = 0;
    i64 leaves = 0;  // of `ref`, afterwards
};

class MatchSink {
  public:
    virtual ~MatchSink() = default;
    virtual void on_match_event(const MatchEvent& event) = 0;
};

// How an order may trade: the part of it that a replace may change.
struct Terms {
    i64 px;   // kMarketPx: at any price, never rests
    i64 qty;  // open quantity
    Tif tif = Tif::Day;
    bool post_only = false;
    i64 min_qty = 0;  // IOC: trade at least so much at once, or nothing
};

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
    // `matches` false makes a shadow book: orders rest beside each other and never trade.
    MatchingEngine(u32 instruments, std::size_t orders_max, MatchSink& sink, bool matches = true);

    // The new order's reference; 0 when the slab is full (nothing happened). `terms.qty` must be positive.
    u64 submit(u32 instrument, u32 account, Side side, const Terms& terms, u64 tag);

    // Leaves `leaves` of a resting order; 0 takes it out. False when it is not live or would not shrink.
    bool reduce(u64 ref, i64 leaves, Cause cause);

    // New terms for a resting order of the same side; `tag` is its mark from now on. Priority is kept when px stays and
    // the size does not grow. The reference the order has now; 0 when it was not live.
    u64 replace(u64 ref, const Terms& terms, u64 tag);

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
        std::vector<Level> levels[2];
    };
    using Levels = std::vector<Level>;

    Levels& levels(u32 instrument, Side side) { return books_[instrument].levels[side == Side::Sell]; }
    const Levels& levels(u32 instrument, Side side) const { return books_[instrument].levels[side == Side::Sell]; }
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
