// The orders that are open, as the venue keeps them beside the engine: whose they are, what reports repeat of them, and
// what the ledger will say when they are over. A slab of fixed size; the slot is the engine's tag.
#pragma once

#include <vector>

#include "exchange/doors/token_table.h"
#include "exchange/matching/order_terms.h"

namespace openbell::exchange {

enum class OrderStatus : u8 { New = 1, PartiallyFilled, Filled, Canceled, Rejected, Replaced, Expired };

// An order's own words that reports repeat as they were entered. Letters are those of its protocol.
struct Words {
    Alpha<14> cl_ord_id;  // OUCH 5.0
    u32 user_ref = 0;     // OUCH 5.0
    u8 channel = 0;       // OUCH 5.0
    char side = 'B';
    char display = 'Y';
    char capacity = 'P';
    char iso = 'N';
    char cross = 'N';
    char customer = ' ';
    char price_type = 'L';  // OUCH 5.0
    char post_only = 'N';   // OUCH 5.0
    Alpha<4> firm;
    u32 tif = 0;  // OUCH 4.2: seconds; OUCH 5.0: the letter
    u32 px = 0;
    u32 qty = 0;  // of the message
    u32 min_qty = 0;
    u32 max_floor = 0;
    u32 expire_s = 0;
    i32 peg_offset = 0;
    u16 group = 0;  // for mass cancels
};

struct LiveOrder {
    u64 number = 0;       // of entry, over all accounts, from 1; 0: the slot is free
    u64 prev_number = 0;  // of the order that this one replaces
    u64 ref = 0;          // at the engine and on the feed; 0: not accepted yet
    u32 slot = 0;
    u32 prev_slot = 0;
    u32 account = 0;
    u32 instrument = kNoInstrument;
    u32 cell = TokenTable::kNone;  // of its name; internal orders have none
    u32 older = 0;                 // open orders of the account, by entry; 0: none
    u32 newer = 0;
    Side side = Side::Buy;
    OrderStatus status = OrderStatus::New;
    // Quantities count the whole chain of replaces.
    i64 qty = 0;  // intended total, executed shares included
    i64 cum_qty = 0;
    i64 leaves_qty = 0;
    i64 entered_ns = 0;
    i64 expires_ns = 0;  // 0: never
    u64 mark = 0;        // of an internal order: its owner's own
    Terms terms{};
    OrderName name{};
    OrderName prev_name{};
    Words words{};
};

class LiveOrders {
  public:
    explicit LiveOrders(std::size_t orders_max);

    // A free slot with the next number; the caller fills it in. Not when all are taken.
    LiveOrder& take(u32 account);
    void free(LiveOrder& order);
    // Of the order that was taken last: as if it had never been.
    void give_back(LiveOrder& order);

    LiveOrder& at(u64 slot) { return slab_[slot]; }
    const LiveOrder& at(u64 slot) const { return slab_[slot]; }

    // The open orders of an account, oldest first.
    struct List {
        u32 oldest = 0;
        u32 newest = 0;
    };
    void join(List& list, LiveOrder& order, u32 before = 0);  // a slot of the list; 0: at its end
    void leave(List& list, LiveOrder& order);

    u64 last_number() const { return last_number_; }

  private:
    LazyArray<LiveOrder> slab_;  // slot 0 is unused, so that 0 means none
    std::vector<u32> free_;      // slots that were used before
    u32 fresh_ = 1;              // the first slot that was not
    u64 last_number_ = 0;
};

void save(StateWriter& out, const LiveOrder& order);

}  // namespace openbell::exchange
