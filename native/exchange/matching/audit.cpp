// Everything that must hold between two inputs, whatever happened before.
#include <string>

#include "exchange/matching/engine.h"

namespace openbell::exchange {

class MatchingEngine::Audit {
  public:
    explicit Audit(const MatchingEngine& engine) : engine_(engine), met_(engine.orders_.used() + 1) {}

    void run() {
        for (const Book& book : engine_.books_) audit_book(book);
        audit_slab();
    }

  private:
    void require(bool holds, const std::string& expected, u64 found) const {
        if (holds) return;
        const std::string where = book_ ? " of '" + engine_.rules_[book_->instrument].symbol + "'" : "";
        throw Error(ErrorKind::Invariant, "matching engine, book" + where + ": expected " + expected + ", found " +
                                              std::to_string(found) + "; stop and keep the journal");
    }

    void audit_book(const Book& book) {
        book_ = &book;
        outside_ = &engine_.outside(book);
        open_qty_ = 0;
        for (const Side side : {Side::Buy, Side::Sell}) {
            audit_side(book.side(side), [&](const Level& level) { audit_level(level, side); });
            audit_side(outside_->stops_of(side), [&](const Level& level) { audit_stops(level, side); });
        }
        require(book.has_stops || !outside_->has_stops(), "stops to be known of", 0);
        require(book.has_pegs == !outside_->pegs.empty(), "pegs to be known of", outside_->pegs.size());
        audit_queue(outside_->waiting, [&](const OpenOrder& order) {
            require(order.where == Where::Waiting && order.has(kUnseen), "an order that waits for an auction",
                    order.ref);
            open_qty_ += order.leaves;
        });
        audit_pegs();
        audit_prices();
        require(book.open_qty == open_qty_,
                std::to_string(book.open_qty) + " entered, not traded and not removed to be open", u64(open_qty_));
    }

    template <class Each>
    void audit_side(const BookSide& side, Each each) {
        i64 last = std::numeric_limits<i64>::max();
        engine_.levels_.for_each(side, [&](const Level& level) {
            require(level.key < last, "levels from the best to the worst", u64(level.key));
            if (last == std::numeric_limits<i64>::max())
                require(side.best_key == level.key && &engine_.levels_[side.best_level] == &level,
                        "the best level at hand", u64(level.key));
            require(!level.is_empty(), "no empty level", u64(level.key));
            last = level.key;
            each(level);
        });
        if (side.best_block == ladder::kNone)
            require(side.best_key == kNoKey && side.best_level == 0, "no best level of an empty side", side.best_level);
    }

    // visit(order), and what holds of every order in a queue.
    template <class Visit>
    void audit_queue(const Queue& queue, Visit visit) {
        u32 prev = 0;
        u64 joined = 0;
        for (u32 slot = queue.head; slot != 0; prev = slot, slot = engine_.orders_[slot].next) {
            const OpenOrder& order = engine_.orders_[slot];
            require(slot_of(order.ref) == slot && order.prev == prev, "an order between its neighbours", order.ref);
            require(order.instrument == book_->instrument, "an order of this book", order.ref);
            require(order.leaves > 0, "an order with something open", order.ref);
            require(!met_[slot], "an order in one queue", order.ref);
            require(order.where == Where::Stop || order.joined > joined, "a queue in order of time", order.ref);
            joined = order.joined;
            met_[slot] = true;
            visit(order);
        }
        require(queue.tail == prev, "the last order at the tail", queue.tail);
    }

