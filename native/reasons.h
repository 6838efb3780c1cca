// Why something was doubted or refused: the codes of gaps, checks and refusals. The numbers are the format.
#pragma once

#include "integers.h"

namespace openbell {

// What is checked of market data. Append only; docs/market-data.md says what each compares and what may follow.
enum class Check : u8 {
    None = 0,
    // the book: the record cannot be applied
    UnknownOrder = 1,    // no such order, or it belongs to another instrument
    DuplicateOrder = 2,  // the reference is in use
    NegativeQty = 3,     // a quantity of zero or less
    OverExecuted = 4,    // more than the order holds
    BookFull = 5,        // no room for the order, its level, or a sum of int64
    OtherKind = 7,       // a level in a book by order, or an order in a book by price
    // the book, in continuous trading
    Crossed = 8,  // best bid above best ask
    Locked = 9,   // best bid at best ask
    // the edge, before the journal
    PxBand = 16,     // price outside of the configured band
    PxTick = 17,     // no multiple of the tick
    QtyBand = 18,    // zero, or more than the configured quantity
    QtyLot = 19,     // no multiple of the lot
    ClockBack = 20,  // the venue's time went back
    Malformed = 21,  // cut, or a value that a record cannot hold
};

// What follows when a check fails, besides its counter. Crossed and Locked cannot be dropped: they say what is.
enum class CheckPolicy : u8 {
    Mark = 0,  // a FeedCheck says so; what can be applied is applied
    Drop = 1,  // left out in silence; at the edge it is Quarantined
    Halt = 2,  // marked, and the book of the instrument is not valid
};

// Why risk, the perimeter, the OMS or a venue said no. Append only; docs/refusals.md explains each.
enum class Reason : u16 {
    None = 0,
    NotArmed = 1,
    Killed = 2,
    NoLimits = 3,
    NoInstrument = 4,
    NotTrading = 5,
    BookNotValid = 6,
    NoReference = 7,
    PriceCollar = 8,
    PriceTick = 9,
    PriceNotPositive = 10,
    QtyLot = 11,
    QtyNotPositive = 12,
    OrderQty = 13,
    OrderNotional = 14,
    Position = 15,
    ReduceOnly = 16,
    OrdersFull = 17,
    OpenOrders = 18,
    UnknownOrder = 19,
    NotReplaceable = 20,
    StrategyIsHalted = 21,
    SessionDown = 22,
    WouldOverflow = 23,
    UnknownStrategy = 24,
    NoConversion = 25,
    PriceDrift = 26,
    GrossNotional = 27,
    NetNotional = 28,
    Margin = 29,
    OrderRate = 30,
    MessageRate = 31,
    DuplicateOrder = 32,
    Repeats = 33,
    OrdersPerTrade = 34,
    SelfCross = 35,
    NotPermitted = 36,
    DailyLoss = 37,
    Drawdown = 38,
    BookStale = 39,
    LimitedSize = 40,  // beyond what the arming state LIMITED allows
    // the engine: what a strategy asked cannot be done
    NotOwnOrder = 41,
    Terms = 42,          // times in force, prices and quantities that contradict each other
    BasketRefused = 43,  // another order of the basket was
    NoAlgorithm = 44,
    StopsFull = 45,
    Late = 46,          // decided too long ago, in a process of its own
    DecisionFull = 47,  // no room in the decision of this frame
    NoSession = 48,     // no order session trades what this feed tells of
    // venue
    VenueReject = 64,  // the venue's own code stands in `venue_reason`
    UserCancel = 65,
    SessionCancel = 66,  // cancel on disconnect, supervisory, halt
    IocRemainder = 67,
    SelfMatch = 68,
    // outcome of an in-doubt order
    NeverReachedVenue = 80,
    // perimeter
    GateClosed = 96,
    GateOrderQty = 97,
    GateNotional = 98,
    GateRate = 99,
    GateEpoch = 100,
    SocketFull = 101,
    GateNotApproved = 102,
    GateAge = 105,          // decided too long ago: the world has moved on
    GateOverSend = 106,     // this id or version, or a later one, has left before
    GateMessageRate = 107,  // the venue's own limit of messages
    NotDurable = 104,       // the archiver did not make the decision durable in time
    // order entry
    NotExpressible = 103,  // the venue's protocol cannot carry it: side, quantity, price, scale or version
    TifNotCarried = 108,
    PostOnlyNotCarried = 109,
    DisplayNotCarried = 110,
};

}  // namespace openbell
