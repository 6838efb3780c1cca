#include "exchange/itch_out.h"

namespace openbell::exchange {
namespace {

char letter_of(Side side) { return side == Side::Buy ? 'B' : 'S'; }

char letter_of(Auction auction) {
    switch (auction) {
        case Auction::Opening: return 'O';
        case Auction::Closing: return 'C';
        case Auction::Reopening: break;
    }
    return 'H';
}

char direction_of(i64 surplus) {
    if (surplus == 0) return 'N';
    return surplus > 0 ? 'B' : 'S';
}

}  // namespace

void ItchOut::add_instrument(const std::string& symbol, u32 round_lot) {
    instruments_.push_back({itch50::Symbol(symbol), round_lot});
}

void ItchOut::system_event(char event) {
    itch50::SystemEvent message;
    message.ts = clock_.since_midnight();
    message.event = event;
    publish(message);
}

void ItchOut::directory() {
    for (u32 i = 0; i < instruments_.size(); ++i) {
        itch50::StockDirectory message;
        static_cast<itch50::Head&>(message) = head(i);
        message.symbol = instruments_[i].symbol;
        message.round_lot = instruments_[i].round_lot;
        publish(message);
    }
}

void ItchOut::trading_action(u32 instrument, char state, Alpha<4> reason) {
    itch50::TradingAction message;
    static_cast<itch50::Head&>(message) = head(instrument);
    message.symbol = symbol(instrument);
    message.state = state;
    message.reason = reason;
    publish(message);
}

void ItchOut::order_event(const MatchEvent& e) {
    switch (e.type) {
        case MatchEventType::Rested:
        case MatchEventType::Refreshed: return add(e);
        case MatchEventType::Executed: return executed(e);
        case MatchEventType::Reduced: return reduced(e.instrument, e.shown_ref, e.shown_qty, e.leaves == 0);
        case MatchEventType::Replaced: return replaced(e);
        case MatchEventType::Repriced: return repriced(e);
        case MatchEventType::Crossed:
            return publish(itch50::CrossTrade{head(e.instrument), u64(e.qty), symbol(e.instrument), u32(e.px),
                                              e.match_number, letter_of(e.auction)});
        case MatchEventType::Accepted:
        case MatchEventType::Discarded:
        case MatchEventType::Triggered:
        case MatchEventType::PhaseChanged: return;
    }
}

void ItchOut::add(const MatchEvent& e) {
    if (e.shown_ref == 0) return;
    publish(itch50::AddOrder{head(e.instrument), e.shown_ref, letter_of(e.side), u32(e.qty), symbol(e.instrument),
                             u32(e.px)});
}

void ItchOut::executed(const MatchEvent& e) {
    if (e.is_auction) {
        crossed(e.instrument, e.shown_ref, e);
        crossed(e.instrument, e.aggressor_shown_ref, e);
    } else if (e.shown_ref != 0) {
        publish(itch50::OrderExecuted{head(e.instrument), e.shown_ref, u32(e.qty), e.match_number});
    } else {  // side and reference of a Trade say nothing since 2014
        publish(itch50::Trade{head(e.instrument), 0, 'B', u32(e.qty), symbol(e.instrument), u32(e.px), e.match_number});
    }
}

void ItchOut::crossed(u32 instrument, u64 shown_ref, const MatchEvent& e) {
    if (shown_ref == 0) return;
    publish(itch50::OrderExecutedWithPrice{head(instrument), shown_ref, u32(e.qty), e.match_number, 'N', u32(e.px)});
}

void ItchOut::reduced(u32 instrument, u64 shown_ref, i64 shown_qty, bool is_gone) {
    if (shown_ref == 0) return;
    if (is_gone)
        publish(itch50::OrderDelete{head(instrument), shown_ref});
    else if (shown_qty > 0)
        publish(itch50::OrderCancel{head(instrument), shown_ref, u32(shown_qty)});
}

void ItchOut::replaced(const MatchEvent& e) {
    if (e.priority == Priority::Lost)
        publish(itch50::OrderReplace{head(e.instrument), e.prev_shown_ref, e.shown_ref, u32(e.leaves), u32(e.px)});
    else
        reduced(e.instrument, e.prev_shown_ref, e.shown_qty, e.priority == Priority::Reentered);
}

void ItchOut::repriced(const MatchEvent& e) {
    if (e.prev_shown_ref == 0) return add(e);
    if (e.shown_ref == 0) return reduced(e.instrument, e.prev_shown_ref, 0, true);
    publish(itch50::OrderReplace{head(e.instrument), e.prev_shown_ref, e.shown_ref, u32(e.qty), u32(e.px)});
}

void ItchOut::broken_trade(u32 instrument, u64 match_number) {
    publish(itch50::BrokenTrade{head(instrument), match_number});
}

void ItchOut::imbalance(u32 instrument, Auction auction, const Indication& indication) {
    itch50::NetOrderImbalance message;
    static_cast<itch50::Head&>(message) = head(instrument);
    message.paired_qty = u64(indication.paired_qty);
    message.imbalance_qty = u64(indication.imbalance_qty < 0 ? -indication.imbalance_qty : indication.imbalance_qty);
    message.direction = direction_of(indication.imbalance_qty);
    message.symbol = symbol(instrument);
    message.far_px = u32(indication.far_px);
    message.near_px = u32(indication.near_px);
    message.reference_px = u32(indication.reference_px);
    message.cross = letter_of(auction);
    message.variation = price_variation(indication.near_px, indication.reference_px);
    publish(message);
}

void ItchOut::collar(u32 instrument, i64 reference, i64 lo, i64 hi, u32 extensions) {
    itch50::LuldCollar message;
    static_cast<itch50::Head&>(message) = head(instrument);
    message.symbol = symbol(instrument);
    message.reference_px = u32(reference);
    message.upper_px = u32(hi);
    message.lower_px = u32(lo);
    message.extensions = extensions;
    publish(message);
}

void ItchOut::breaker_levels(const std::array<i64, kBreakerLevels>& levels) {
    itch50::MwcbLevels message;
    message.ts = clock_.since_midnight();
    message.level1_px8 = u64(levels[0]);
    message.level2_px8 = u64(levels[1]);
    message.level3_px8 = u64(levels[2]);
    publish(message);
}

void ItchOut::breaker_status(u8 level) {
    itch50::MwcbStatus message;
    message.ts = clock_.since_midnight();
    message.level = char('0' + level);
    publish(message);
}

template <class Message>
void ItchOut::publish(const Message& message) {
    if (is_silent_) return;
    u8 buffer[itch50::kMessageBytesMax];
    ByteWriter out(buffer);
    encode(message, out);
    log_.append(out.written());
}

}  // namespace openbell::exchange
