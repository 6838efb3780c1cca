// One of our orders as the OMS knows it, and the small questions asked of it.
#pragma once

#include "oms/exposure.h"

namespace openbell {

// The version is three base-62 characters of an OUCH token: 62^3 - 1.
inline constexpr u32 kVersionMax = 238'327;

// Order sessions of a node by their number, and the number of none.
inline constexpr u8 kSessionsMax = 63;
inline constexpr u8 kNoSession = kSessionsMax;

// What goes to the venue, and of it what opens an order or grows one.
constexpr bool is_command(Type type) { return type >= Type::NewOrder && type <= Type::MassCancel; }
constexpr bool opens(Type type) { return type == Type::NewOrder || type == Type::ReplaceOrder; }

// LiveOrder::unsent and ::in_doubt are sets of commands.
inline constexpr u8 kNewBit = 1;
inline constexpr u8 kReplaceBit = 2;
inline constexpr u8 kCancelBit = 4;
// LiveOrder::flags
inline constexpr u8 kChanging = 1;      // pending_version is in flight: the venue may hold either version
inline constexpr u8 kAckSeen = 2;       // Accepted itself arrived (a fill before it implies it)
inline constexpr u8 kOverfilled = 4;    // the venue executed or holds more than the order: an incident, never clamped
inline constexpr u8 kCancelWanted = 8;  // to be canceled once the session is there
inline constexpr u8 kLeavesTold = 16;   // Replaced has said what this version leaves; else it is what was asked for
inline constexpr u8 kWorsePx = 32;      // the venue confirmed a worse price than was asked: an incident

struct LiveOrder {
    u64 cl_ord_id;
    u64 order_id;         //  8 the venue's; 0 until it says so
    u32 instrument;       // 16
    u16 strategy;         // 20
    u8 side;              // 22 Side
    u8 tif;               // 23 Tif
    u8 state;             // 24 OrderState
    u8 prev_state;        // 25 live: the state without what is pending; terminal: the last live one
    u8 pending;           // 26 0 or Type of the command in flight; CancelOrder before ReplaceOrder
    u8 unsent;            // 27 commands without Sent, NotSent or evidence of the venue yet
    u32 version;          // 28 last version the venue confirmed; 0 = none yet
    u32 pending_version;  // 32 last version commanded, never taken back; the next replace is + 1
    u32 cancel_version;   // 36 version a cancel in flight names; 0 = no cancel in flight
    i64 px;               // 40 as the venue holds it (until it does: as commanded)
    i64 qty;              // 48 of the chain: cum + leaves + what was taken away
    i64 cum_qty;          // 56
    i64 leaves_qty;       // 64
    i64 pending_px;       // 72 of a replace in flight, else 0
    i64 pending_qty;      // 80 total of the chain as a replace in flight wants it, else 0
    i64 created_ns;       // 88 engine time
    u64 tag;              // 96 the strategy's own mark
    u8 in_doubt;          // 104 commands a dead epoch may or may not have sent
    u8 flags;             // 105 kChanging ...
    u8 terms;             // 106 Order::flags: kPostOnly, kHidden
    u8 session;           // 107 that it left by, and that tells of it
    u32 expires_s;        // 108 Gtd, as in Order
};
static_assert(sizeof(LiveOrder) == 112 && offsetof(LiveOrder, px) == 40 && offsetof(LiveOrder, in_doubt) == 104);

constexpr bool is_live(const LiveOrder& o) { return o.state != 0 && !is_terminal(OrderState(o.state)); }
constexpr bool is_changing(const LiveOrder& o) { return o.flags & kChanging; }
constexpr bool is_replacing(const LiveOrder& o) { return is_changing(o) && o.pending_version > 1; }

// Taken away by cancels, rejects, expiry, busts. cum + leaves + canceled == qty unless overfilled (I6).
constexpr i64 canceled_qty(const LiveOrder& o) {
    const i64 rest = o.qty - o.cum_qty - o.leaves_qty;
    return rest > 0 ? rest : 0;
}

// The most this live order can still execute, whichever version the venue holds (I7, I8).
constexpr i64 leaves_worst(const LiveOrder& o) {
    const i64 replaced = is_replacing(o) ? o.pending_qty - o.cum_qty : 0;
    return replaced > o.leaves_qty ? replaced : o.leaves_qty;
}

// The same in money: price x quantity of whichever version is worth more.
constexpr i128 value_worst(const LiveOrder& o) {
    const i128 resting = i128(o.px) * o.leaves_qty;
    const i128 replaced = is_replacing(o) ? i128(o.pending_px) * (o.pending_qty - o.cum_qty) : 0;
    return replaced > resting ? replaced : resting;
}

}  // namespace openbell
