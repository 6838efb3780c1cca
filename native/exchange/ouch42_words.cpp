#include "exchange/ouch42_words.h"

#include <algorithm>

namespace openbell::exchange {

Side side_of(char letter) { return letter == 'B' ? Side::Buy : Side::Sell; }
i64 px_of(u32 px) { return px == ouch42::kMarketPx ? kMarketPx : i64(px); }

Terms terms_of(const ouch42::OrderTerms& t, i64 qty) {
    return {.px = px_of(t.px),
            .qty = qty,
            .tif = t.tif == ouch42::kTifImmediate ? Tif::Ioc : Tif::Day,
            .type = t.px == ouch42::kMarketPx ? OrderType::Market : OrderType::Limit,
            .post_only = t.display == 'P' ? PostOnly::Reject : PostOnly::No,
            .min_qty = std::min(i64(t.qty_min), qty)};
}

char letter_of(Refusal why) {
    switch (why) {
        case Refusal::Closed: return 'C';
        case Refusal::Halted: return 'H';
        case Refusal::Price:
        case Refusal::Tick:
        case Refusal::PriceCollar:
        case Refusal::StopPrice: return 'X';
        case Refusal::Qty:
        case Refusal::QtyMax: return 'Z';
        case Refusal::Display:
        case Refusal::PostOnly: return 'D';
        case Refusal::MinQty: return 'N';
        case Refusal::PhaseNotAllowed: return 'R';
        case Refusal::Type:
        case Refusal::TimeInForce:
        case Refusal::Peg:
        case Refusal::Full:
        case Refusal::NotLive:
        case Refusal::None: break;
    }
    return 'O';
}

char reason_letter(Cause cause) {
    switch (cause) {
        case Cause::ImmediateOrCancel: return 'I';
        case Cause::PostOnly: return 'G';
        case Cause::Timeout: return 'T';
        case Cause::Disconnect: return 'S';
        case Cause::Close: return 'E';
        case Cause::SelfMatch: return 'Q';
        case Cause::Collar: return 'D';
        case Cause::AuctionOver: return 'H';
        case Cause::Supervisory: return 'Z';
        case Cause::MassCancel:
        case Cause::User:
        case Cause::None: return 'U';
    }
    return 'Z';
}

}  // namespace openbell::exchange
