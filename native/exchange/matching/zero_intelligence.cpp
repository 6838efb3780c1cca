#include "exchange/matching/zero_intelligence.h"

#include <algorithm>
#include <numeric>

#include "math/functions.h"

namespace openbell::exchange {
namespace {

void check(const PoissonRates& rates, i64 tick, i64 qty) {
    const auto is_rate = [](double rate) { return ob_isfinite(rate) && rate >= 0; };
    if (rates.limit.empty() || rates.cancel.empty() || !std::ranges::all_of(rates.limit, is_rate) ||
        !std::ranges::all_of(rates.cancel, is_rate) || !is_rate(rates.market) || std::ranges::max(rates.limit) <= 0 ||
        std::ranges::max(rates.cancel) <= 0)
        throw Error(
            ErrorKind::Config,
            "rates: expected finite limit, market and cancel rates, none negative, some limit orders and cancels");
    if (tick <= 0 || qty <= 0)
        throw Error(ErrorKind::Config, "tick and qty: expected to be positive, found " + std::to_string(tick) +
                                           " and " + std::to_string(qty));
}

}  // namespace

PoissonRates sky_perfect(std::size_t levels) {
    PoissonRates rates{{1.85, 1.51, 1.09, 0.88, 0.77}, 0.94, {0.71, 0.81, 0.68, 0.56, 0.47}};
    for (std::size_t i = rates.limit.size() + 1; i <= levels; ++i)
        rates.limit.push_back(1.92 * ob_pow(double(i), -0.52));
    rates.limit.resize(levels);
    return rates;
}

ZeroIntelligence::ZeroIntelligence(MatchingEngine& engine, u32 instrument, u32 account, const PoissonRates& rates,
                                   i64 tick, i64 qty, i64 start_px, u64 seed)
    : engine_(engine),
      instrument_(instrument),
      account_(account),
      tick_(tick),
      qty_(qty),
      limit_sums_(rates.limit.size()),
      market_(rates.market),
      cancel_(rates.cancel),
      best_{start_px, start_px + tick},
      rng_(seed) {
    check(rates, tick, qty);
    std::partial_sum(rates.limit.begin(), rates.limit.end(), limit_sums_.begin());
    cancel_max_ = std::ranges::max(cancel_);
}

// Every open order is offered for cancellation at the highest of the cancel rates; `maybe_cancel` refuses what its own
// rate has less (thinning). So the total is known without a look at the book, and an order that was filled meanwhile
// is an offer that comes to nothing.
double ZeroIntelligence::wait() {
    const double total = 2 * (limit_sums_.back() + market_) + cancel_max_ * double(open_.size());
    return -ob_log1p(-rng_.uniform()) / total;
}

void ZeroIntelligence::act() {
    const double one_side = limit_sums_.back() + market_;
    double at = rng_.uniform() * (2 * one_side + cancel_max_ * double(open_.size()));
    if (at >= 2 * one_side && !open_.empty()) return maybe_cancel((at - 2 * one_side) / cancel_max_);
    const Side side = at < one_side ? Side::Buy : Side::Sell;
    if (side == Side::Sell) at -= one_side;
    at < market_ ? market(side) : limit_at_distance(side, at - market_);
}

void ZeroIntelligence::cancel_all() {
    for (const Placed& order : open_) engine_.reduce(order.ref, 0, Cause::User);
    open_.clear();
}

void ZeroIntelligence::limit(Side side, i64 px) {
    const u64 ref = engine_.submit(instrument_, account_, side, {.px = px, .qty = qty_}, 0).ref;
    if (ref != 0) open_.push_back({ref, px, side});
}

// The best quote of a side; the last one it had while it is empty.
i64 ZeroIntelligence::best(Side side) {
    i64& last = best_[side == Side::Sell];
    const Touch touch = engine_.touch(instrument_, side);
    if (touch.qty > 0) last = touch.px;
    return last;
}

void ZeroIntelligence::limit_at_distance(Side side, double at) {
    const auto found = std::ranges::upper_bound(limit_sums_, at);
    const i64 index = std::min<i64>(found - limit_sums_.begin(), i64(limit_sums_.size()) - 1);
    const i64 ticks = (1 + index) * tick_;
    const i64 px = side == Side::Buy ? best(Side::Sell) - ticks : best(Side::Buy) + ticks;
    if (px > 0) limit(side, px);
}

// One unit at the best opposite quote; nothing when there is none.
void ZeroIntelligence::market(Side side) {
    if (engine_.touch(instrument_, opposite(side)).qty > 0)
        engine_.submit(instrument_, account_, side, {.px = best(opposite(side)), .qty = qty_, .tif = Tif::Ioc}, 0);
}

// `luck` is uniform in [0, open orders): its whole part chooses one, the rest decides.
void ZeroIntelligence::maybe_cancel(double luck) {
    const std::size_t index = std::min(std::size_t(luck), open_.size() - 1);
    const Placed order = open_[index];
    if ((luck - double(index)) * cancel_max_ >= cancel_rate(order)) return;
    engine_.reduce(order.ref, 0, Cause::User);
    open_[index] = open_.back();
    open_.pop_back();
}

double ZeroIntelligence::cancel_rate(const Placed& order) {
    const i64 distance = std::abs(best(opposite(order.side)) - order.px) / tick_;
    return cancel_[std::size_t(std::clamp<i64>(distance, 1, i64(cancel_.size())) - 1)];
}

}  // namespace openbell::exchange
