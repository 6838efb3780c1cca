#include "exchange/doors/ouch42_door.h"

#include <algorithm>

#include "exchange/doors/ouch_letters.h"

namespace openbell::exchange {
namespace {

constexpr std::string_view kDisplays = "AYPLNMW";
constexpr std::string_view kCrosses = "NOCH";  // none, opening, closing, reopening

// Terms of an order or a replace; `w` has its words.
Terms terms_of(const Words& w, i64 open_qty) {
    Terms t{.px = w.px == ouch42::kMarketPx ? kMarketPx : i64(w.px), .qty = open_qty};
    if (w.tif == ouch42::kTifImmediate) t.tif = Tif::Ioc;
    if (w.cross == 'O') t.tif = Tif::AtOpen;
    if (w.cross == 'C') t.tif = Tif::AtClose;
    if (w.px == ouch42::kMarketPx) t.type = OrderType::Market;
    if (is_one_of(w.display, "MW")) {
        t.type = OrderType::Pegged;
        t.peg = Peg::Mid;
    }
    if (is_one_of(w.display, "PLW")) t.post_only = PostOnly::Reject;
    if (w.display == 'N') t.display = 0;
    t.min_qty = std::min(i64(w.min_qty), open_qty);
    return t;
}

bool is_known_tif(u32 tif) {
    return tif <= kSecondsToLiveMax || tif == ouch42::kTifMarketHours || tif == ouch42::kTifSystemHours;
}

// What is wrong with the words of an order, whatever the book says.
Refusal refuse_words(const Words& w) {
    if (!is_side(w.side)) return Refusal::Side;
    if (w.qty == 0 || w.qty >= ouch42::kQtyLimit) return Refusal::Qty;
    if (w.px != ouch42::kMarketPx && (w.px == 0 || w.px > ouch42::kPxMax)) return Refusal::Price;
    if (!is_one_of(w.display, kDisplays)) return Refusal::Display;
    if (!is_one_of(w.cross, kCrosses)) return Refusal::Cross;
    if (w.min_qty > w.qty) return Refusal::MinQty;
    return is_known_tif(w.tif) ? Refusal::None : Refusal::TimeInForce;
}

void arm(LiveOrder& order, i64 now_ns) {
    const u32 seconds = order.words.tif;
    if (seconds > 0 && seconds <= kSecondsToLiveMax) order.expires_ns = now_ns + i64(seconds) * 1'000'000'000;
}

void on_message(Desk& desk, u32 account, const ouch42::EnterOrder& m) {
    LiveOrder* order = desk.begin(account, m.token);
    if (!order) return;
    order->instrument = desk.find_instrument(m.symbol);
    order->side = side_of(m.side);
    order->qty = m.qty;
    Words& w = order->words;
    w.side = m.side;
    w.display = m.display;
    w.capacity = m.capacity;
    w.iso = m.iso;
    w.cross = m.cross;
    w.customer = m.customer;
    w.firm = m.firm;
    w.tif = m.tif;
    w.px = m.px;
    w.qty = m.qty;
    w.min_qty = m.qty_min;
    order->terms = terms_of(w, m.qty);
    arm(*order, desk.now_ns());
    desk.enter(*order, refuse_words(w));
}

void on_message(Desk& desk, u32 account, const ouch42::ReplaceOrder& m) {
    LiveOrder* prev = desk.find(account, m.prev_token);
    if (!prev) return desk.ignore(Ignored::NotLive);
    LiveOrder* order = desk.begin(account, m.token);
    if (!order) return;
    order->qty = m.qty;
    Words& w = order->words;
    w = prev->words;
    w.display = m.display;
    w.iso = m.iso;
    w.tif = m.tif;
    w.px = m.px;
    w.qty = m.qty;
    w.min_qty = m.qty_min;
    order->terms = terms_of(w, i64(m.qty) - prev->cum_qty);
    arm(*order, desk.now_ns());
    desk.replace(*prev, *order, refuse_words(w));
}

void on_message(Desk& desk, u32 account, const ouch42::CancelOrder& m) {
    LiveOrder* order = desk.find(account, m.token);
    if (!order) return desk.ignore(Ignored::NotLive);
    desk.reduce(*order, m.qty);
}

void on_message(Desk& desk, u32 account, const ouch42::ModifyOrder& m) {
    LiveOrder* order = desk.find(account, m.token);
    if (!order) return desk.ignore(Ignored::NotLive);
    desk.modify(*order, m.side, m.qty);
}

void on_message(Desk& desk, u32, const ouch42::TradeNow&) { desk.ignore(Ignored::Unsupported); }

char letter_of(Refusal why) {
    switch (why) {
        case Refusal::Closed: return 'C';
        case Refusal::Halted: return 'H';
        case Refusal::Symbol: return 'S';
        case Refusal::Price:
        case Refusal::Tick:
        case Refusal::PriceCollar:
        case Refusal::StopPrice: return 'X';
        case Refusal::Qty:
        case Refusal::QtyMax: return 'Z';
        case Refusal::Display:
        case Refusal::PostOnly: return 'D';
        case Refusal::MinQty: return 'N';
        case Refusal::Cross:
        case Refusal::PhaseNotAllowed: return 'R';
        case Refusal::Disabled: return 'a';
        case Refusal::Ordered: return 'T';
        case Refusal::None:
        case Refusal::Type:
        case Refusal::TimeInForce:
        case Refusal::Peg:
        case Refusal::Full:
        case Refusal::NotLive:
        case Refusal::Side:
        case Refusal::Words:
        case Refusal::Rate: break;
    }
    return 'O';
}

char letter_of(Cause cause) {
    switch (cause) {
        case Cause::ImmediateOrCancel: return 'I';
        case Cause::PostOnly: return 'G';
        case Cause::Timeout: return 'T';
        case Cause::Close: return 'E';
        case Cause::SelfMatch: return 'Q';
        case Cause::Collar: return 'K';
        case Cause::AuctionOver: return 'C';
        case Cause::Disconnect:
        case Cause::Supervisory: return 'S';
        case Cause::MassCancel:
        case Cause::User:
        case Cause::None: break;
    }
    return 'U';
}

void fill_terms(ouch42::OrderTerms& out, u64 ts, Alpha<8> symbol, const LiveOrder& order, u32 px) {
    const Words& w = order.words;
    out.ts = ts;
    out.token = order.name;
    out.side = w.side;
    out.symbol = symbol;
    out.px = px;
    out.tif = w.tif;
    out.firm = w.firm;
    out.display = w.display;
    out.order_id = order.ref;
    out.capacity = w.capacity;
    out.iso = w.iso;
    out.qty_min = w.min_qty;
    out.cross = w.cross;
}

}  // namespace

bool Ouch42Door::receive(Desk& desk, u32 account, Bytes message) const {
    return ouch42::Inbound::visit(message, [&](const auto& m) { on_message(desk, account, m); }) == Undecoded::None;
}

void Ouch42Door::system_event(Addressee to, char event) const { tell(to, ouch42::SystemEvent{to.ts, event}); }

void Ouch42Door::accepted(Addressee to, Alpha<8> symbol, const LiveOrder& order, u32 px) const {
    ouch42::Accepted message;
    fill_terms(message, to.ts, symbol, order, px);
    message.qty = order.words.qty;
    tell(to, message);
}

void Ouch42Door::replaced(Addressee to, Alpha<8> symbol, const LiveOrder& order, const LiveOrder& prev, u32 px) const {
    ouch42::Replaced message;
    fill_terms(message, to.ts, symbol, order, px);
    message.qty = u32(order.leaves_qty);
    message.prev_token = prev.name;
    tell(to, message);
}

void Ouch42Door::rejected(Addressee to, const LiveOrder& order, Refusal why) const {
    tell(to, ouch42::Rejected{to.ts, order.name, letter_of(why)});
}

void Ouch42Door::canceled(Addressee to, const LiveOrder& order, i64 qty, Cause cause) const {
    tell(to, ouch42::Canceled{to.ts, order.name, u32(qty), letter_of(cause)});
}

void Ouch42Door::modified(Addressee to, const LiveOrder& order) const {
    tell(to, ouch42::Modified{to.ts, order.name, order.words.side, u32(order.leaves_qty)});
}

void Ouch42Door::prevented(Addressee to, const LiveOrder& order, const MatchEvent& e) const {
    const char liquidity = e.type == MatchEventType::Reduced ? 'A' : 'R';
    tell(to, ouch42::AiqCanceled{to.ts, order.name, u32(e.qty), letter_of(Cause::SelfMatch), u32(e.prevented_qty),
                                 u32(e.px), liquidity, strategy_letter(order.terms.self_trade)});
}

void Ouch42Door::executed(Addressee to, const LiveOrder& order, i64 px, i64 qty, Liquidity liquidity,
                          u64 match_number) const {
    ouch42::Executed message;
    static_cast<ouch42::Execution&>(message) = {to.ts,       order.name, u32(qty), u32(px), liquidity_letter(liquidity),
                                                match_number};
    tell(to, message);
}

void Ouch42Door::repriced(Addressee to, const LiveOrder& order, const MatchEvent& e) const {
    tell(to, ouch42::PriorityUpdate{to.ts, order.name, u32(e.px), order.words.display, e.shown_ref});
}

void Ouch42Door::broken(Addressee to, const FillRow& fill, char reason) const {
    tell(to, ouch42::BrokenTrade{to.ts, fill.name, fill.match_number, reason});
}

void Ouch42Door::corrected(Addressee to, const FillRow& fill, char reason) const {
    ouch42::TradeCorrection message;
    static_cast<ouch42::Execution&>(message) = {
        to.ts, fill.name, u32(fill.qty), u32(fill.px), liquidity_letter(fill.liquidity), fill.match_number};
    message.reason = reason;
    tell(to, message);
}

}  // namespace openbell::exchange
