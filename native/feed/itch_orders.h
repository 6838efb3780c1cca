// The messages about orders, which are nearly all of a feed, decoded without a branch on their type.
//
// They say the same few things at places of their own: a row of the table says where, and its masks make zero of
// what a message lacks. The places follow from the lists of fields in wire/itch50.h, and no row reads beyond the
// length that its message has. A switch mispredicts on nearly every change of type, which costs more than the decoding.
#pragma once

#include <array>

#include "feed/edge_checks.h"
#include "records.h"
#include "wire/itch50.h"

namespace openbell::itch50 {

struct OrderRow {
    u32 length = 0xFFFF'FFFF;  // of the message; no message is as long as where there is no row
    u8 type = 0;
    u8 flags = 0;
    u8 flag_at = 0;  // the character here ...
    u8 flag_if = 0;  // ... if it is this one ...
    u8 flag = 0;     // ... adds this flag
    u8 px_at = 0;
    u8 qty_at = 0;
    u8 ref_at = 0;
    u32 px_mask = 0;
    u32 qty_mask = 0;
    u8 look = 0;  // bits of EdgeChecks
    u64 ref_mask = 0;
};
static_assert(sizeof(OrderRow) == 32);

inline constexpr std::size_t kTrackingAt = 3;  // 2 bytes, and 6 of the timestamp behind them
inline constexpr std::size_t kOrderIdAt = 11;

template <class M>
constexpr OrderRow order_row(Type type, u8 flags, u8 look, std::string_view ref, std::string_view flag_field = {},
                             char flag_if = 0, u8 flag = 0) {
    static_assert(place_of<M>("order_id") == kOrderIdAt && place_of<M>("tracking") == kTrackingAt &&
                  place_of<M>("locate") == 1 && place_of<M>("ts") == 5 && M::kLength >= kOrderIdAt + 8);
    OrderRow row{.length = M::kLength, .type = u8(type), .flags = flags, .look = look};
    if (!flag_field.empty()) row.flag_at = place_of<M>(flag_field), row.flag_if = u8(flag_if), row.flag = flag;
    row.px_at = place_of<M>("px"), row.px_mask = row.px_at ? 0xFFFF'FFFF : 0;
    row.qty_at = place_of<M>("qty"), row.qty_mask = row.qty_at ? 0xFFFF'FFFF : 0;
    if (!ref.empty()) row.ref_at = place_of<M>(ref), row.ref_mask = ~u64(0);
    return row;
}

constexpr std::array<OrderRow, 256> make_order_rows() {
    std::array<OrderRow, 256> rows{};
    rows[AddOrder::kType] = order_row<AddOrder>(Type::BookAdd, 0, EdgeChecks::kOfOrder, "", "side", 'B', kBuy);
    rows[OrderExecuted::kType] =
        order_row<OrderExecuted>(Type::BookExecute, kAtOrderPx | kPrintable, EdgeChecks::kOfExecution, "match_id");
    rows[OrderExecutedWithPrice::kType] = order_row<OrderExecutedWithPrice>(
        Type::BookExecute, 0, EdgeChecks::kOfPricedExecution, "match_id", "printable", 'Y', kPrintable);
    rows[OrderCancel::kType] = order_row<OrderCancel>(Type::BookCancel, 0, EdgeChecks::kOfExecution, "");
    rows[OrderDelete::kType] = order_row<OrderDelete>(Type::BookCancel, kWhole, EdgeChecks::kNames, "");
    rows[OrderReplace::kType] =
        order_row<OrderReplace>(Type::BookModify, 0, EdgeChecks::kOfReplacement, "new_order_id");
    rows[Trade::kType] = order_row<Trade>(Type::Trade, kPrintable, EdgeChecks::kOfPrint, "match_id", "side", 'B', kBuy);
    return rows;
}
inline constexpr std::array<OrderRow, 256> kOrderRows = make_order_rows();

constexpr bool rows_stay_within() {
    for (const OrderRow& row : kOrderRows)
        if (row.px_at + 4u > row.length || row.qty_at + 4u > row.length || row.ref_at + 8u > row.length ||
            row.flag_at + 1u > row.length)
            return false;
    return true;
}
static_assert(rows_stay_within());

// `message` is at least row.length long.
[[gnu::always_inline]] inline void read_order(const OrderRow& row, CheckedBytes message, u32 instrument,
                                              i64 midnight_ns, Market& out) {
    const u64 tracking_and_ts = message.be64(kTrackingAt);
    out.type = row.type;
    out.flags = u8(row.flags | (message.be8(row.flag_at) == row.flag_if ? row.flag : 0));
    out.tracking = u16(tracking_and_ts >> 48);
    out.instrument = instrument;
    out.ts_event = midnight_ns + i64(tracking_and_ts & 0xFFFF'FFFF'FFFF);
    out.order_id = message.be64(kOrderIdAt);
    out.px = i64(message.be32(row.px_at) & row.px_mask);
    out.qty = i64(message.be32(row.qty_at) & row.qty_mask);
    out.ref = message.be64(row.ref_at) & row.ref_mask;
}

}  // namespace openbell::itch50
