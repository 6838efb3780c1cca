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

// OUCH counts seconds to live. FOK is IOC with everything as the minimum quantity.
u32 tif_of(const Order& order) { return Tif(order.tif) == Tif::Day ? ouch42::kTifMarketHours : ouch42::kTifImmediate; }
u32 qty_min_of(const Order& order) { return Tif(order.tif) == Tif::Fok ? u32(order.qty) : 0; }

bool has_expressible_terms(const Order& order, const Instrument& instrument) {
    const Tif tif = Tif(order.tif);
    const Side side = Side(order.side);
    return instrument.px_decimals == kPxDecimals && instrument.qty_decimals == kQtyDecimals &&
           symbol_of(instrument).size() <= sizeof(ouch42::Symbol) && (side == Side::Buy || side == Side::Sell) &&
           (tif == Tif::Day || tif == Tif::Ioc || tif == Tif::Fok) && order.qty > 0 &&
           order.qty < i64(ouch42::kQtyLimit) && order.px > 0 && order.px <= i64(ouch42::kPxMax);
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
    m.display = 'Y';   // anonymous, price to comply
    m.capacity = 'P';  // principal
    m.iso = 'N';
    m.qty_min = qty_min_of(order);
    m.cross = 'N';
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
    m.display = 'Y';
    m.iso = 'N';
    m.qty_min = qty_min_of(order);
    return m;
}

}  // namespace

Reason ouch_expressible(const Order& order, const Instrument& instrument) {
    // Version 0 names nothing at the venue: it would be ignored in silence.
    const bool has_token = order.version > 0 && order.version < ouch42::kVersionLimit;
    bool is_expressible = false;
    switch (Type(order.type)) {
        case Type::NewOrder: is_expressible = has_token && has_expressible_terms(order, instrument); break;
        case Type::ReplaceOrder:
            is_expressible = has_token && prev_version(order) > 0 && prev_version(order) < order.version &&
                             has_expressible_terms(order, instrument);
            break;
        case Type::CancelOrder: is_expressible = has_token; break;
        default: break;
    }
    return is_expressible ? Reason::None : Reason::NotExpressible;
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
