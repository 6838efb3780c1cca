// The table of feed/itch_feed.h, row by row, but for the order messages that feed/itch_orders.h decodes: what a
// message says, as one record or two.
#pragma once

#include <bit>
#include <limits>

#include "records.h"
#include "wire/itch50.h"

namespace openbell::itch50 {

// Characters in an integer: the first one lowest.
constexpr u64 packed(std::string_view chars) {
    u64 out = 0;
    for (std::size_t i = chars.size(); i-- > 0;) out = out << 8 | u8(chars[i]);
    return out;
}
template <class... Chars>
constexpr u64 letters(Chars... chars) {
    const char all[] = {chars...};
    return packed({all, sizeof...(chars)});
}

// A record without its head; `Prices` has code where `Market` has order_id, and px[3] where that has px, qty, ref.
struct Body {
    Type type;
    u8 flags = 0;
    u64 order_id = 0;
    i64 px = 0;
    i64 qty = 0;
    u64 ref = 0;
};
static_assert(offsetof(Prices, code) == offsetof(Market, order_id) && offsetof(Prices, px) == offsetof(Market, px));

constexpr Body prices(Type type, u64 code, i64 first, i64 second, i64 third, u8 flags = 0) {
    return {type, flags, code, first, second, u64(third)};
}

constexpr TradingState state_of(char state) {
    switch (state) {
        case 'H': return TradingState::Halted;
        case 'P': return TradingState::Paused;
        case 'Q': return TradingState::QuoteOnly;
        case 'T': return TradingState::Trading;
        default: return TradingState::Unknown;
    }
}

constexpr TradingState phase_of(char event) {
    switch (event) {
        case 'Q': return TradingState::Trading;
        case 'M': return TradingState::Closed;
        default: return TradingState::Unknown;
    }
}

constexpr i64 kNsPerS = 1'000'000'000;
constexpr u64 time_of(i64 midnight_ns, u64 ns) { return ns ? u64(midnight_ns) + ns : 0; }
constexpr u64 letters_of(const NetOrderImbalance& m) { return letters(m.direction, m.cross, m.variation); }

constexpr Body body_of(const AddOrderMpid& m, i64) {
    return {Type::BookAdd, m.side == 'B' ? kBuy : u8(0), m.order_id, m.px, m.qty, packed(m.mpid.raw())};
}
constexpr Body body_of(const CrossTrade& m, i64) {
    return {Type::Trade, kPrintable, letters(m.cross), m.px, i64(m.qty), m.match_id};
}
constexpr Body body_of(const BrokenTrade& m, i64) { return {Type::TradeBust, 0, 0, 0, 0, m.match_id}; }
constexpr Body body_of(const TradingAction& m, i64) {
    return {Type::Status, 0, packed(m.reason.raw()), 0, 0, u64(state_of(m.state))};
}
constexpr Body body_of(const SystemEvent& m, i64) {
    return {Type::Status, 0, letters(m.event), 0, 0, u64(phase_of(m.event))};
}
constexpr char kNasdaq = 'Q';  // of the markets that an Operational Halt may name: this feed's own
constexpr Body body_of(const OperationalHalt& m, i64) {
    const u8 flags = m.market == kNasdaq ? kHere : u8(0);
    return {Type::VenueHalt, flags, letters(m.market, m.action), 0, 0, u64(state_of(m.action))};
}
constexpr Body body_of(const RegSho& m, i64) { return {Type::ShortSale, 0, letters(m.action), 0, 0, 0}; }
constexpr Body body_of(const ParticipantPosition& m, i64) {
    return {Type::Participant, 0, packed(m.mpid.raw()) | letters(m.primary, m.mode, m.state) << 32, 0, 0, 0};
}
constexpr Body body_of(const MwcbLevels& m, i64) {
    return prices(Type::BreakerLevels, 0, i64(m.level1_px8), i64(m.level2_px8), i64(m.level3_px8));
}
constexpr Body body_of(const MwcbStatus& m, i64) {
    return {Type::Breaker, 0, letters(m.level), 0, 0, m.level >= '1' && m.level <= '3' ? u64(m.level - '0') : 0};
}
constexpr Body body_of(const IpoQuoting& m, i64 midnight_ns) {
    return {Type::IpoQuoting, 0, letters(m.qualifier), m.px, 0, time_of(midnight_ns, m.release_s * u64(kNsPerS))};
}
constexpr Body body_of(const LuldCollar& m, i64) {
    return prices(Type::AuctionCollar, m.extensions, m.reference_px, m.lower_px, m.upper_px);
}
constexpr Body body_of(const RetailInterest& m, i64) { return {Type::RetailInterest, 0, letters(m.interest), 0, 0, 0}; }
constexpr Body body_of(const NetOrderImbalance& m, i64) {
    const i64 qty = i64(m.imbalance_qty);
    return {Type::Imbalance, 0, letters_of(m), m.reference_px, m.direction == 'S' ? -qty : qty, m.paired_qty};
}
constexpr Body body_of(const DirectListing& m, i64 midnight_ns) {
    return prices(Type::DirectListing, time_of(midnight_ns, m.near_ts), m.min_px, m.max_px, m.near_px,
                  m.open_eligible == 'Y' ? kEligible : u8(0));
}

template <class M>
concept MakesRecord = requires(const M& m) { body_of(m, i64{}); };

// The second record of the messages that say more than one holds.
constexpr Body second_body_of(const NetOrderImbalance& m) {
    return prices(Type::AuctionPrices, letters_of(m), m.far_px, m.near_px, m.reference_px);
}
constexpr Body second_body_of(const DirectListing& m) {
    return prices(Type::AuctionCollar, 0, m.near_px, m.lower_px, m.upper_px);
}
template <class M>
concept MakesTwo = requires(const M& m) { second_body_of(m); };

// Values of eight bytes may exceed what a record holds.
constexpr bool fits(u64 value) { return value <= u64(std::numeric_limits<i64>::max()); }
constexpr bool is_representable(const auto&) { return true; }
constexpr bool is_representable(const CrossTrade& m) { return fits(m.qty); }
constexpr bool is_representable(const NetOrderImbalance& m) { return fits(m.imbalance_qty) && fits(m.paired_qty); }
constexpr bool is_representable(const MwcbLevels& m) {
    return fits(m.level1_px8) && fits(m.level2_px8) && fits(m.level3_px8);
}
constexpr bool is_representable(const DirectListing& m) { return fits(m.near_ts); }

// Of the market, not of an instrument.
template <class M>
inline constexpr bool is_of_market =
    std::is_same_v<M, SystemEvent> || std::is_same_v<M, MwcbLevels> || std::is_same_v<M, MwcbStatus>;

}  // namespace openbell::itch50
