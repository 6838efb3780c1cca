// The codes of OUCH 5.0 that have names here: times in force, crosses, why an order was refused or canceled.
#pragma once

#include "records.h"

namespace openbell::ouch50 {

namespace tif {
inline constexpr char kDay = '0';
inline constexpr char kImmediate = '3';
inline constexpr char kGoodTillCrossing = '5';
inline constexpr char kGoodTillTime = '6';  // Options::expire_s says until when
inline constexpr char kAfterHours = 'E';
}  // namespace tif

namespace cross {
inline constexpr char kContinuous = 'N';
inline constexpr char kOpening = 'O';
inline constexpr char kClosing = 'C';
inline constexpr char kHalt = 'H';  // or initial offering
inline constexpr char kSupplemental = 'S';
inline constexpr char kRetail = 'R';
inline constexpr char kExtendedLife = 'E';
inline constexpr char kAfterHoursClose = 'A';
}  // namespace cross

namespace canceled {
inline constexpr char kUser = 'U';
inline constexpr char kImmediate = 'I';
inline constexpr char kTimeout = 'T';
inline constexpr char kSupervisory = 'S';
inline constexpr char kRegulatory = 'D';
inline constexpr char kSelfMatch = 'Q';
inline constexpr char kSystem = 'Z';
inline constexpr char kClosed = 'E';
inline constexpr char kPostOnlySlide = 'F';
inline constexpr char kPostOnlyContra = 'G';
inline constexpr char kHalted = 'H';
inline constexpr char kMarketCollar = 'K';
inline constexpr char kOpenProtection = 'X';
inline constexpr char kDirectListing = 'e';
}  // namespace canceled

enum class RejectReason : u16 {
    QuoteUnavailable = 1,
    DestinationClosed = 2,
    InvalidDisplay = 3,
    InvalidMaxFloor = 4,
    InvalidPegType = 5,
    FatFinger = 6,
    Halted = 7,
    IsoNotAllowed = 8,
    InvalidSide = 9,
    ProcessingError = 10,
    CancelPending = 11,
    FirmNotAuthorized = 12,
    InvalidQtyMin = 13,
    NoClosingReferencePx = 14,
    Other = 15,
    CancelNotAllowed = 16,
    PeggingNotAllowed = 17,
    CrossedMarket = 18,
    InvalidQty = 19,
    InvalidCrossOrder = 20,
    ReplaceNotAllowed = 21,
    RoutingNotAllowed = 22,
    InvalidSymbol = 23,
    Test = 24,
    LateLocTooAggressive = 25,
    RetailNotAllowed = 26,
    InvalidMidpointPostOnlyPx = 27,
    InvalidDestination = 28,
    InvalidPx = 29,
    SharesExceedThreshold = 30,
    ExceedsMaxNotional = 31,
    // Of the risk checks before the venue.
    RiskAggregateExposure = 32,
    RiskMarketImpact = 33,
    RiskRestrictedStock = 34,
    RiskShortSellRestricted = 35,
    RiskIso = 36,
    RiskAdvLimit = 37,
    RiskFatFinger = 38,
    RiskLocateRequired = 39,
    RiskSymbolRate = 40,
    RiskPortRate = 41,
    RiskDuplicateRate = 42,
    RiskShortSellNotAllowed = 43,
    RiskMarketOrderNotAllowed = 44,
    RiskPreMarket = 45,
    RiskPostMarket = 46,
    RiskShortExempt = 47,
    RiskOrderNotional = 48,
    RiskQtyMax = 49,
    RiskRegShoUnavailable = 50,
    RiskIpoMarketBuy = 51,
};

}  // namespace openbell::ouch50
