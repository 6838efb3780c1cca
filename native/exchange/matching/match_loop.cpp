// An arriving order trades: best price first, at a price displayed before hidden, and what its instrument's rule says
// among those.
#include <algorithm>

#include "exchange/matching/engine.h"
#include "exchange/matching/pro_rata.h"

namespace openbell::exchange {

// Levels that are left behind hold only orders that were passed over, so the walk goes on below them.
void MatchingEngine::trade(Book& book, OpenOrder& order, i64 worst_key, const Arrival& arrival) {
    BookSide& side = book.side(opposite(order.side));
    bool left_one_behind = false;
    for (u32 at = side.best_level; at != 0 && order.leaves > 0;) {
        Level& level = levels_[at];
        const i64 key = level.key;
        if (key < worst_key) break;
        if (book.is_pro_rata)
            take_pro_rata(book, level, order, arrival);
        else
            take_in_time(book, level, order, arrival);
        if (order.leaves > 0 && level.hidden.head != 0) take_hidden(book, level, order, arrival);
        left_one_behind = left_one_behind || !level.is_empty();
        at = left_one_behind ? levels_.below(side, key) : side.best_level;
    }
}

void MatchingEngine::take_in_time(Book& book, Level& level, OpenOrder& order, const Arrival& arrival) {
    while (order.leaves > 0 && level.displayed.head != 0) {
        OpenOrder& resting = orders_[level.displayed.head];
        orders_.prefetch(resting.next);
        if (is_own(resting, arrival))
            prevent(book, level, resting, order, arrival.self_trade);
        else
            execute(book, level, resting, order, std::min(slice_qty(resting), order.leaves));
    }
}

void MatchingEngine::take_hidden(Book& book, Level& level, OpenOrder& order, const Arrival& arrival) {
    for (u32 slot = level.hidden.head; slot != 0 && order.leaves > 0;) {
        OpenOrder& resting = orders_[slot];
        slot = resting.next;
        if (resting.has(kHasMinimum) && std::min(particulars_of(resting).min_qty, resting.leaves) > order.leaves)
            continue;
        if (is_own(resting, arrival))
            prevent(book, level, resting, order, arrival.self_trade);
        else
            execute(book, level, resting, order, std::min(resting.leaves, order.leaves));
    }
}

void MatchingEngine::take_pro_rata(Book& book, Level& level, OpenOrder& order, const Arrival& arrival) {
    while (order.leaves > 0 && arrival.group != 0) {
        const u32 own = first_own(level, arrival);
        if (own == 0) break;
        prevent(book, level, orders_[own], order, arrival.self_trade);
    }
    while (order.leaves > 0 && level.displayed.head != 0) {
        if (order.leaves < level.shown_qty) return share_level(book, level, order);
        const u32 last = level.displayed.tail;  // the next slices of icebergs are shared anew
        for (u32 slot = level.displayed.head, next = 0;; slot = next) {
            OpenOrder& resting = orders_[slot];
            next = resting.next;
            execute(book, level, resting, order, slice_qty(resting));
            if (slot == last) break;
        }
    }
}

// The level has more than the order wants.
void MatchingEngine::share_level(Book& book, Level& level, OpenOrder& order) {
    shares_.clear();
    std::optional<std::size_t> top;
    for (u32 slot = level.displayed.head; slot != 0; slot = orders_[slot].next) {
        if (slot == level.top) top = shares_.size();
        shares_.push_back(slice_qty(orders_[slot]));
    }
    const std::size_t count = shares_.size();
    shares_.resize(2 * count);
    const std::span<i64> all(shares_);
    share_out(order.leaves, all.first(count), all.last(count), top, rules_[book.instrument].pro_rata);
    for (u32 slot = level.displayed.head, i = 0; i < count; ++i) {
        OpenOrder& resting = orders_[slot];
        slot = resting.next;
        if (const i64 qty = shares_[count + i]) execute(book, level, resting, order, qty);
    }
}

void MatchingEngine::execute(Book& book, Level& level, OpenOrder& resting, OpenOrder& aggressor, i64 qty) {
    take_slice(level, resting, qty);
    aggressor.leaves -= qty;
    book.open_qty -= 2 * qty;
    book.last_px = resting.px;
    if (resting.leaves == 0) leave(book, resting);
    tell_trade(resting, aggressor, qty);
    if (resting.leaves == 0)
        retire(book, resting);
    else if (slice_qty(resting) == 0)
        refresh(resting);
    if (elects(book, book.last_px)) elect(book, book.last_px);
}

// Whether the order would trade at least its minimum at once.
bool MatchingEngine::reaches_minimum(const Book& book, const OpenOrder& order, i64 worst_key,
                                     const Arrival& arrival) const {
    const BookSide& side = book.side(opposite(order.side));
    i64 wanted = arrival.min_qty;
    for (u32 at = side.best_level; at != 0 && levels_[at].key >= worst_key; at = levels_.below(side, levels_[at].key)) {
        const Level& level = levels_[at];
        const i64 own = own_qty(level, arrival);
        if (own != kNoOwn && arrival.self_trade != SelfTrade::CancelOldest) return false;
        wanted -= level.open_qty - level.picky_qty - (own == kNoOwn ? 0 : own);
        if (wanted <= 0) return true;
    }
    return false;
}

// What orders of the group without a minimum have open on a level; kNoOwn: the level holds none of the group.
i64 MatchingEngine::own_qty(const Level& level, const Arrival& arrival) const {
    i64 qty = kNoOwn;
    if (arrival.group == 0) return qty;
    for (const Queue& queue : {level.displayed, level.hidden})
        for (u32 slot = queue.head; slot != 0; slot = orders_[slot].next) {
            if (!is_own(orders_[slot], arrival)) continue;
            if (qty == kNoOwn) qty = 0;
            if (!orders_[slot].has(kHasMinimum)) qty += orders_[slot].leaves;
        }
    return qty;
}

u32 MatchingEngine::first_own(const Level& level, const Arrival& arrival) const {
    u32 slot = level.displayed.head;
    while (slot != 0 && !is_own(orders_[slot], arrival)) slot = orders_[slot].next;
    return slot;
}

// Instead of a trade within a group.
void MatchingEngine::prevent(Book& book, Level& level, OpenOrder& resting, OpenOrder& order, SelfTrade mode) {
    const i64 px = resting.px;
    const i64 qty = std::min(slice_qty(resting), order.leaves);
    if (mode == SelfTrade::Decrement) {
        take_slice(level, resting, qty);
        book.open_qty -= qty;
        if (resting.leaves == 0) leave(book, resting);
        tell_prevented(MatchEventType::Reduced, resting, {px, qty, qty, resting.has(kHidden) ? 0 : qty});
        lose_to_own(book, order, {px, qty, qty});
        if (resting.leaves == 0)
            retire(book, resting);
        else if (slice_qty(resting) == 0)
            refresh(resting);
        return;
    }
    if (mode != SelfTrade::CancelNewest) {
        const Prevented what{px, qty, resting.leaves, displayed_qty(resting)};
        leave(book, resting);
        resting.leaves = 0;
        book.open_qty -= what.lost;
        tell_prevented(MatchEventType::Reduced, resting, what);
        retire(book, resting);
    }
    if (mode != SelfTrade::CancelOldest) lose_to_own(book, order, {px, qty, order.leaves});
}

// The arriving order's part of it.
void MatchingEngine::lose_to_own(Book& book, OpenOrder& order, const Prevented& what) {
    order.leaves -= what.lost;
    book.open_qty -= what.lost;
    tell_prevented(MatchEventType::Discarded, order, what);
    if (order.leaves == 0) retire(book, order);
}

}  // namespace openbell::exchange
