// An order enters: becomes what it can be now, trades what it may, then rests, waits or goes.
#include <algorithm>

#include "exchange/matching/engine.h"
#include "exchange/matching/tick_rule.h"

namespace openbell::exchange {

namespace {

// What it must trade at once, if anything.
i64 least_qty(const OpenOrder& order, i64 min_qty) {
    return order.tif == Tif::Fok ? order.leaves : std::min(min_qty, order.leaves);
}

}  // namespace

// An accepted order, in no queue yet.
void MatchingEngine::enter(OpenOrder& order, PostOnly post_only) {
    Book& book = books_[order.instrument];
    if (order.tif == Tif::AtClose || order.tif == Tif::AtOpen) return wait_for_auction(book, order);
    if (book.phase != Phase::Continuous) return collect(book, order);
    if (!order.has(kSpecial)) return arrive(book, order, {.min_qty = least_qty(order, 0), .post_only = post_only});
    switch (particulars_of(order).type) {
        case OrderType::Stop:
        case OrderType::StopLimit: return wait_for_trade(book, order);
        case OrderType::MarketToLimit:
            if (!becomes_limit(book, order)) return discard(book, order, Cause::ImmediateOrCancel);
            break;
        case OrderType::Pegged:
            if (!finds_peg_px(book, order)) return;
            break;
        case OrderType::Limit:
        case OrderType::Market: break;
    }
    arrive(book, order, arrival_of(order));
}

// In a call.
void MatchingEngine::collect(Book& book, OpenOrder& order) {
    if (order.has(kSpecial)) {
        const OrderType type = particulars_of(order).type;
        if (type == OrderType::Market) return wait_for_auction(book, order);
        if (type == OrderType::Stop || type == OrderType::StopLimit) return wait_for_trade(book, order);
        if (type == OrderType::Pegged) return void(finds_peg_px(book, order));
    }
    order.px = within_bands(book, order.side, order.px);
    order.traits |= kUnseen;
    rest(book, order, false);
}

void MatchingEngine::wait_for_auction(Book& book, OpenOrder& order) {
    order.where = Where::Waiting;
    order.traits |= kUnseen;
    order.joined = ++joins_;
    push_back(orders_, outside(book).waiting, slot_of(order.ref));
}

bool MatchingEngine::becomes_limit(Book& book, OpenOrder& order) {
    order.px = displayed_best(book, opposite(order.side)).px;
    particulars_of(order).type = OrderType::Limit;
    return order.px != 0;
}

// False when there is none: then it is parked, or gone.
bool MatchingEngine::finds_peg_px(Book& book, OpenOrder& order) {
    Outside& out = outside(book);
    if (out.pegs.empty()) out.evaluated = displayed_bests(book);
    out.pegs.push_back(order.ref);
    book.has_pegs = true;
    order.px = peg_px(book, order);
    if (order.px != 0) return true;
    order.where = Where::Parked;
    if (!may_rest(order.tif)) discard(book, order, Cause::ImmediateOrCancel);
    return false;
}

MatchingEngine::Arrival MatchingEngine::arrival_of(const OpenOrder& order) const {
    const Particulars& p = particulars_of(order);
    return {.min_qty = least_qty(order, p.min_qty),
            .group = p.self_trade == SelfTrade::Allow ? 0 : p.group,
            .self_trade = p.self_trade,
            .post_only = p.post_only};
}

void MatchingEngine::arrive(Book& book, OpenOrder& order, const Arrival& arrival) {
    const i64 limit = limit_now(book, order);
    const bool is_market = order.px == kMarketPx;
    if (!is_market) order.px = limit;
    const i64 worst_key = ladder::key_of(opposite(order.side), limit);
    bool misses_minimum = arrival.min_qty > 0;
    if (reaches(book, order.side, worst_key)) {
        if (arrival.post_only == PostOnly::Slide) order.px = px_short_of_trading(book, order.side);
        if (arrival.post_only == PostOnly::Reject || order.px == 0) return discard(book, order, Cause::PostOnly);
        misses_minimum = misses_minimum && !reaches_minimum(book, order, worst_key, arrival);
        if (arrival.post_only == PostOnly::No && !misses_minimum) trade(book, order, worst_key, arrival);
        if (order.ref == 0) return;
        if (order.leaves == 0) return retire(book, order);
    }
    if (is_market && !misses_minimum) return discard(book, order, cause_of_rest(book, order.side, worst_key));
    if (is_market || !may_rest(order.tif)) return discard(book, order, Cause::ImmediateOrCancel);
    rest(book, order, arrival.tells_rest);
}

// The worst price at which the order may trade: its limit, a market order's collar, or the band.
i64 MatchingEngine::limit_now(const Book& book, const OpenOrder& order) const {
    const i64 px = order.px == kMarketPx ? collar_px(book, order.side) : order.px;
    return within_bands(book, order.side, px);
}

i64 MatchingEngine::collar_px(const Book& book, Side side) const {
    const bool is_buy = side == Side::Buy;
    i64 from = displayed_best(book, opposite(side)).px;
    if (from == 0) from = reference_px(book.instrument);
    const EntryRules& rules = entry_rules(book);
    if (rules.market_collar_bps == 0 || from == 0) return is_buy ? kNoCeiling : 0;
    const i64 share = i64(i128(from) * rules.market_collar_bps / kBps);
    const TickTable ticks = rules.ticks();
    return is_buy ? tick_floor(ticks, from + share) : tick_ceil(ticks, std::max<i64>(0, from - share));
}

// One tick short of the best opposite order, 0: no price.
i64 MatchingEngine::px_short_of_trading(const Book& book, Side side) const {
    const i64 other = ladder::px_of(opposite(side), book.side(opposite(side)).best_key);
    const TickTable ticks = entry_rules(book).ticks();
    return side == Side::Buy ? tick_below(ticks, other) : tick_above(ticks, other);
}

// Of a market order: collared, if it leaves an opposite order beyond its bound.
Cause MatchingEngine::cause_of_rest(const Book& book, Side side, i64 worst_key) const {
    const bool is_one_beyond = levels_.below(book.side(opposite(side)), worst_key) != 0;
    return matches_ && is_one_beyond ? Cause::Collar : Cause::ImmediateOrCancel;
}

}  // namespace openbell::exchange
