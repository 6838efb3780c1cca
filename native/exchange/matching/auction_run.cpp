// An auction: who takes part, at which price, and who trades with whom.
#include <algorithm>
#include <tuple>

#include "exchange/matching/engine.h"

namespace openbell::exchange {

// What an order brings to an auction: of an iceberg its slice and its reserve are two parts.
struct MatchingEngine::Part {
    u32 slot;
    bool is_market;
    bool is_hidden;
    i64 key;  // of its own side: greater trades first
    u64 joined;
    i64 qty;

    auto rank() const { return std::tuple(!is_market, -key, is_hidden, joined); }
};
namespace {

// Whether an order that waits outside the book waits for this auction.
bool waits_for(const OpenOrder& order, Auction auction) {
    if (order.tif == Tif::AtOpen) return auction == Auction::Opening;
    return order.tif != Tif::AtClose || auction == Auction::Closing;
}

// The sums of an auction side by price, and what waits for any price.
struct Curve {
    Curve(const auto& parts, Side side) {
        for (const auto& part : parts) {
            const i64 px = ladder::px_of(side, part.key);
            if (part.is_market)
                market_qty += part.qty;
            else if (!levels.empty() && levels.back().px == px)
                levels.back().qty += part.qty;
            else
                levels.push_back({px, part.qty});
        }
    }
    AuctionSide view() const { return {market_qty, levels}; }

    i64 market_qty = 0;
    std::vector<AuctionLevel> levels;
};

PxRange range_of(const Outside& out) { return {std::max<i64>(1, out.band_lo), out.band_hi}; }

}  // namespace

// Collects who takes part in an auction.
class MatchingEngine::Gathering {
  public:
    Gathering(const MatchingEngine& engine, const Book& book, Auction auction)
        : engine_(engine), book_(book), auction_(auction) {}

    // Of the orders that wait for it outside the book, or of these and the book; in the order in which they are filled.
    Parts parts(Side side, bool with_book) const {
        Parts out;
        for (u32 slot = engine_.outside(book_).waiting.head; slot != 0; slot = engine_.orders_[slot].next) {
            const OpenOrder& order = engine_.orders_[slot];
            if (order.side == side && waits_for(order, auction_) && !order.has(kHasMinimum))
                out.push_back(part(slot, order.leaves, false));
        }
        if (with_book) add_book(side, out);
        std::sort(out.begin(), out.end(), [](const Part& a, const Part& b) { return a.rank() < b.rank(); });
        return out;
    }

  private:
    void add_book(Side side, Parts& out) const {
        engine_.levels_.for_each(book_.side(side), [&](const Level& level) {
            for (u32 slot = level.displayed.head; slot != 0; slot = engine_.orders_[slot].next) {
                const OpenOrder& order = engine_.orders_[slot];
                const i64 slice = engine_.slice_qty(order);
                out.push_back(part(slot, slice, false));
                if (order.leaves > slice) out.push_back(part(slot, order.leaves - slice, true));
            }
            for (u32 slot = level.hidden.head; slot != 0; slot = engine_.orders_[slot].next)
                if (const OpenOrder& order = engine_.orders_[slot]; !order.has(kHasMinimum | kPegged))
                    out.push_back(part(slot, order.leaves, true));
        });
    }
    Part part(u32 slot, i64 qty, bool is_hidden) const {
        const OpenOrder& order = engine_.orders_[slot];
        const bool is_market = order.px == kMarketPx;
        return {slot, is_market, is_hidden, is_market ? 0 : ladder::key_of(order.side, order.px), order.joined, qty};
    }

