#include "exchange/doors/ouch50_door.h"

#include <algorithm>

#include "exchange/doors/ouch_letters.h"

namespace openbell::exchange {
namespace {

using ouch50::Options;
using ouch50::RejectReason;
using ouch50::Tag;
using ouch50::TagSet;

constexpr std::string_view kPriceTypes = "LPMRm";
constexpr std::string_view kCrosses = "NOCH";

bool is_market(u64 px) { return px == ouch50::kMarketPx || px == ouch50::kMarketCrossPx; }

Peg peg_of(char price_type) {
    switch (price_type) {
        case 'P': return Peg::Market;
        case 'R': return Peg::Primary;
        case 'M':
        case 'm': return Peg::Mid;
        default: return Peg::None;
    }
}

Tif tif_of(const Words& w) {
    if (w.cross == ouch50::cross::kOpening) return Tif::AtOpen;
    if (w.cross == ouch50::cross::kClosing) return Tif::AtClose;
    return w.tif == u8(ouch50::tif::kImmediate) ? Tif::Ioc : Tif::Day;
}

Terms terms_of(const Words& w, const Options& o, u64 px, i64 open_qty) {
    Terms t{.px = is_market(px) ? kMarketPx : i64(px), .qty = open_qty, .tif = tif_of(w)};
    t.peg = peg_of(o.price_type);
    t.type = t.peg != Peg::None ? OrderType::Pegged : is_market(px) ? OrderType::Market : OrderType::Limit;
    t.peg_offset = o.peg_offset;
    t.post_only = o.post_only == 'P' ? PostOnly::Reject : PostOnly::No;
    t.keeps_place = false;
    if (w.max_floor > 0) t.display = std::min(i64(w.max_floor), open_qty);
    if (w.display == 'N') t.display = 0;
    t.min_qty = std::min(i64(w.min_qty), open_qty);
    return t;
}

// Options that would change what the order does, and that this venue does not do.
bool asks_for_more(const Options& o, TagSet of_message) {
    const bool is_default = o.discretion_px == 0 && o.discretion_price_type == 'L' && o.discretion_peg_offset == 0 &&
                            o.random_reserves == 0 && o.trade_now != 'Y' && o.handling == ' ';
    return !o.are_of(of_message) || !is_default;
}

bool is_known_tif(const Words& w) {
    using namespace ouch50::tif;
    const char tif = char(w.tif);
    if (tif == kGoodTillTime) return w.expire_s > 0 && w.expire_s <= kSecondsToLiveMax;
    return tif == kDay || tif == kImmediate || tif == kGoodTillCrossing;
}

Refusal refuse_words(const Words& w, const Options& o, u64 px, TagSet of_message) {
    if (!is_side(w.side)) return Refusal::Side;
    if (w.qty == 0 || w.qty >= ouch50::kQtyLimit) return Refusal::Qty;
    if (!is_market(px) && (px == 0 || px > ouch50::kPxMax)) return Refusal::Price;
    const bool hides_and_shows = w.display == 'N' && w.max_floor > 0;
    if (!is_one_of(w.display, "YNA") || w.max_floor > w.qty || hides_and_shows) return Refusal::Display;
    if (!is_one_of(w.cross, kCrosses)) return Refusal::Cross;
    if (w.min_qty > w.qty) return Refusal::MinQty;
    if (!is_one_of(o.price_type, kPriceTypes)) return Refusal::Peg;
    if (asks_for_more(o, of_message)) return Refusal::Words;
    return is_known_tif(w) ? Refusal::None : Refusal::TimeInForce;
}

void arm(LiveOrder& order, i64 now_ns) {
    if (order.words.tif == u8(ouch50::tif::kGoodTillTime))
        order.expires_ns = now_ns + i64(order.words.expire_s) * 1'000'000'000;
}

// Enter and Replace have these words in common.
void take_words(Words& w, const auto& m) {
    const Options& o = m.options;
    w.cl_ord_id = m.cl_ord_id;
    w.user_ref = m.user_ref;
    w.channel = o.user_ref_index;
    w.display = m.display;
    w.iso = m.iso;
    w.tif = u8(m.tif);
    w.px = u32(std::min<u64>(m.px, 0xFFFF'FFFF));
    w.qty = m.qty;
    w.min_qty = o.qty_min;
    w.max_floor = o.max_floor;
    w.expire_s = o.expire_s;
    w.price_type = o.price_type;
    w.peg_offset = o.peg_offset;
    w.post_only = o.post_only;
}

// The channel on which a message was answered, if it is not the first.
void add_channel(Options& options, u8 channel) {
    if (channel == 0) return;
    options.user_ref_index = channel;
    options.add(Tag::UserRefIndex);
}

// A message about an order, or an answer, with the channel that it belongs to.
template <class Message>
Message about(Addressee to, u32 user_ref, u8 channel) {
    Message message;
    message.ts = to.ts;
    message.user_ref = user_ref;
    add_channel(message.options, channel);
    return message;
}
template <class Message>
Message about(Addressee to, const LiveOrder& order) {
    return about<Message>(to, order.words.user_ref, order.words.channel);
}

void on_message(Desk& desk, u32 account, const ouch50::EnterOrder& m) {
    u32& last = desk.last_user_ref(account, m.options.user_ref_index);
    if (m.user_ref <= last) return desk.ignore(Ignored::Duplicate);
    LiveOrder* order = desk.begin(account, name_of(m.options.user_ref_index, m.user_ref));
    if (!order) return;
    last = m.user_ref;
    order->instrument = desk.find_instrument(m.symbol);
    order->side = side_of(m.side);
    order->qty = m.qty;
    Words& w = order->words;
    take_words(w, m);
    w.side = m.side;
    w.capacity = m.capacity;
    w.cross = m.cross;
    w.customer = m.options.customer;
    w.firm = m.options.firm;
    w.group = m.options.group_id;
    order->terms = terms_of(w, m.options, m.px, m.qty);
    arm(*order, desk.now_ns());
    desk.enter(*order, refuse_words(w, m.options, m.px, m.kOptions));
}

void on_message(Desk& desk, u32 account, const ouch50::ReplaceOrder& m) {
    const u8 channel = m.options.user_ref_index;
    LiveOrder* prev = desk.find(account, name_of(channel, m.prev_user_ref));
    if (!prev) return desk.ignore(Ignored::NotLive);
    if (m.user_ref <= desk.last_user_ref(account, channel)) return desk.ignore(Ignored::Duplicate);
    LiveOrder* order = desk.begin(account, name_of(channel, m.user_ref));
    if (!order) return;
    order->qty = m.qty;
    Words& w = order->words;
    w = prev->words;
    take_words(w, m);
    if (m.options.has(Tag::Side)) w.side = m.options.side;
    order->terms = terms_of(w, m.options, m.px, i64(m.qty) - prev->cum_qty);
    arm(*order, desk.now_ns());
    Refusal words = refuse_words(w, m.options, m.px, m.kOptions);
    if (words == Refusal::None && side_of(w.side) != prev->side) words = Refusal::Side;
    if (desk.replace(*prev, *order, words)) desk.last_user_ref(account, channel) = m.user_ref;
}

void on_message(Desk& desk, u32 account, const ouch50::CancelOrder& m) {
    LiveOrder* order = desk.find(account, name_of(m.options.user_ref_index, m.user_ref));
    if (!order) return desk.ignore(Ignored::NotLive);
    desk.reduce(*order, m.qty);
}

void on_message(Desk& desk, u32 account, const ouch50::ModifyOrder& m) {
    LiveOrder* order = desk.find(account, name_of(m.options.user_ref_index, m.user_ref));
    if (!order) return desk.ignore(Ignored::NotLive);
    desk.modify(*order, m.side, m.qty);
}

void on_message(Desk& desk, u32 account, const ouch50::MassCancel& m) {
    const Addressee to = desk.addressee(account);
    auto response = about<ouch50::MassCancelResponse>(to, m.user_ref, m.options.user_ref_index);
    response.firm = m.firm;
    response.symbol = m.symbol;
    tell(to, response);
    MassCancelFilter filter;
    if (!m.symbol.trimmed().empty()) filter.instrument = desk.find_instrument(m.symbol);
    if (!m.firm.trimmed().empty()) filter.firm = m.firm;
    if (m.options.has(Tag::Side)) filter.side = m.options.side;
    if (m.options.has(Tag::GroupId)) filter.group = m.options.group_id;
    desk.mass_cancel(account, filter);
}

template <class Response>
void answer_order_entry(Desk& desk, u32 account, const auto& m, bool on) {
    desk.enable(account, on);
    const Addressee to = desk.addressee(account);
    auto response = about<Response>(to, m.user_ref, m.options.user_ref_index);
    response.firm = m.firm;
    tell(to, response);
}

void on_message(Desk& desk, u32 account, const ouch50::DisableOrderEntry& m) {
    answer_order_entry<ouch50::DisableResponse>(desk, account, m, false);
}

void on_message(Desk& desk, u32 account, const ouch50::EnableOrderEntry& m) {
    answer_order_entry<ouch50::EnableResponse>(desk, account, m, true);
}

void on_message(Desk& desk, u32 account, const ouch50::AccountQuery& m) {
    const u8 channel = m.options.user_ref_index;
    const Addressee to = desk.addressee(account);
    tell(to, about<ouch50::AccountQueryResponse>(to, desk.last_user_ref(account, channel) + 1, channel));
}

RejectReason reason_of(Refusal why, bool is_iceberg) {
    switch (why) {
        case Refusal::Closed: return RejectReason::DestinationClosed;
        case Refusal::Halted: return RejectReason::Halted;
        case Refusal::Symbol: return RejectReason::InvalidSymbol;
        case Refusal::Side: return RejectReason::InvalidSide;
        case Refusal::Price:
        case Refusal::Tick:
        case Refusal::StopPrice: return RejectReason::InvalidPx;
        case Refusal::PriceCollar: return RejectReason::FatFinger;
        case Refusal::Qty: return RejectReason::InvalidQty;
        case Refusal::QtyMax: return RejectReason::SharesExceedThreshold;
        case Refusal::Display: return is_iceberg ? RejectReason::InvalidMaxFloor : RejectReason::InvalidDisplay;
        case Refusal::MinQty: return RejectReason::InvalidQtyMin;
        case Refusal::Peg: return RejectReason::InvalidPegType;
        case Refusal::Cross:
        case Refusal::PhaseNotAllowed: return RejectReason::InvalidCrossOrder;
        case Refusal::Disabled: return RejectReason::FirmNotAuthorized;
        case Refusal::Rate: return RejectReason::RiskPortRate;
        case Refusal::Ordered: return RejectReason::Test;
        case Refusal::Full: return RejectReason::ProcessingError;
        case Refusal::None:
        case Refusal::Type:
        case Refusal::TimeInForce:
        case Refusal::PostOnly:
        case Refusal::NotLive:
        case Refusal::Words: break;
    }
    return RejectReason::Other;
}

char letter_of(Cause cause) {
    using namespace ouch50::canceled;
    switch (cause) {
        case Cause::ImmediateOrCancel: return kImmediate;
        case Cause::PostOnly: return kPostOnlyContra;
        case Cause::Timeout: return kTimeout;
        case Cause::Close: return kClosed;
        case Cause::SelfMatch: return kSelfMatch;
        case Cause::Collar: return kMarketCollar;
        case Cause::AuctionOver: return kImmediate;
        case Cause::Disconnect:
        case Cause::Supervisory: return kSupervisory;
        case Cause::MassCancel:
        case Cause::User:
        case Cause::None: break;
    }
    return kUser;
}

// The options that the order has, for the reports that repeat it.
void add_options(Options& out, const Words& w) {
    auto add = [&out](Tag tag, auto& to, const auto& value, bool is_there) {
        if (!is_there) return;
        to = value;
        out.add(tag);
    };
    add(Tag::Firm, out.firm, w.firm, !w.firm.trimmed().empty());
    add(Tag::QtyMin, out.qty_min, w.min_qty, w.min_qty != 0);
    add(Tag::CustomerType, out.customer, w.customer, w.customer != ' ');
    add(Tag::MaxFloor, out.max_floor, w.max_floor, w.max_floor != 0);
    add(Tag::PriceType, out.price_type, w.price_type, w.price_type != 'L');
    add(Tag::PegOffset, out.peg_offset, w.peg_offset, w.peg_offset != 0);
    add(Tag::PostOnly, out.post_only, w.post_only, w.post_only != 'N');
    add(Tag::ExpireTime, out.expire_s, w.expire_s, w.expire_s != 0);
    add(Tag::GroupId, out.group_id, w.group, w.group != 0);
    add_channel(out, w.channel);
}

void fill_terms(ouch50::OrderTerms& out, Alpha<8> symbol, const LiveOrder& order, u32 px) {
    const Words& w = order.words;
    out.side = w.side;
    out.symbol = symbol;
    out.px = px;
    out.tif = char(w.tif);
    out.display = w.display;
    out.order_id = order.ref;
    out.capacity = w.capacity;
    out.iso = w.iso;
    out.cross = w.cross;
    out.cl_ord_id = w.cl_ord_id;
    add_options(out.options, w);
}

}  // namespace

bool Ouch50Door::receive(Desk& desk, u32 account, Bytes message) const {
    return ouch50::Inbound::visit(message, [&](const auto& m) { on_message(desk, account, m); }) == Undecoded::None;
}

void Ouch50Door::system_event(Addressee to, char event) const { tell(to, ouch50::SystemEvent{to.ts, event}); }

void Ouch50Door::accepted(Addressee to, Alpha<8> symbol, const LiveOrder& order, u32 px) const {
    ouch50::Accepted message;
    fill_terms(message, symbol, order, px);
    message.ts = to.ts;
    message.user_ref = order.words.user_ref;
    message.qty = order.words.qty;
    tell(to, message);
}

void Ouch50Door::replaced(Addressee to, Alpha<8> symbol, const LiveOrder& order, const LiveOrder& prev, u32 px) const {
    ouch50::Replaced message;
    fill_terms(message, symbol, order, px);
    message.ts = to.ts;
    message.prev_user_ref = prev.words.user_ref;
    message.user_ref = order.words.user_ref;
    message.qty = u32(order.leaves_qty);
    tell(to, message);
}

void Ouch50Door::rejected(Addressee to, const LiveOrder& order, Refusal why) const {
    auto message = about<ouch50::Rejected>(to, order);
    message.reason = u16(reason_of(why, order.words.max_floor > 0));
    message.cl_ord_id = order.words.cl_ord_id;
    tell(to, message);
}

void Ouch50Door::canceled(Addressee to, const LiveOrder& order, i64 qty, Cause cause) const {
    auto message = about<ouch50::Canceled>(to, order);
    message.qty = u32(qty);
    message.reason = letter_of(cause);
    tell(to, message);
}

void Ouch50Door::modified(Addressee to, const LiveOrder& order) const {
    auto message = about<ouch50::Modified>(to, order);
    message.side = order.words.side;
    message.qty = u32(order.leaves_qty);
    tell(to, message);
}

void Ouch50Door::prevented(Addressee to, const LiveOrder& order, const MatchEvent& e) const {
    auto message = about<ouch50::AiqCanceled>(to, order);
    message.qty = u32(e.qty);
    message.qty_prevented = u32(e.prevented_qty);
    message.px = u64(e.px);
    message.liquidity = e.type == MatchEventType::Reduced ? 'A' : 'R';
    message.strategy = strategy_letter(order.terms.self_trade);
    tell(to, message);
}

void Ouch50Door::executed(Addressee to, const LiveOrder& order, i64 px, i64 qty, Liquidity liquidity,
                          u64 match_number) const {
    auto message = about<ouch50::Executed>(to, order);
    message.qty = u32(qty);
    message.px = u64(px);
    message.liquidity = liquidity_letter(liquidity);
    message.match_id = match_number;
    tell(to, message);
}

void Ouch50Door::repriced(Addressee to, const LiveOrder& order, const MatchEvent& e) const {
    auto message = about<ouch50::PriorityUpdate>(to, order);
    message.px = u64(e.px);
    message.display = order.words.display;
    message.order_id = e.shown_ref;
    tell(to, message);
}

void Ouch50Door::refreshed(Addressee to, const LiveOrder& order, const MatchEvent& e) const {
    auto message = about<ouch50::Restated>(to, order);
    message.options.display_qty = u32(e.qty);
    message.options.add(Tag::DisplayQty);
    message.options.secondary_order_id = e.shown_ref;
    message.options.add(Tag::SecondaryOrderId);
    tell(to, message);
}

void Ouch50Door::broken(Addressee to, const FillRow& fill, char reason) const {
    auto message = about<ouch50::BrokenTrade>(to, fill.user_ref, fill.channel);
    message.match_id = fill.match_number;
    message.reason = reason;
    message.cl_ord_id = fill.cl_ord_id;
    tell(to, message);
}

}  // namespace openbell::exchange
