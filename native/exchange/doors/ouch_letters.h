// What OUCH 4.2 and 5.0 spell alike.
#pragma once

#include <string>
#include <string_view>

#include "exchange/ledger.h"
#include "exchange/matching/match_event.h"

namespace openbell::exchange {

constexpr bool is_one_of(char letter, std::string_view letters) {
    return letters.find(letter) != std::string_view::npos;
}

// Sides are B buy, S sell, T sell short, E sell short exempt.
constexpr bool is_side(char letter) { return is_one_of(letter, "BSTE"); }
constexpr Side side_of(char letter) { return letter == 'B' ? Side::Buy : Side::Sell; }

// OUCH 5.0 names an order by its number on a channel of the port.
constexpr OrderName name_of(u8 channel, u32 user_ref) {
    OrderName name;
    name.chars.fill('\0');
    name.chars[1] = char(channel);
    for (std::size_t i = 0; i < 4; ++i) name.chars[2 + i] = char(user_ref >> 8 * i);
    return name;
}

// A name as people write it: a token, or the number (with its channel, if that is not the first) of OUCH 5.0.
std::string name_text(const OrderName& name);

char liquidity_letter(Liquidity liquidity);
char strategy_letter(SelfTrade mode);  // of self-trade prevention

}  // namespace openbell::exchange
