#include "venue/ouch_commands.h"

#include <cstring>

#include "wire/token.h"

namespace openbell {
namespace {

constexpr u8 kPxDecimals = 4;
constexpr u8 kQtyDecimals = 0;

std::string_view symbol_of(const Instrument& instrument) {
    return {instrument.symbol, ::strnlen(instrument.symbol, sizeof instrument.symbol)};
}

u32 prev_version(const Order& order) { return order.prev_version ? order.prev_version : order.version - 1; }

ouch42::Token token_of(u64 cl_ord_id, u32 version) { return *ouch42::encode_token({cl_ord_id, version}); }

constexpr u32 kSecondsToLiveMax = 99'997;

// OUCH counts seconds to live; 0 when they are over, or too many.
u32 seconds_to_live(const Order& order) {
    const i64 left = i64(order.expires_s) - order.ts_event / 1'000'000'000;
    return left > 0 && left <= kSecondsToLiveMax ? u32(left) : 0;
}

// FOK is IOC with everything as the minimum quantity; what is for an auction says so by its cross.
u32 tif_of(const Order& order) {
    const Tif tif = Tif(order.tif);
    if (tif == Tif::Gtd) return seconds_to_live(order);
    return tif == Tif::Ioc || tif == Tif::Fok ? ouch42::kTifImmediate : ouch42::kTifMarketHours;
}
u32 qty_min_of(const Order& order) { return Tif(order.tif) == Tif::Fok ? u32(order.qty) : 0; }
char cross_of(const Order& order) {
    return Tif(order.tif) == Tif::AtOpen ? 'O' : Tif(order.tif) == Tif::AtClose ? 'C' : 'N';
}
// Anonymous and price to comply, post-only, or non-displayed.
char display_of(const Order& order) { return order.flags & kPostOnly ? 'P' : order.flags & kHidden ? 'N' : 'Y'; }

bool has_expressible_size(const Order& order, const Instrument& instrument) {
    const Side side = Side(order.side);
    return instrument.px_decimals == kPxDecimals && instrument.qty_decimals == kQtyDecimals &&
           symbol_of(instrument).size() <= sizeof(ouch42::Symbol) && (side == Side::Buy || side == Side::Sell) &&
           order.qty > 0 && order.qty < i64(ouch42::kQtyLimit) && order.px > 0 && order.px <= i64(ouch42::kPxMax);
}

// What the protocol has no word for is refused under its own name, and nothing else is sent for it.
Reason terms_expressible(const Order& order, const Instrument& instrument) {
    const Tif tif = Tif(order.tif);
    const bool is_of_auction = tif == Tif::AtOpen || tif == Tif::AtClose;
    const bool is_replaced_auction = is_of_auction && order.type == u8(Type::ReplaceOrder);  // it names no cross
    const bool has_tif = tif == Tif::Day || tif == Tif::Ioc || tif == Tif::Fok ||
                         (is_of_auction && !is_replaced_auction) || (tif == Tif::Gtd && seconds_to_live(order) > 0);
    if (!has_tif) return Reason::TifNotCarried;
    if ((order.flags & kPostOnly) && (order.flags & kHidden)) return Reason::PostOnlyNotCarried;
    if (order.display_qty != 0 && order.display_qty != order.qty) return Reason::DisplayNotCarried;
    return has_expressible_size(order, instrument) ? Reason::None : Reason::NotExpressible;
}

ouch42::EnterOrder enter(const Order& order, const Instrument& instrument, std::string_view firm) {
    ouch42::EnterOrder m;
    m.token = token_of(order.cl_ord_id, order.version);
    m.side = Side(order.side) == Side::Buy ? 'B' : 'S';
    m.qty = u32(order.qty);
    m.symbol = ouch42::Symbol(symbol_of(instrument));
    m.px = u32(order.px);
    m.tif = tif_of(order);
    m.firm = ouch42::Firm(firm);
    m.display = display_of(order);
    m.capacity = 'P';  // principal
    m.iso = 'N';
    m.qty_min = qty_min_of(order);
    m.cross = cross_of(order);
    m.customer = 'N';
    return m;
}

ouch42::ReplaceOrder replace(const Order& order) {
    ouch42::ReplaceOrder m;
    m.prev_token = token_of(order.cl_ord_id, prev_version(order));
    m.token = token_of(order.cl_ord_id, order.version);
    m.qty = u32(order.qty);
    m.px = u32(order.px);
    m.tif = tif_of(order);
    m.display = display_of(order);
    m.iso = 'N';
    m.qty_min = qty_min_of(order);
    return m;
}

}  // namespace

Reason ouch_expressible(const Order& order, const Instrument& instrument) {
    // Version 0 names nothing at the venue: it would be ignored in silence.
    const bool has_token = order.version > 0 && order.version < ouch42::kVersionLimit;
    if (!has_token) return Reason::NotExpressible;
    switch (Type(order.type)) {
        case Type::NewOrder: return terms_expressible(order, instrument);
        case Type::ReplaceOrder: {
            const bool names_one = prev_version(order) > 0 && prev_version(order) < order.version;
            return names_one ? terms_expressible(order, instrument) : Reason::NotExpressible;
        }
        case Type::CancelOrder: return Reason::None;
        default: return Reason::NotExpressible;
    }
}

bool write_ouch(const Order& order, const Instrument& instrument, std::string_view firm, ByteWriter& out) {
    switch (Type(order.type)) {
        case Type::NewOrder: encode(enter(order, instrument, firm), out); break;
        case Type::ReplaceOrder: encode(replace(order), out); break;
        case Type::CancelOrder: encode(ouch42::CancelOrder{token_of(order.cl_ord_id, order.version), 0}, out); break;
        default: return false;
    }
    return !out.failed();
}

}  // namespace openbell