    void audit_level(const Level& level, Side side) {
        i64 open = 0, shown = 0, picky = 0;
        bool has_top = level.top == 0;
        const auto visit = [&](const OpenOrder& order, bool is_hidden) {
            require(order.where == Where::Book && order.has(kHidden) == is_hidden && order.side == side,
                    "an order in its queue", order.ref);
            require(ladder::key_of(side, order.px) == level.key, "an order at its price", order.ref);
            require(is_hidden || !order.has(kHasMinimum), "no displayed order with a minimum", order.ref);
            const i64 slice = engine_.slice_qty(order);
            require(slice > 0 && slice <= order.leaves, "a slice of what is open", u64(slice));
            open += order.leaves;
            shown += engine_.displayed_qty(order);
            if (order.has(kHasMinimum)) picky += order.leaves;
            has_top = has_top || slot_of(order.ref) == level.top;
        };
        audit_queue(level.displayed, [&](const OpenOrder& order) { visit(order, false); });
        audit_queue(level.hidden, [&](const OpenOrder& order) { visit(order, true); });
        require(open == level.open_qty, std::to_string(open) + " open at a level", u64(level.open_qty));
        require(shown == level.shown_qty, std::to_string(shown) + " displayed at a level", u64(level.shown_qty));
        require(picky == level.picky_qty, std::to_string(picky) + " with minimums at a level", u64(level.picky_qty));
        require(has_top, "the top order in its level", level.top);
        open_qty_ += open;
    }

    void audit_stops(const Level& level, Side side) {
        i64 open = 0;
        audit_queue(level.displayed, [&](const OpenOrder& order) {
            require(order.where == Where::Stop && order.side == side && order.has(kUnseen), "a stop", order.ref);
            open += order.leaves;
        });
        require(open == level.open_qty, std::to_string(open) + " in stops of one price", u64(level.open_qty));
        open_qty_ += open;
    }

    void audit_pegs() {
        u64 last = 0;
        for (u64 ref : outside_->pegs) {
            const OpenOrder* order = engine_.find(ref);
            require(ref > last && order && order->has(kPegged), "pegs, oldest first", ref);
            require(order->px == engine_.peg_px(*book_, *order), "a peg at its price", ref);
            require((order->px == 0) == (order->where == Where::Parked), "a peg without a price to be parked", ref);
            last = ref;
            if (order->where != Where::Parked) continue;
            require(!met_[slot_of(ref)], "a parked peg in no queue", ref);
            met_[slot_of(ref)] = true;
            open_qty_ += order->leaves;
        }
        if (!outside_->pegs.empty())
            require(outside_->evaluated == engine_.displayed_bests(*book_), "pegs evaluated at the best prices", last);
    }

    // In continuous trading nobody is left who would trade with each other.
    void audit_prices() const {
        if (book_->phase != Phase::Continuous) return;
        require(book_->last_px == 0 || !engine_.elects(*book_, book_->last_px), "no stop that is met",
                u64(book_->last_px));
        if (!engine_.matches_) return;
        const i64 bid = best_without_minimum(Side::Buy), ask = best_without_minimum(Side::Sell);
        require(bid == 0 || ask == 0 || bid < ask, "a bid below " + std::to_string(ask), u64(bid));
    }
    i64 best_without_minimum(Side side) const {
        i64 px = 0;
        engine_.levels_.for_each(book_->side(side), [&](const Level& level) {
            if (px == 0 && level.open_qty > level.picky_qty) px = ladder::px_of(side, level.key);
        });
        return px;
    }

    void audit_slab() {
        book_ = nullptr;
        std::size_t open = 0;
        std::vector<u32> open_of(engine_.open_of_.size());
        for (u32 slot = 1; slot <= engine_.orders_.used(); ++slot) {
            const OpenOrder& order = engine_.orders_[slot];
            require((order.ref != 0) == met_[slot], "every open order in one place", order.ref);
            if (order.ref == 0) continue;
            ++open;
            ++open_of.at(order.account);
        }
        require(open == engine_.open_, std::to_string(open) + " open orders", engine_.open_);
        require(open_of == engine_.open_of_, "open orders by account", open);
        std::size_t free = 0;
        for (u32 slot = engine_.orders_.first_free(); slot != 0 && free <= met_.size();
             slot = engine_.orders_[slot].next)
            free += engine_.orders_[slot].ref == 0;
        require(open + free == engine_.orders_.used(), "every slot open or free", open + free);
    }

    const MatchingEngine& engine_;
    const Book* book_ = nullptr;
    const Outside* outside_ = nullptr;
    std::vector<bool> met_;  // by slot: found where it stands
    i64 open_qty_ = 0;
};

void MatchingEngine::audit() const { Audit(*this).run(); }

}  // namespace openbell::exchange
