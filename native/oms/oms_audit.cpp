// What must hold of orders and positions after every frame, computed again from the orders alone. It looks at every
// cell, so it is for followers of the journal, checkpoints and tests, not for the trading thread's every frame.
#include <array>
#include <string>

#include "oms/oms.h"

namespace openbell {
namespace {

struct Where {  // an order, or a row of an instrument
    u64 cl_ord_id = 0;
    std::size_t row = 0;
    std::size_t account_row = 0;
    u32 instrument = 0;
};

std::string name_of(const Where& at) {
    if (at.cl_ord_id) return "order " + std::to_string(at.cl_ord_id);
    std::string whose = "account";
    if (at.row != at.account_row) whose = "strategy " + std::to_string(at.row);
    return whose + ", instrument " + std::to_string(at.instrument);
}

[[noreturn]] void broken(const char* invariant, const Where& at, i128 expected, i128 found) {
    throw Error(ErrorKind::Invariant, std::string(invariant) + ", " + name_of(at) + ": expected " +
                                          std::to_string(i64(expected)) + ", found " + std::to_string(i64(found)) +
                                          "; stop trading and keep the journal");
}

void expect_equal(const char* invariant, const Where& at, i128 expected, i128 found) {
    if (expected != found) broken(invariant, at, expected, found);
}

// I3, I5, I6: an order is of this node and of an epoch that was, in one state, and its quantities add up.
void audit_order(const LiveOrder& o, u32 node, u32 epoch, bool is_in_live_list) {
    const Where where{o.cl_ord_id};
    expect_equal("I3 node of an order id", where, node, node_of(o.cl_ord_id));
    if (epoch_of(o.cl_ord_id) > epoch) broken("I3 epoch of an order id", where, epoch, epoch_of(o.cl_ord_id));
    expect_equal("I3 strategy of an order id", where, o.strategy, strategy_of(o.cl_ord_id));
    expect_equal("I5 list of an order", where, is_in_live_list, is_live(o));
    if (o.cum_qty < 0 || o.leaves_qty < 0) broken("I6 quantities", where, 0, std::min(o.cum_qty, o.leaves_qty));
    if (!(o.flags & kOverfilled) && i128(o.cum_qty) + o.leaves_qty > o.qty)
        broken("I6 cum + leaves against qty", where, o.qty, i128(o.cum_qty) + o.leaves_qty);
    if (o.in_doubt != 0 && o.pending == 0) broken("I5 doubt about a command in flight", where, 0, o.in_doubt);
    if (!is_live(o)) expect_equal("I6 leaves of an order that has ended", where, 0, o.leaves_qty);
}

}  // namespace

void Oms::audit() const {
    for (u32 s = orders_.first_live(); s != LiveOrders::kNone; s = orders_.next(s))
        audit_order(orders_[s], node_, epoch_, true);
    for (u32 s = orders_.first_ended(); s != LiveOrders::kNone; s = orders_.next(s))
        audit_order(orders_[s], node_, epoch_, false);
    audit_exposures();
    audit_positions();
}

// I7, I8: what counts as open is what the live orders can still execute at their worst.
void Oms::audit_exposures() const {
    struct Open {
        i128 buy, sell, orders;
    };
    std::vector<Open> open(cells_.size(), Open{});
    for (u32 s = orders_.first_live(); s != LiveOrders::kNone; s = orders_.next(s)) {
        const LiveOrder& o = orders_[s];
        for (const std::size_t i : {at(o.strategy, o.instrument), at(kNoStrategy, o.instrument)}) {
            (Side(o.side) == Side::Buy ? open[i].buy : open[i].sell) += leaves_worst(o);
            open[i].orders += 1;
        }
    }
    for (std::size_t i = 0; i < cells_.size(); ++i) {
        const Where where{0, i / capacity_.instruments_max, capacity_.strategies_max,
                          u32(i % capacity_.instruments_max)};
        expect_equal("I7 open buys", where, open[i].buy, cells_[i].open_buy);
        expect_equal("I7 open sells", where, open[i].sell, cells_[i].open_sell);
        expect_equal("I7 open orders", where, open[i].orders, cells_[i].orders);
    }
}

// I12, I13: strategies add up to the account, lots bought less lots sold are the position, cash is what profit and
// cost say it is.
void Oms::audit_positions() const {
    const std::size_t rows = capacity_.strategies_max + std::size_t(1);
    for (u32 instrument = 0; instrument < capacity_.instruments_max; ++instrument) {
        std::array<i128, 5> sums{};
        for (std::size_t row = 0; row < rows; ++row) {
            const Position& p = cells_[row * capacity_.instruments_max + instrument].position;
            const Where where{0, row, capacity_.strategies_max, instrument};
            expect_equal("I12 buys less sells", where, p.qty, i128(p.buys) - p.sells);
            if (p.fills == 0) expect_equal("I12 cash without a fill", where, 0, p.cash);
            expect_equal("I13 realized less cost", where, p.cash, p.realized - p.cost);
            const std::array<i128, 5> held{p.qty, p.cash, p.fills, p.buys, p.fees};
            for (std::size_t i = 0; i < sums.size(); ++i) {
                if (row + 1 < rows)
                    sums[i] += held[i];
                else
                    expect_equal("I12 sum over strategies", where, sums[i], held[i]);
            }
        }
    }
}

}  // namespace openbell
