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

#include <algorithm>
#include <optional>
#include <vector>

#include "exchange/matching/market_book.h"
#include "exchange/matching/match_event.h"
#include "exchange/matching/uncross.h"
#include "state.h"

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
    // Why `submit` or `replace` would refuse now, without trying.
    Refusal refuse(u32 instrument, Side side, const Terms& terms) const;
    Refusal refuse_replace(u64 ref, const Terms& terms) const;

    // Leaves `leaves` of an open order; 0 takes it out. False when it is not live or would not shrink.
    bool reduce(u64 ref, i64 leaves, Cause cause);

    // New terms for an open order of the same side, type and group; `terms.qty` is what is open afterwards; `tag` is
    // its mark from now on. The reference the order has now.
    Submitted replace(u64 ref, const Terms& terms, u64 tag);

    // Cancels every open order of the account (of one instrument, of one side), oldest first; returns how many.
    u32 mass_cancel(u32 account, std::optional<u32> instrument, std::optional<Side> side, Cause cause);

    // Runs the auction that the change brings; from continuous trading to closed there is one `with_closing_auction`.
    // The same phase again: nothing happens.
    void set_phase(u32 instrument, Phase phase, bool with_closing_auction = false);
    // Nothing trades outside lo..hi, on the tick; 0 and 0 lifts the bands.
    void set_bands(u32 instrument, i64 lo, i64 hi);

    const InstrumentRules& rules(u32 instrument) const { return rules_[instrument]; }
    Phase phase(u32 instrument) const { return books_[instrument].phase; }
    i64 last_px(u32 instrument) const { return books_[instrument].last_px; }  // 0: no trade yet
    // The last trade, before the first one the listed price.
    i64 reference_px(u32 instrument) const {
        const i64 last = last_px(instrument);
        return last != 0 ? last : rules_[instrument].listed_px;
    }
    // What the auction would do if it were now.
    Uncross indicative(u32 instrument, Auction auction) const;
    // The same as an imbalance message tells it: of the call's auction; before the close, of the closing auction.
    Indication indication(u32 instrument) const;

    const OpenOrder* find(u64 ref) const {
        const u32 slot = slot_of(ref);
        return ref != 0 && slot <= orders_.used() && orders_[slot].ref == ref ? &orders_[slot] : nullptr;
    }
    Touch touch(u32 instrument, Side side) const;            // of what is displayed
    i64 depth_qty(u32 instrument, Side side, i64 px) const;  // all that is open at px
    std::size_t open_orders() const { return open_; }
    bool full() const { return orders_.full(); }
    // Every order in the book of a side, in the order in which they would trade: visit(order, displayed quantity).
    template <class Visit>
    void walk(u32 instrument, Side side, Visit visit) const {
        levels_.for_each(books_[instrument].side(side), [&](const Level& level) {
            for (const Queue& queue : {level.displayed, level.hidden})
                for (u32 slot = queue.head; slot != 0; slot = orders_[slot].next)
                    visit(orders_[slot], displayed_qty(orders_[slot]));
        });
    }
    // What the feed shows of a side: visit(shown_ref, px, qty), best first, then by time.
    template <class Visit>
    void walk_displayed(u32 instrument, Side side, Visit visit) const {
        walk(instrument, side, [&](const OpenOrder& order, i64 qty) {
            if (const u64 ref = shown_ref(order)) visit(ref, order.px, qty);
        });
    }

    // Canonical: instruments by number, levels best first, orders by priority.
    void save(StateWriter& out) const;
    // Into an engine of the same rules and capacity. Throws Snapshot for anything else.
    void load(StateReader& in);
    u64 state_hash() const;
    // Throws Invariant when the books contradict themselves or a quantity was lost. Slow: goes through everything.
    void audit() const;

  private:
    // What an arriving order brings along, besides what the slab holds of it.
    struct Arrival {
        i64 min_qty = 0;
        u32 group = 0;
        SelfTrade self_trade = SelfTrade::Allow;
        PostOnly post_only = PostOnly::No;
        bool tells_rest = true;
    };
    // A trade with oneself that did not happen, as one of the two orders sees it.
    struct Prevented {
        i64 px = 0;
        i64 prevented = 0;
        i64 lost = 0;
        i64 shown = 0;  // of `lost`
    };
    using Book = MarketBook;

    // matching.cpp: submit, reduce, replace
    Refusal refuse_terms(u32 instrument, Side side, const Terms& terms) const;  // all but Full
    void put_terms(OpenOrder& order, const Terms& terms);
    void cancel(Book& book, OpenOrder& order, Cause cause);
    Terms with_what_stays(const OpenOrder& order, const Terms& wanted) const;
    bool keeps_place(const OpenOrder& order, const Terms& terms) const;
    void keep_place(OpenOrder& order, const Terms& terms);
    u64 give_up_place(OpenOrder& order, const Terms& terms);
    bool is_only_later(const OpenOrder& order, const Terms& terms) const;
    void count_in(u32 account) {
        if (account >= open_of_.size()) open_of_.resize(account + 1);
        ++open_of_[account];
        ++open_;
    }
    u64 next_ref(u32 slot) { return ++serial_ << kSlotBits | slot; }

    // arrival.cpp: an order enters
    void enter(OpenOrder& order, PostOnly post_only);
    bool becomes_limit(Book& book, OpenOrder& order);
    bool finds_peg_px(Book& book, OpenOrder& order);
    void collect(Book& book, OpenOrder& order);
    void wait_for_auction(Book& book, OpenOrder& order);
    void arrive(Book& book, OpenOrder& order, const Arrival& arrival);
    Arrival arrival_of(const OpenOrder& order) const;
    i64 limit_now(const Book& book, const OpenOrder& order) const;
    i64 collar_px(const Book& book, Side side) const;
    i64 px_short_of_trading(const Book& book, Side side) const;
    Cause cause_of_rest(const Book& book, Side side, i64 worst_key) const;

    // match_loop.cpp: it trades
    bool reaches(const Book& book, Side side, i64 worst_key) const {
        return matches_ && book.side(opposite(side)).best_key >= worst_key;
    }
    bool reaches_minimum(const Book& book, const OpenOrder& order, i64 worst_key, const Arrival& arrival) const;
    static constexpr i64 kNoOwn = -1;
    i64 own_qty(const Level& level, const Arrival& arrival) const;
    u32 first_own(const Level& level, const Arrival& arrival) const;
    void trade(Book& book, OpenOrder& order, i64 worst_key, const Arrival& arrival);
    void take_in_time(Book& book, Level& level, OpenOrder& order, const Arrival& arrival);
    void take_hidden(Book& book, Level& level, OpenOrder& order, const Arrival& arrival);
    void take_pro_rata(Book& book, Level& level, OpenOrder& order, const Arrival& arrival);
    void share_level(Book& book, Level& level, OpenOrder& order);
    void execute(Book& book, Level& level, OpenOrder& resting, OpenOrder& aggressor, i64 qty);
    bool is_own(const OpenOrder& resting, const Arrival& arrival) const {
        return arrival.group != 0 && resting.has(kGrouped) && particulars_of(resting).group == arrival.group;
    }
    void prevent(Book& book, Level& level, OpenOrder& resting, OpenOrder& order, SelfTrade mode);
    void lose_to_own(Book& book, OpenOrder& order, const Prevented& what);

    // resting.cpp: it stands in the book, and leaves
    void rest(Book& book, OpenOrder& order, bool tells);
    void join(Book& book, OpenOrder& order);
    void append(Book& book, OpenOrder& order);
    void claim_top(const Book& book, const OpenOrder& order);
    void leave(Book& book, OpenOrder& order);
    i64 shrink(Book& book, OpenOrder& order, i64 qty);
    void take_slice(Level& level, OpenOrder& order, i64 qty);
    void show_slice(OpenOrder& order);
    void refresh(OpenOrder& order);
    void discard(Book& book, OpenOrder& order, Cause cause);
    void retire(Book& book, OpenOrder& order);
    Touch displayed_best(const Book& book, Side side) const;
    // What it can trade at a time: of an iceberg its slice.
    i64 slice_qty(const OpenOrder& order) const {
        return order.has(kIceberg) ? particulars_of(order).shown : order.leaves;
    }
    i64 displayed_qty(const OpenOrder& order) const { return order.has(kHidden) ? 0 : slice_qty(order); }
    // As the feed knows it, 0: it does not.
    u64 shown_ref(const OpenOrder& order) const {
        if (!order.has(kHidden | kUnseen | kRenamed)) return order.ref;
        return order.has(kHidden | kUnseen) ? 0 : particulars_of(order).shown_ref;
    }
    void rename(OpenOrder& order);
    void forget_peg(Book& book, u64 ref);
    Particulars& particulars_of(const OpenOrder& order) { return particulars_[slot_of(order.ref)]; }
    const Particulars& particulars_of(const OpenOrder& order) const { return particulars_[slot_of(order.ref)]; }

    // telling.cpp
    void tell(MatchEventType type, const OpenOrder& order, i64 qty, Cause cause = Cause::None);
    void tell_shown(MatchEventType type, const OpenOrder& order);
    void tell_reduced(const OpenOrder& order, i64 qty, i64 shown, Cause cause);
    void tell_trade(const OpenOrder& resting, const OpenOrder& aggressor, i64 qty);
    void tell_prevented(MatchEventType type, const OpenOrder& order, const Prevented& what);
    void tell_replaced(const OpenOrder& order, MatchEvent change);
    void tell_moved(const OpenOrder& order, i64 prev_px, u64 prev_shown_ref);

    // consequences.cpp: stops and pegs
    void wait_for_trade(Book& book, OpenOrder& order);
    void append_stop(Book& book, OpenOrder& order);
    bool elects(const Book& book, i64 px) const {
        if (!book.has_stops) return false;
        const Outside& out = outside(book);
        return out.stops_of(Side::Buy).best_key >= ladder::key_of(stop_side(Side::Buy), px) ||
               out.stops_of(Side::Sell).best_key >= ladder::key_of(stop_side(Side::Sell), px);
    }
    void elect(Book& book, i64 px);
    void enter_elected(Book& book, OpenOrder& order);
    i64 peg_px(const Book& book, const OpenOrder& order) const;
    void evaluate_pegs(Book& book);
    void move_peg(Book& book, OpenOrder& order, i64 px);
    void move_to_band(Book& book, OpenOrder& order);
    BestPrices displayed_bests(const Book& book) const;
    void settle(Book& book) {
        if (book.has_pegs || !elected_.empty()) settle_consequences(book);
    }
    void settle_consequences(Book& book);

    // phases.cpp, auction_run.cpp
    void close(Book& book);
    void publish_collected(Book& book);
    std::vector<u64> refs_of(const Book& book) const;  // oldest first
    struct Part;
    using Parts = std::vector<Part>;
    class Gathering;
    void run_auction(Book& book, Auction auction);
    void cross(Book& book, Auction auction, const Part& buy, const Part& sell, i64 px, i64 qty);
    void take_in_auction(OpenOrder& order, i64 qty, bool is_hidden);
    void discard_waiting(Book& book, Auction auction);
    void refresh_bare(const Parts& parts);

    // engine_state.cpp
    void save_book(StateWriter& out, const Book& book) const;
    void save_order(StateWriter& out, const OpenOrder& order, bool is_top) const;
    void load_book(StateReader& in, Book& book);
    void load_order(StateReader& in, Book& book, u64 ref);

    class Audit;  // audit.cpp

    const EntryRules& entry_rules(const Book& book) const { return entry_rules_[book.rules]; }
    Outside& outside(const Book& book) { return outsides_[book.instrument]; }
    const Outside& outside(const Book& book) const { return outsides_[book.instrument]; }
    // px, or the band if it lies beyond.
    i64 within_bands(const Book& book, Side side, i64 px) const {
        if (!book.has_bands) return px;
        return side == Side::Buy ? std::min(px, outside(book).band_hi) : std::max(px, outside(book).band_lo);
    }

    std::vector<InstrumentRules> rules_;
    std::vector<EntryRules> entry_rules_;
    std::vector<Book> books_;
    std::vector<Outside> outsides_;  // of the same instrument
    Slab<OpenOrder> orders_;
    BigArray<Particulars> particulars_;  // of the same slot
    PriceLevels levels_;
    MatchSink& sink_;
    MatchEvent told_{};         // of one order; what telling does not set stays zero
    MatchEvent trade_{};        // of continuous trading
    std::vector<u64> elected_;  // stops that enter, in this order
    std::vector<u64> round_;    // pegs of an evaluation
    std::vector<i64> shares_;   // of a pro-rata level: what is open, then what is filled
    std::vector<u32> open_of_;  // by account
    u64 serial_ = 0;
    u64 joins_ = 0;
    u64 match_number_ = 0;
    std::size_t open_ = 0;
    bool matches_;
};

}  // namespace openbell::exchange
