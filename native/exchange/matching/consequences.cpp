// What an input sets off in orders that wait: stops are elected, pegs follow the displayed prices.
#include <algorithm>

#include "exchange/matching/engine.h"
#include "exchange/matching/tick_rule.h"

namespace openbell::exchange {

// Pegs while a best price has changed, then one elected stop, and so on until nothing is left to do.
void MatchingEngine::settle_consequences(Book& book) {
    for (std::size_t next = 0;;) {
        if (book.pegs_are_stale || (book.has_pegs && outside(book).evaluated != displayed_bests(book)))
            evaluate_pegs(book);
        else if (next < elected_.size())
            enter_elected(book, orders_[slot_of(elected_[next++])]);
        else
            break;
    }
    elected_.clear();
}

BestPrices MatchingEngine::displayed_bests(const Book& book) const {
    return {displayed_best(book, Side::Buy).px, displayed_best(book, Side::Sell).px};
}

// ---- stops ---------------------------------------------------------------------------------------

void MatchingEngine::wait_for_trade(Book& book, OpenOrder& order) {
    order.where = Where::Stop;
    order.traits |= kUnseen;
    append_stop(book, order);
    const bool trades_now = book.phase == Phase::Continuous && book.last_px != 0;
    if (trades_now && elects(book, book.last_px)) elect(book, book.last_px);
}

void MatchingEngine::append_stop(Book& book, OpenOrder& order) {
    const i64 key = ladder::key_of(stop_side(order.side), particulars_of(order).stop_px);
    order.level = levels_.find_or_open(outside(book).stops_of(order.side), key);
    book.has_stops = true;
    levels_[order.level].open_qty += order.leaves;
    push_back(orders_, levels_[order.level].displayed, slot_of(order.ref));
}

// Queues the stops that a trade at px elects, oldest first.
void MatchingEngine::elect(Book& book, i64 px) {
    const auto begin = elected_.size();
    for (const Side side : {Side::Buy, Side::Sell}) {
        BookSide& stops = outside(book).stops_of(side);
        const i64 worst_key = ladder::key_of(stop_side(side), px);
        while (stops.best_key >= worst_key) {
            Level& level = levels_[stops.best_level];
            for (u32 slot = level.displayed.head; slot != 0; slot = orders_[slot].next) {
                orders_[slot].where = Where::Elected;
                elected_.push_back(orders_[slot].ref);
            }
            levels_.close(stops, stops.best_level);
        }
    }
    std::sort(elected_.begin() + std::ptrdiff_t(begin), elected_.end());
    book.has_stops = outside(book).has_stops();
}

void MatchingEngine::enter_elected(Book& book, OpenOrder& order) {
    Particulars& p = particulars_of(order);
    p.type = p.type == OrderType::Stop ? OrderType::Market : OrderType::Limit;
    order.where = Where::Nowhere;
    order.traits &= u8(~kUnseen);
    tell(MatchEventType::Triggered, order, order.leaves);
    arrive(book, order, arrival_of(order));
}

// ---- pegs ----------------------------------------------------------------------------------------

// 0: without a price.
i64 MatchingEngine::peg_px(const Book& book, const OpenOrder& order) const {
    if (book.phase != Phase::Continuous) return 0;
    const Particulars& p = particulars_of(order);
    const TickTable ticks = entry_rules(book).ticks();
    const bool is_buy = order.side == Side::Buy;
    const i64 own = displayed_best(book, order.side).px;
    const i64 other = displayed_best(book, opposite(order.side)).px;
    const bool has_prices = p.peg == Peg::Primary ? own != 0 : p.peg == Peg::Market ? other != 0 : own && other;
    if (!has_prices) return 0;

    i64 px = p.peg == Peg::Primary ? own : p.peg == Peg::Market ? other : (own + other + !is_buy) / 2;
    px += is_buy ? p.peg_offset : -p.peg_offset;
    if (px <= 0) return 0;
    if (p.peg != Peg::Mid) {
        px = is_buy ? tick_floor(ticks, px) : tick_ceil(ticks, px);
        if (other != 0) px = is_buy ? std::min(px, tick_below(ticks, other)) : std::max(px, tick_above(ticks, other));
    }
    if (px == 0) return 0;
    if (p.limit != kMarketPx) px = is_buy ? std::min(px, p.limit) : std::max(px, p.limit);
    return within_bands(book, order.side, px);
}

// Oldest first, each against the book that it finds.
void MatchingEngine::evaluate_pegs(Book& book) {
    outside(book).evaluated = displayed_bests(book);
    book.pegs_are_stale = false;
    round_ = outside(book).pegs;
    for (u64 ref : round_) {
        if (!find(ref)) continue;
        OpenOrder& order = orders_[slot_of(ref)];
        const i64 px = peg_px(book, order);
        if (px != order.px) move_peg(book, order, px);
    }
}

void MatchingEngine::move_peg(Book& book, OpenOrder& order, i64 px) {
    const i64 prev_px = order.px;
    leave(book, order);
    order.px = px;
    order.where = px == 0 ? Where::Parked : Where::Nowhere;
    tell_moved(order, prev_px, 0);
    if (px == 0) return;
    Arrival arrival = arrival_of(order);
    arrival.tells_rest = false;
    arrive(book, order, arrival);
}

}  // namespace openbell::exchange
