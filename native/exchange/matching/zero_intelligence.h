// Zero-intelligence order flow: Poisson arrivals of limit orders, market orders and cancels, by distance from the
// opposite best quote. R. Cont, S. Stoikov, R. Talreja, "A stochastic model for order book dynamics" (2010), section 2.
//
// The book of the matching engine is the state; the flow remembers its own open orders, to choose which it cancels.
// It reads no clock: `wait` says how long until the next event, and the caller lets that much time pass before `act`.
#pragma once

#include <array>
#include <vector>

#include "exchange/matching/engine.h"
#include "rng.h"

namespace openbell::exchange {

// Events a unit of time. Index i - 1 is of distance i, in ticks from the opposite best quote.
struct PoissonRates {
    std::vector<double> limit;   // of each side; none arrive beyond its end
    double market = 0;           // of each side
    std::vector<double> cancel;  // of each open order; flat beyond its end
};

// The paper's estimates for Sky Perfect Communications, a minute (table 2 and section 3.2), out to `levels` ticks.
PoissonRates sky_perfect(std::size_t levels);

class ZeroIntelligence {
  public:
    // Orders are of `qty`; until a side has a quote, its best is taken to be `start_px` for bids, a tick more for asks.
    ZeroIntelligence(MatchingEngine& engine, u32 instrument, u32 account, const PoissonRates& rates, i64 tick, i64 qty,
                     i64 start_px, u64 seed);

    double wait();                  // time until the next event
    void act();                     // that event: one order, one cancel, or nothing
    void cancel_all();              // empties the flow's part of the book
    void limit(Side side, i64 px);  // an order of the flow's; nothing when the engine refuses it

  private:
    struct Placed {
        u64 ref;
        i64 px;
        Side side;
    };

    i64 best(Side side);
    void limit_at_distance(Side side, double at);
    void market(Side side);
    void maybe_cancel(double luck);
    double cancel_rate(const Placed& order);

    MatchingEngine& engine_;
    u32 instrument_;
    u32 account_;
    i64 tick_;
    i64 qty_;
    std::vector<double> limit_sums_;  // of the rates up to each distance
    double market_;
    std::vector<double> cancel_;
    double cancel_max_;
    std::array<i64, 2> best_;   // of bids and asks, when last there were any
    std::vector<Placed> open_;  // in no order; the filled ones are dropped when a cancel meets them
    SplitMix64 rng_;
};

}  // namespace openbell::exchange
