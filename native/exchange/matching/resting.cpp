// An order stands in the book, shows what it shows, and leaves.
#include <algorithm>
#include <utility>

#include "exchange/matching/engine.h"

namespace openbell::exchange {

void MatchingEngine::rest(Book& book, OpenOrder& order, bool tells) {
    if (order.has(kIceberg)) show_slice(order);
    join(book, order);
    if (tells) tell_shown(MatchEventType::Rested, order);
}

void MatchingEngine::join(Book& book, OpenOrder& order) {
    order.where = Where::Book;
    order.joined = ++joins_;
    append(book, order);
    if (book.is_pro_rata && !order.has(kHidden)) claim_top(book, order);
}

// At the back of its queue.
void MatchingEngine::append(Book& book, OpenOrder& order) {
    order.level = levels_.find_or_open(book.side(order.side), ladder::key_of(order.side, order.px));
    Level& level = levels_[order.level];
    level.open_qty += order.leaves;
    level.shown_qty += displayed_qty(order);
    if (order.has(kHasMinimum)) level.picky_qty += order.leaves;
    push_back(orders_, order.has(kHidden) ? level.hidden : level.displayed, slot_of(order.ref));
}

// Who joins better than every displayed order of its side is filled first at its price, where the venue grants that.
void MatchingEngine::claim_top(const Book& book, const OpenOrder& order) {
    const Touch best = displayed_best(book, order.side);
    if (best.px == order.px && best.qty == slice_qty(order)) levels_[order.level].top = slot_of(order.ref);
}

// Out of whatever it waits in, with whatever it still has.
void MatchingEngine::leave(Book& book, OpenOrder& order) {
    const Where where = std::exchange(order.where, Where::Nowhere);
    if (where == Where::Waiting) return unlink(orders_, outside(book).waiting, order);
    if (where != Where::Book && where != Where::Stop) return;
    Level& level = levels_[order.level];
    level.open_qty -= order.leaves;
    if (where == Where::Book) {
        if (order.has(kHasMinimum)) level.picky_qty -= order.leaves;
        level.shown_qty -= displayed_qty(order);
        if (level.top == slot_of(order.ref)) level.top = 0;
    }
    unlink(orders_, where == Where::Book && order.has(kHidden) ? level.hidden : level.displayed, order);
    if (level.is_empty())
        levels_.close(where == Where::Book ? book.side(order.side) : outside(book).stops_of(order.side), order.level);
}

// The order loses `qty`, what it does not display first. How much of it the feed saw.
i64 MatchingEngine::shrink(Book& book, OpenOrder& order, i64 qty) {
    i64 shown = 0;
    if (order.where == Where::Book) {
        Level& level = levels_[order.level];
        shown = std::max<i64>(0, qty - (order.leaves - displayed_qty(order)));
        level.open_qty -= qty;
        level.shown_qty -= shown;
        if (order.has(kHasMinimum)) level.picky_qty -= qty;
        if (order.has(kIceberg)) particulars_of(order).shown -= shown;
    } else if (order.where == Where::Stop) {
        levels_[order.level].open_qty -= qty;
    }
    order.leaves -= qty;
    book.open_qty -= qty;
    return order.has(kUnseen) ? 0 : shown;
}

// `qty` of what it can trade is gone, by a trade or instead of one.
void MatchingEngine::take_slice(Level& level, OpenOrder& order, i64 qty) {
    order.leaves -= qty;
    level.open_qty -= qty;
    if (order.has(kHasMinimum)) level.picky_qty -= qty;
    if (order.has(kHidden)) return;
    level.shown_qty -= qty;
    if (order.has(kIceberg)) particulars_of(order).shown -= qty;
}

void MatchingEngine::show_slice(OpenOrder& order) {
    Particulars& p = particulars_of(order);
    p.shown = std::min(p.display, order.leaves);
}

// The next slice of an iceberg, at the back.
void MatchingEngine::refresh(OpenOrder& order) {
    Level& level = levels_[order.level];
    if (level.top == slot_of(order.ref)) level.top = 0;
    unlink(orders_, level.displayed, order);
    show_slice(order);
    level.shown_qty += slice_qty(order);
    push_back(orders_, level.displayed, slot_of(order.ref));
    order.joined = ++joins_;
    if (order.has(kUnseen)) return;
    rename(order);
    tell_shown(MatchEventType::Refreshed, order);
}

// The feed knows it by a new reference from now on.
void MatchingEngine::rename(OpenOrder& order) {
    if (!order.has(kSpecial | kRenamed)) particulars_of(order) = {};
    particulars_of(order).shown_ref = next_ref(slot_of(order.ref));
    order.traits |= kRenamed;
}

// What an order that is in no queue does not trade and may not rest.
void MatchingEngine::discard(Book& book, OpenOrder& order, Cause cause) {
    const i64 qty = std::exchange(order.leaves, 0);
    book.open_qty -= qty;
    tell(MatchEventType::Discarded, order, qty, cause);
    retire(book, order);
}

void MatchingEngine::retire(Book& book, OpenOrder& order) {
    if (order.has(kPegged)) forget_peg(book, order.ref);
    --open_of_[order.account];
    --open_;
    const u32 slot = slot_of(order.ref);
    order.ref = 0;
    orders_.give(slot);
}

void MatchingEngine::forget_peg(Book& book, u64 ref) {
    std::erase(outside(book).pegs, ref);
    book.has_pegs = !outside(book).pegs.empty();
}

Touch MatchingEngine::displayed_best(const Book& book, Side side) const {
    const BookSide& levels = book.side(side);
    for (u32 at = levels.best_level; at != 0; at = levels_.below(levels, levels_[at].key))
        if (levels_[at].shown_qty > 0) return {ladder::px_of(side, levels_[at].key), levels_[at].shown_qty};
    return {};
}

}  // namespace openbell::exchange
