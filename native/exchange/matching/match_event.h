// What happened in the matching engine, told in the order in which it happened.
//
// An order is known by its `ref` from acceptance to end (a replace that loses its place gives a new one). What the
// public feed shows of it stands under `shown_ref`: equal to `ref` for a plain order, a new one for every slice of an
// iceberg and after a move to a band; 0 for what is not displayed.
#pragma once

#include "exchange/matching/order_terms.h"

namespace openbell::exchange {

enum class MatchEventType : u8 {
    Accepted = 1,   // the order got its ref; nothing is public yet
    Rested = 2,     // joined the book at px; qty: what is shown (0: hidden), under shown_ref
    Executed = 3,   // `ref` rested, `aggressor_ref` came: qty at px. In an auction `ref` buys and `aggressor_ref` sells
    Reduced = 4,    // a resting order lost qty, shown_qty of it displayed; leaves 0: it is gone
    Discarded = 5,  // what an order did not trade and may not rest
    Replaced = 6,   // `prev_ref` became `ref` with px and leaves; see Priority. qty and shown_qty: what it lost (Kept)
    Refreshed = 7,  // the next slice of an iceberg: qty is shown at px under shown_ref, at the back
    Repriced =
        8,  // moved from prev_px to px (0: parked), by a peg or a band; qty shown under shown_ref, was prev_shown_ref
    Triggered = 9,  // a stop was elected and enters now
    Crossed = 10,   // an auction's print: qty (0: no match) at px
    PhaseChanged = 11,
};

// What a replace did to the order's place in the book.
enum class Priority : u8 {
    None = 0,
    Kept = 1,      // same ref, same place
    Lost = 2,      // new ref at the back of a level; nothing follows. Both the old and the new are displayed, whole
    Reentered = 3  // the old order left the book, the new one arrives: Executed, Rested, Discarded follow
};

enum class Cause : u8 {
    None = 0,
    User,
    ImmediateOrCancel,
    PostOnly,
    Timeout,
    Disconnect,
    Close,
    SelfMatch,
    Collar,       // beyond the market collar or the bands
    AuctionOver,  // it was for that auction only
    Supervisory,
    MassCancel,
};

struct MatchEvent {
    MatchEventType type{};
    Side side{};  // of the order `ref`
    Cause cause = Cause::None;
    Priority priority = Priority::None;
    Phase phase = Phase::Closed;         // PhaseChanged
    Auction auction = Auction::Opening;  // Crossed; Executed with is_auction
    bool is_auction = false;
    u32 instrument = 0;
    u32 account = 0;  // owner of `ref`
    u32 aggressor_account = 0;
    u64 ref = 0;
    u64 tag = 0;  // the owner's own mark of `ref`
    u64 shown_ref = 0;
    u64 prev_ref = 0;        // Replaced
    u64 prev_shown_ref = 0;  // Replaced, Repriced: what the feed showed before; 0: nothing
    u64 aggressor_ref = 0;
    u64 aggressor_tag = 0;
    u64 aggressor_shown_ref = 0;  // in an auction the selling order may be displayed too
    u64 match_number = 0;
    i64 px = 0;
    i64 prev_px = 0;
    i64 qty = 0;
    i64 shown_qty = 0;
    i64 leaves = 0;  // of `ref`, afterwards
    i64 aggressor_leaves = 0;
    i64 prevented_qty = 0;  // Reduced, Discarded by SelfMatch: what would have traded, at px
};

class MatchSink {
  public:
    virtual ~MatchSink() = default;
    virtual void on_match_event(const MatchEvent& event) = 0;
};

}  // namespace openbell::exchange
