// The matching engine: the rules of docs/rulebook.md. A library: it reads no clock, knows no protocol and does no I/O.
//
// Open orders live in one slab of fixed capacity, price levels on ladders (price_levels.h). A plain limit order touches
// its own 64 bytes, its neighbours and its level; whatever makes an order special lies beside the slab and is looked at
// only when a bit says so. What happened is told to a sink in the order in which it happened; a sink may look at the
// engine while it is told, but not change it.
//
// Nothing is allocated after construction but by the lists of pegs, of elected stops, of a pro-rata level's orders, of
// accounts and of what an auction, a mass cancel or a close goes through; they grow to their largest and stay.
//
// Prices are in the instrument's fixed decimal, quantities in units.
#pragma once

#include <optional>
#include <vector>

#include "error.h"
#include "exchange/instrument_rules.h"
#include "exchange/match_event.h"
#include "exchange/price_levels.h"
#include "exchange/refusal.h"

namespace openbell::exchange {

struct Touch {
    i64 px = 0;
    i64 qty = 0;  // 0: the side is empty
};

class MatchingEngine {
  public:
    static constexpr std::size_t kInstrumentsMax = 0xFFFF;

    // Every instrument begins Closed. `matches` false makes a shadow book: orders rest beside each other and never
    // trade. Throws Config for rules that cannot be.
    MatchingEngine(std::vector<InstrumentRules> rules, std::size_t orders_max, MatchSink& sink, bool matches = true);

    // A refused order changes nothing and tells nothing.
    Submitted submit(u32 instrument, u32 account, Side side, const Terms& terms, u64 tag);
    // Why `submit` would refuse the order now, without trying.
    Refusal refuse(u32 instrument, Side side, const Terms& terms) const;

    // Leaves `leaves` of an open order; 0 takes it out. False when it is not live or would not shrink.
    bool reduce(u64 ref, i64 leaves, Cause cause);

    // New terms for an open order of the same side, type and group; `terms.qty` is what is open afterwards; `tag` is its
    // mark from now on. The reference the order has now.
    Submitted replace(u64 ref, const Terms& terms, u64 tag);

    // Cancels every open order of the account (of one instrument, of one side), oldest first; returns how many.
    u32 mass_cancel(u32 account, std::optional<u32> instrument, std::optional<Side> side, Cause cause);

    // The same phase again: nothing happens.
    void set_phase(u32 instrument, Phase phase);

    const InstrumentRules& rules(u32 instrument) const { return rules_[instrument]; }
    Phase phase(u32 instrument) const { return books_[instrument].phase; }
    i64 last_px(u32 instrument) const { return books_[instrument].last_px; }  // 0: no trade yet
    i64 reference_px(u32 instrument) const;                                   // the last trade, else the listed price
    const OpenOrder* find(u64 ref) const {
        const u32 slot = slot_of(ref);
        return ref != 0 && slot <= orders_.used() && orders_[slot].ref == ref ? &orders_[slot] : nullptr;
    }
    Touch touch(u32 instrument, Side side) const;            // of what is displayed
    i64 depth_qty(u32 instrument, Side side, i64 px) const;  // all that is open at px
    std::size_t open_orders() const { return open_; }
    bool full() const { return orders_.full(); }

  private:
    struct Book {
        BookSide sides[2];  // bids, asks
        BookSide stops[2];  // to sell, to buy: by stop_side
        Phase phase = Phase::Closed;
        bool is_pro_rata = false;
        i64 last_px = 0;
        i64 entered = 0;  // quantities since the beginning: entered = traded + removed + open
        i64 traded = 0;
        i64 removed = 0;
    };
    // What an arriving order brings along, besides what the slab holds of it.
    struct Arrival {
        i64 worst_key = 0;  // of the opposite levels it may trade with
        i64 min_qty = 0;
        u32 group = 0;
        SelfTrade self_trade = SelfTrade::Allow;
        PostOnly post_only = PostOnly::No;
        bool tells_rest = true;
    };

    // entry.cpp
    Refusal refuse_terms(u32 instrument, Side side, const Terms& terms) const;  // all but Full
    void enter(OpenOrder& order, PostOnly post_only);
    void arrive(Book& book, OpenOrder& order, Arrival& arrival);
    Arrival arrival_of(const OpenOrder& order, PostOnly post_only) const;
    void keep_place(OpenOrder& order, const Terms& terms);
    bool keeps_place(const OpenOrder& order, const Terms& terms) const;
    bool is_lost_only(const OpenOrder& order, const Terms& terms) const;
    void put_terms(OpenOrder& order, const Terms& terms);
    u64 next_ref(u32 slot) { return ++serial_ << kSlotBits | slot; }

    // match_loop.cpp
    bool reaches(const Book& book, Side side, i64 worst_key) const {
        return matches_ && book.sides[index_of(opposite(side))].best_key >= worst_key;
    }
    bool reaches_minimum(const Book& book, const OpenOrder& order, const Arrival& arrival) const;
    void trade(Book& book, OpenOrder& order, const Arrival& arrival);
    void take_level(Book& book, Level& level, OpenOrder& order, const Arrival& arrival);
    void execute(Book& book, Level& level, OpenOrder& resting, OpenOrder& aggressor, i64 qty);

    // resting.cpp
    void rest(Book& book, OpenOrder& order, bool tells);
    void join(Book& book, OpenOrder& order);
    void leave(Book& book, OpenOrder& order);
    i64 take_from(OpenOrder& order, i64 qty);
    i64 shown_qty(const OpenOrder& order) const;
    u64 shown_ref(const OpenOrder& order) const;
    void discard(Book& book, OpenOrder& order, Cause cause);
    void retire(OpenOrder& order);

    void tell(MatchEventType type, const OpenOrder& order, i64 qty, Cause cause = Cause::None);

    static u32 index_of(Side side) { return side == Side::Sell; }

    std::vector<InstrumentRules> rules_;
    std::vector<Book> books_;
    Slab<OpenOrder> orders_;
    std::unique_ptr<Particulars[]> particulars_;
    PriceLevels levels_;
    MatchSink& sink_;
    MatchEvent told_{};   // of one order; what `tell` does not set stays zero
    MatchEvent trade_{};  // in continuous trading
    std::vector<u32> open_of_;  // by account
    u64 serial_ = 0;
    u64 joins_ = 0;
    u64 match_number_ = 0;
    std::size_t open_ = 0;
    bool matches_;
};

}  // namespace openbell::exchange
