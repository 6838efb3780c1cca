// The limits of one scope, laid out so that what every order is asked for stands in the first cache line.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>
#include <limits>

#include "records.h"

namespace openbell {

inline constexpr i64 kUnlimited = std::numeric_limits<i64>::max();  // the value of a limit that is not set

// Every kind, in the order of its place in a row.
inline constexpr LimitKind kLimitKinds[] = {
    LimitKind::OrderQty,      LimitKind::OrderNotional,  LimitKind::CollarBps,     LimitKind::PositionLong,
    LimitKind::PositionShort, LimitKind::OpenOrders,     LimitKind::Permission,    LimitKind::BookAge,
    LimitKind::DriftBps,      LimitKind::OrderRate,      LimitKind::MessageRate,   LimitKind::Duplicates,
    LimitKind::Repeats,       LimitKind::OrdersPerTrade, LimitKind::GrossNotional, LimitKind::NetNotional,
    LimitKind::Margin,        LimitKind::MarginBps,      LimitKind::DailyLoss,     LimitKind::Drawdown,
};
inline constexpr u32 kLimitKindsMax = 128;
inline constexpr u8 kNoPlace = 0xFF;

inline constexpr auto kPlaceOf = [] {
    std::array<u8, kLimitKindsMax> places{};
    places.fill(kNoPlace);
    for (std::size_t i = 0; i < std::size(kLimitKinds); ++i) places[u8(kLimitKinds[i])] = u8(i);
    return places;
}();
constexpr u32 bit_of(LimitKind kind) { return u32(1) << kPlaceOf[u8(kind)]; }

// Scopes in which a kind means something, as bits by number of the scope.
constexpr u32 scope_bit(LimitScope scope) { return u32(1) << u8(scope); }
inline constexpr u32 kAnyScope = scope_bit(LimitScope::Firm) | scope_bit(LimitScope::Account) |
                                 scope_bit(LimitScope::Strategy) | scope_bit(LimitScope::Instrument) |
                                 scope_bit(LimitScope::StrategyInstrument);
constexpr u32 scopes_of(LimitKind kind) {
    switch (kind) {
        case LimitKind::DriftBps:  // one history of prices for each instrument
        case LimitKind::MarginBps: return scope_bit(LimitScope::Instrument);
        case LimitKind::GrossNotional:  // sums over instruments
        case LimitKind::NetNotional:
        case LimitKind::Margin:
        case LimitKind::DailyLoss:
        case LimitKind::Drawdown:
            return scope_bit(LimitScope::Firm) | scope_bit(LimitScope::Account) | scope_bit(LimitScope::Strategy);
        default: return kAnyScope;
    }
}

// Kinds without which nothing trades, in the one scope that must have them.
inline constexpr u32 kRequiredOfInstrument = bit_of(LimitKind::OrderQty) | bit_of(LimitKind::OrderNotional) |
                                             bit_of(LimitKind::CollarBps) | bit_of(LimitKind::PositionLong) |
                                             bit_of(LimitKind::PositionShort) | bit_of(LimitKind::OpenOrders);
inline constexpr u32 kRequiredOfAccount =
    bit_of(LimitKind::OrderRate) | bit_of(LimitKind::GrossNotional) | bit_of(LimitKind::DailyLoss);

constexpr bool has_window(LimitKind kind) {
    return kind == LimitKind::DriftBps || kind == LimitKind::OrderRate || kind == LimitKind::MessageRate ||
           kind == LimitKind::Duplicates || kind == LimitKind::Repeats;
}
constexpr bool has_reserve(LimitKind kind) {
    return kind == LimitKind::MessageRate || kind == LimitKind::OrdersPerTrade;
}

struct alignas(64) LimitRow {
    u32 set = 0;  // bits of the kinds that have a limit
    u32 pad = 0;
    i64 values[std::size(kLimitKinds)];
    i64 windows[5] = {};   // DriftBps, OrderRate, MessageRate, Duplicates, Repeats
    i64 reserves[2] = {};  // MessageRate, OrdersPerTrade
    i64 pad1[4] = {};

    LimitRow() { std::fill(std::begin(values), std::end(values), kUnlimited); }

    bool has(LimitKind kind) const { return set & bit_of(kind); }
    i64 value(LimitKind kind) const { return values[kPlaceOf[u8(kind)]]; }
    i64 window_ns(LimitKind kind) const { return windows[window_place(kind)]; }
    i64 reserve(LimitKind kind) const { return reserves[reserve_place(kind)]; }

    static constexpr std::size_t window_place(LimitKind kind) {
        return std::size_t(kPlaceOf[u8(kind)]) - kPlaceOf[u8(LimitKind::DriftBps)];
    }
    static constexpr std::size_t reserve_place(LimitKind kind) { return kind == LimitKind::MessageRate ? 0 : 1; }
};
static_assert(sizeof(LimitRow) == 256 && offsetof(LimitRow, values) == 8);

}  // namespace openbell
