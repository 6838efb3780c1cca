#include "exchange/doors/ouch_letters.h"

namespace openbell::exchange {

std::string name_text(const OrderName& name) {
    if (name.chars[0] != '\0') return std::string(name.trimmed());
    u32 user_ref = 0;
    for (std::size_t i = 0; i < 4; ++i) user_ref |= u32(u8(name.chars[2 + i])) << 8 * i;
    const u8 channel = u8(name.chars[1]);
    return channel == 0 ? std::to_string(user_ref) : std::to_string(channel) + ":" + std::to_string(user_ref);
}

char liquidity_letter(Liquidity liquidity) {
    switch (liquidity) {
        case Liquidity::Maker: return 'A';
        case Liquidity::HiddenMaker: return 'J';
        case Liquidity::MidMaker: return 'k';
        case Liquidity::Taker: return 'R';
        case Liquidity::MidTaker: return 'm';
        case Liquidity::Opening: return 'O';
        case Liquidity::Closing: return 'C';
        case Liquidity::Reopening: return 'H';
    }
    return ' ';
}

char strategy_letter(SelfTrade mode) {
    switch (mode) {
        case SelfTrade::CancelNewest: return 'N';
        case SelfTrade::CancelOldest: return 'O';
        case SelfTrade::CancelBoth: return 'B';
        case SelfTrade::Decrement: return 'D';
        case SelfTrade::Allow: break;
    }
    return ' ';
}

}  // namespace openbell::exchange
