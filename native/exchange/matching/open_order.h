// An order that is open, as the engine holds it: 64 bytes that every order has, and its particulars beside them, which
// are there only for an order that is not a plain limit order.
#pragma once

#include "exchange/matching/order_terms.h"

namespace openbell::exchange {

inline constexpr u32 kSlotBits = 24;  // a reference is serial << kSlotBits | slot: lookup needs no table
inline constexpr std::size_t kOrdersMax = (std::size_t(1) << kSlotBits) - 1;
inline constexpr u32 slot_of(u64 ref) { return u32(ref & kOrdersMax); }

enum class Where : u8 {
    Nowhere,  // entering or leaving
    Book,
    Stop,     // waits for a trade
    Elected,  // a stop that enters soon
    Waiting,  // for an auction, outside the book
    Parked,   // a peg without a price
};

// What makes an order more than a plain limit order. A set of bits, so that one test finds that there is nothing.
enum Trait : u8 {
    kIceberg = 1,     // shows a slice
    kHidden = 2,      // shows nothing
    kHasMinimum = 4,  // trades only so much at a time; always hidden
    kGrouped = 8,     // does not trade with its group
    kPegged = 16,
    kUnseen = 32,   // not told as resting: joined in a call, or waits outside the book
    kRenamed = 64,  // the feed knows it by another reference than its own
    kSpecial = 128  // has particulars
};

struct OpenOrder {
    u64 ref;  // 0: the slot is free
    i64 px;   // its limit; of a peg the price at which it is in the book (0: parked); of a market order kMarketPx
    u64 tag;
    i64 leaves;  // open quantity
    u64 joined;  // when it joined its queue, by the engine's count
    u32 account;
    u32 level;  // Book, Stop
    u32 prev;   // towards the front of its queue; 0: none
    u32 next;
    u16 instrument;
    Side side;
    Tif tif;
    Where where;
    u8 traits;
    u16 pad;

    bool is_plain() const { return traits == 0; }
    bool has(u8 trait) const { return traits & trait; }
};
static_assert(sizeof(OpenOrder) == 64);

struct Particulars {
    i64 limit;      // of a peg; kMarketPx: none
    i64 display;    // as in Terms
    i64 shown;      // what is left of an iceberg's slice
    u64 shown_ref;  // kRenamed
    i64 min_qty;
    i64 stop_px;
    i64 peg_offset;
    u32 group;
    OrderType type;
    Peg peg;
    PostOnly post_only;
    SelfTrade self_trade;
};
static_assert(sizeof(Particulars) == 64);

}  // namespace openbell::exchange
