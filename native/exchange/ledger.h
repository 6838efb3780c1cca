// The venue's own account of what it did: orders that are over, fills, and what everybody holds. It is the truth for
// whoever trades here, and every share and every cent of it sums to zero.
//
// Prices and cash are in 1e-4, quantities in shares. Cash has its fees taken off; the house has taken them.
#pragma once

#include <optional>
#include <vector>

#include "exchange/chunk_store.h"
#include "exchange/fees.h"
#include "exchange/live_orders.h"

namespace openbell::exchange {

// An order of an account that is over.
struct OrderRow {
    u64 number;
    u64 prev_row;  // of the account; row + 1, 0: the first
    u64 ref;
    i64 qty;
    i64 cum_qty;
    i64 entered_ns;
    i64 ended_ns;
    u32 account;
    u32 instrument;
    u32 px;
    OrderStatus status;
    char side;
    OrderName name;
    OrderName prev_name;
};

enum class FillState : u8 { Good = 0, Busted, Corrected };

// One side of a trade.
struct FillRow {
    u64 match_number;
    u64 prev_row;  // of the account; row + 1, 0: the first
    u64 number;    // of the order
    i64 px;
    i64 qty;
    i64 fee;
    u64 ref;
    u32 account;
    u32 instrument;
    u32 user_ref;
    Side side;
    char side_letter;
    Liquidity liquidity;
    FillState state;
    u8 channel;
    OrderName name;
    Alpha<14> cl_ord_id;
};

struct Holding {
    i64 position = 0;
    i64 cash = 0;
};

class Ledger {
  public:
    explicit Ledger(ChunkStore& store) : orders_(store), fills_(store) {}

    u32 add_account();

    static OrderRow row_of(const LiveOrder& order);
    u64 add_order(const LiveOrder& order, i64 now_ns);  // its row
    void add_fill(const LiveOrder& order, u64 match_number, i64 px, i64 qty, Liquidity liquidity, i64 fee);

    // The fills of a trade: the rows of both sides, or none.
    struct Match {
        u64 first = 0;
        u64 count = 0;
    };
    Match match(u64 match_number) const;
    // Takes a fill back, or puts another price and quantity (and their fee) in its place.
    void bust(u64 row);
    void correct(u64 row, i64 px, i64 qty, i64 fee);

    const OrderRow& order(u64 row) const { return orders_[row]; }
    const FillRow& fill(u64 row) const { return fills_[row]; }
    std::vector<OrderRow> orders_of(u32 account) const;  // oldest first
    std::vector<FillRow> fills_of(u32 account) const;
    Holding holding(u32 account, u32 instrument) const;
    i64 house_cash() const { return house_cash_; }

    // Throws Invariant unless everything sums to zero.
    void audit() const;
    void save(StateWriter& out) const;

  private:
    struct Account {
        u64 last_order = 0;  // row + 1
        u64 last_fill = 0;
        std::vector<std::pair<u32, Holding>> holdings;  // by instrument
    };

    void book(u32 account, u32 instrument, Side side, i64 px, i64 qty, i64 fee);
    Holding& holding_of(u32 account, u32 instrument);

    std::vector<Account> accounts_;
    RowLog<OrderRow> orders_;
    RowLog<FillRow> fills_;
    i64 house_cash_ = 0;
};

}  // namespace openbell::exchange
