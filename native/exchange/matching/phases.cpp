// Phases of an instrument, its price bands, and what changes with them.
#include <algorithm>

#include "exchange/matching/engine.h"
#include "exchange/matching/tick_rule.h"

namespace openbell::exchange {
namespace {

// The auction that a change of phase runs, if any.
std::optional<Auction> auction_before(Phase next, const MarketBook& book, bool with_closing_auction) {
    const bool ends_something = next == Phase::Continuous || next == Phase::Closed;
    if (is_call(book.phase) && ends_something) return auction_of(book.phase);
    if (book.phase == Phase::Continuous && next == Phase::Closed && with_closing_auction) return Auction::Closing;
    if (next == Phase::Continuous && book.owes_auction) return Auction::Reopening;
    return {};
}

}  // namespace

void MatchingEngine::set_phase(u32 instrument, Phase phase, bool with_closing_auction) {
    Book& book = books_[instrument];
    if (book.phase == phase) return;
    const std::optional<Auction> auction = auction_before(phase, book, with_closing_auction);
    if (book.phase == Phase::Closed) book.closing_is_over = false;
    if (auction) run_auction(book, *auction);
    if (auction == Auction::Closing) book.closing_is_over = true;
    book.owes_auction = !auction && (book.owes_auction || is_call(book.phase));
    book.phase = phase;
    sink_.on_match_event({.type = MatchEventType::PhaseChanged, .phase = phase, .instrument = instrument});
    if (phase == Phase::Closed) close(book);
    if (auction) publish_collected(book);
    book.pegs_are_stale = true;
    if (phase == Phase::Continuous && book.last_px != 0) elect(book, book.last_px);
    settle_consequences(book);
}

void MatchingEngine::close(Book& book) {
    for (u64 ref : refs_of(book)) {
        OpenOrder& order = orders_[slot_of(ref)];
        if (order.tif != Tif::Gtc && order.tif != Tif::Gtd) cancel(book, order, Cause::Close);
    }
}

void MatchingEngine::publish_collected(Book& book) {
    const auto publish = [this](const Queue& queue) {
        for (u32 slot = queue.head; slot != 0; slot = orders_[slot].next) {
            OpenOrder& order = orders_[slot];
            if (!order.has(kUnseen)) continue;
            order.traits &= u8(~kUnseen);
            tell_shown(MatchEventType::Rested, order);
        }
    };
    for (const BookSide& side : book.sides)
        levels_.for_each(side, [&](const Level& level) {
            publish(level.displayed);
            publish(level.hidden);
        });
}

std::vector<u64> MatchingEngine::refs_of(const Book& book) const {
    std::vector<u64> refs;
    const auto add = [&](const Queue& queue) {
        for (u32 slot = queue.head; slot != 0; slot = orders_[slot].next) refs.push_back(orders_[slot].ref);
    };
    const Outside& out = outside(book);
    for (const auto* sides : {book.sides, out.stops})
        for (const BookSide& side : {sides[0], sides[1]})
            levels_.for_each(side, [&](const Level& level) {
                add(level.displayed);
                add(level.hidden);
            });
    add(out.waiting);
    for (u64 ref : out.pegs)
        if (orders_[slot_of(ref)].where == Where::Parked) refs.push_back(ref);
    std::sort(refs.begin(), refs.end());
    return refs;
}

void MatchingEngine::set_bands(u32 instrument, i64 lo, i64 hi) {
    Book& book = books_[instrument];
    const TickTable ticks = rules_[instrument].ticks;
    const bool are_bands =
        lo >= 0 && lo <= hi && hi <= kPxMax && tick_floor(ticks, lo) == lo && tick_floor(ticks, hi) == hi;
    if (!are_bands)
        throw Error(ErrorKind::Config, "bands of '" + rules_[instrument].symbol +
                                           "': expected two prices on the tick, the lower first, found " +
                                           std::to_string(lo) + " and " + std::to_string(hi));
    outside(book).band_lo = lo;
    outside(book).band_hi = hi != 0 ? hi : kNoCeiling;
    book.has_bands = lo != 0 || hi != 0;
    for (u64 ref : refs_of(book)) {
        OpenOrder& order = orders_[slot_of(ref)];
        const bool is_beyond = within_bands(book, order.side, order.px) != order.px;
        if (order.where == Where::Book && !order.has(kPegged) && is_beyond) move_to_band(book, order);
    }
    book.pegs_are_stale = true;
    settle_consequences(book);
}

void MatchingEngine::move_to_band(Book& book, OpenOrder& order) {
    const i64 prev_px = order.px;
    const u64 prev_shown_ref = shown_ref(order);
    leave(book, order);
    order.px = within_bands(book, order.side, prev_px);
    join(book, order);
    if (prev_shown_ref != 0) rename(order);
    tell_moved(order, prev_px, prev_shown_ref);
}

}  // namespace openbell::exchange