    const MatchingEngine& engine_;
    const Book& book_;
    Auction auction_;
};

void MatchingEngine::run_auction(Book& book, Auction auction) {
    const Gathering all(*this, book, auction);
    Parts buys = all.parts(Side::Buy, true), sells = all.parts(Side::Sell, true);
    Uncross at = matches_ ? indicative(book.instrument, auction) : Uncross{};
    if (at.volume == 0) at.px = 0;

    i64 left = at.volume;
    for (auto buy = buys.begin(), sell = sells.begin(); left > 0;) {
        const i64 qty = std::min({buy->qty, sell->qty, left});
        cross(book, auction, *buy, *sell, at.px, qty);
        left -= qty;
        if ((buy->qty -= qty) == 0) ++buy;
        if ((sell->qty -= qty) == 0) ++sell;
    }
    if (at.volume > 0) book.last_px = at.px;
    sink_.on_match_event({.type = MatchEventType::Crossed,
                          .auction = auction,
                          .is_auction = true,
                          .instrument = book.instrument,
                          .px = at.px,
                          .qty = at.volume});
    discard_waiting(book, auction);
    buys.insert(buys.end(), sells.begin(), sells.end());
    refresh_bare(buys);
}

// One trade at the auction's price.
void MatchingEngine::cross(Book& book, Auction auction, const Part& buy, const Part& sell, i64 px, i64 qty) {
    OpenOrder& buyer = orders_[buy.slot];
    OpenOrder& seller = orders_[sell.slot];
    take_in_auction(buyer, qty, buy.is_hidden);
    take_in_auction(seller, qty, sell.is_hidden);
    book.open_qty -= 2 * qty;
    sink_.on_match_event({.type = MatchEventType::Executed,
                          .side = Side::Buy,
                          .auction = auction,
                          .is_auction = true,
                          .instrument = book.instrument,
                          .account = buyer.account,
                          .aggressor_account = seller.account,
                          .ref = buyer.ref,
                          .tag = buyer.tag,
                          .shown_ref = buy.is_hidden ? 0 : shown_ref(buyer),
                          .aggressor_ref = seller.ref,
                          .aggressor_tag = seller.tag,
                          .aggressor_shown_ref = sell.is_hidden ? 0 : shown_ref(seller),
                          .match_number = ++match_number_,
                          .px = px,
                          .qty = qty,
                          .leaves = buyer.leaves,
                          .aggressor_leaves = seller.leaves});
    for (OpenOrder* order : {&buyer, &seller}) {
        if (order->leaves > 0) continue;
        leave(book, *order);
        retire(book, *order);
    }
}

// Of an order in the book, or of one that waits outside.
void MatchingEngine::take_in_auction(OpenOrder& order, i64 qty, bool is_hidden) {
    order.leaves -= qty;
    if (order.where != Where::Book) return;
    Level& level = levels_[order.level];
    level.open_qty -= qty;
    if (is_hidden) return;
    level.shown_qty -= qty;
    if (order.has(kIceberg)) particulars_of(order).shown -= qty;
}

// What was for this auction only.
void MatchingEngine::discard_waiting(Book& book, Auction auction) {
    std::vector<u64> refs;
    for (u32 slot = outside(book).waiting.head; slot != 0; slot = orders_[slot].next)
        if (waits_for(orders_[slot], auction)) refs.push_back(orders_[slot].ref);
    std::sort(refs.begin(), refs.end());
    for (u64 ref : refs) {
        leave(book, orders_[slot_of(ref)]);
        discard(book, orders_[slot_of(ref)], Cause::AuctionOver);
    }
}

// Icebergs whose slice is gone show the next.
void MatchingEngine::refresh_bare(const Parts& parts) {
    std::vector<u64> refs;
    for (const Part& part : parts) {
        const OpenOrder& order = orders_[part.slot];
        if (!part.is_hidden && order.ref != 0 && slice_qty(order) == 0) refs.push_back(order.ref);
    }
    std::sort(refs.begin(), refs.end());
    for (u64 ref : refs) refresh(orders_[slot_of(ref)]);
}

Uncross MatchingEngine::indicative(u32 instrument, Auction auction) const {
    const Book& book = books_[instrument];
    const Gathering all(*this, book, auction);
    const Curve bids(all.parts(Side::Buy, true), Side::Buy), asks(all.parts(Side::Sell, true), Side::Sell);
    return uncross({bids.view(), asks.view()}, rules_[instrument].ticks, reference_px(instrument),
                   range_of(outside(book)));
}

Indication MatchingEngine::indication(u32 instrument) const {
    const Book& book = books_[instrument];
    const Gathering all(*this, book, auction_of(book.phase));
    const Curve own_bids(all.parts(Side::Buy, false), Side::Buy), own_asks(all.parts(Side::Sell, false), Side::Sell);
    const Curve bids(all.parts(Side::Buy, true), Side::Buy), asks(all.parts(Side::Sell, true), Side::Sell);
    PxRange range = range_of(outside(book));
    if (book.phase == Phase::Continuous) {
        const BestPrices best = displayed_bests(book);
        if (best.bid != 0) range.lo = std::max(range.lo, best.bid);
        if (best.ask != 0) range.hi = std::min(range.hi, best.ask);
    }
    return indicate({own_bids.view(), own_asks.view()}, {bids.view(), asks.view()}, rules_[instrument].ticks,
                    reference_px(instrument), range);
}

}  // namespace openbell::exchange
