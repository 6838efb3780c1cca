#include "exchange/matching/uncross.h"

#include <algorithm>

namespace openbell::exchange {
namespace {

constexpr i64 kNoLowest = 0;
constexpr i64 kNoHighest = std::numeric_limits<i64>::max();

// Neighbouring prices at which the same orders would trade.
struct Plateau {
    i64 low = kNoLowest;
    i64 high = kNoHighest;
    i128 buys = 0;
    i128 sells = 0;

    i128 volume() const { return std::min(buys, sells); }
    i128 surplus() const { return buys - sells; }
    i128 excess() const { return std::max(buys, sells) - volume(); }
};

// Walks the plateaus from the lowest prices to the highest.
class Plateaus {
  public:
    Plateaus(const AuctionBook& book, TickTable ticks)
        : ticks_(ticks), bids_(book.buys.levels), asks_(book.sells.levels) {
        at_.buys = book.buys.market_qty;
        for (const AuctionLevel& level : bids_) at_.buys += level.qty;
        at_.sells = book.sells.market_qty;
        at_.high = end();
    }
    const Plateau& operator*() const { return at_; }
    bool is_last() const { return bids_.empty() && asks_.empty(); }

    void advance() {
        at_.low = tick_above(ticks_, at_.high);
        while (!bids_.empty() && bid() < at_.low) {
            at_.buys -= bids_.back().qty;
            bids_ = bids_.first(bids_.size() - 1);
        }
        while (!asks_.empty() && ask() <= at_.low) {
            at_.sells += asks_.front().qty;
            asks_ = asks_.subspan(1);
        }
        at_.high = end();
    }

  private:
    i64 bid() const { return tick_floor(ticks_, bids_.back().px); }  // the last tick that it accepts
    i64 ask() const { return tick_ceil(ticks_, asks_.front().px); }
    i64 end() const {
        const i64 last_with_bid = bids_.empty() ? kNoHighest : bid();
        const i64 last_without_ask = asks_.empty() ? kNoHighest : tick_below(ticks_, ask());
        return std::min(last_with_bid, last_without_ask);
    }

    TickTable ticks_;
    std::span<const AuctionLevel> bids_;
    std::span<const AuctionLevel> asks_;
    Plateau at_;
};

// The prices that rules 1 and 2 leave, as at most two plateaus that adjoin: volume has one summit, and the surplus
// falls with the price, so it is equally large on both sides of zero at most.
struct Candidates {
    Plateau lowest{};
    Plateau highest{};

    void consider(const Plateau& p) {
        const bool is_better =
            p.volume() != highest.volume() ? p.volume() > highest.volume() : p.excess() < highest.excess();
        if (is_better) lowest = p;
        if (is_better || (p.volume() == highest.volume() && p.excess() == highest.excess())) highest = p;
    }
};

// Rules 3 and 4. Where the direction of the surplus has no end, there is only the reference to go by.
i64 price_among(const Candidates& left, TickTable ticks, i64 reference) {
    i64 low = left.lowest.low, high = left.highest.high;
    if (left.lowest.surplus() > 0 && left.lowest.high != kNoHighest) low = left.lowest.high;
    if (left.highest.surplus() < 0 && left.highest.low != kNoLowest) high = left.highest.low;
    if (reference > 0) return std::clamp(std::max(tick_nearest(ticks, reference), ticks.front().tick), low, high);
    if (low != kNoLowest) return low;
    return high == kNoHighest ? 0 : high;
}

i64 held_to_64_bits(i128 v) {
    return i64(std::clamp<i128>(v, std::numeric_limits<i64>::min(), std::numeric_limits<i64>::max()));
}

i128 quantity_at(const AuctionSide& side, auto accepts) {
    i128 sum = side.market_qty;
    for (const AuctionLevel& level : side.levels)
        if (accepts(level.px)) sum += level.qty;
    return sum;
}

Uncross at_price(const AuctionBook& book, i64 px) {
    const i128 buys = quantity_at(book.buys, [px](i64 limit) { return limit >= px; });
    const i128 sells = quantity_at(book.sells, [px](i64 limit) { return limit <= px; });
    return {px, held_to_64_bits(std::min(buys, sells)), held_to_64_bits(buys - sells)};
}

}  // namespace

Uncross uncross(const AuctionBook& book, TickTable ticks, i64 reference, PxRange range) {
    Plateaus at(book, ticks);
    // Below the lowest tick there is no price: where an order accepts no less, the walk begins above that plateau.
    if ((*at).high < ticks.front().tick) at.advance();
    Candidates left{*at, *at};
    while (!at.is_last()) {
        at.advance();
        left.consider(*at);
    }
    const i64 px = price_among(left, ticks, reference);
    // Both volume and surplus only get worse away from px, so within a range the nearest tick is the best.
    const i64 lo = tick_ceil(ticks, std::max<i64>(range.lo, 1)), hi = tick_floor(ticks, range.hi);
    if (px == 0 || lo > hi) return {};
    return at_price(book, std::clamp(px, lo, hi));
}

Indication indicate(const AuctionBook& own, const AuctionBook& all, TickTable ticks, i64 reference, PxRange inside) {
    const Uncross far = uncross(own, ticks, reference);
    const Uncross near = uncross(all, ticks, reference);
    const Uncross counted = uncross(all, ticks, reference, inside);
    return {far.volume ? far.px : 0, near.volume ? near.px : 0, counted.px, counted.volume, counted.surplus};
}

char price_variation(i64 near_px, i64 reference_px) {
    if (near_px <= 0 || reference_px <= 0) return ' ';
    const i128 distance = near_px > reference_px ? near_px - reference_px : reference_px - near_px;
    const i128 percent = distance * 100 / reference_px;
    if (percent < 1) return 'L';
    if (percent < 10) return char('0' + int(percent));
    return percent < 20 ? 'A' : percent < 30 ? 'B' : 'C';
}

}  // namespace openbell::exchange
