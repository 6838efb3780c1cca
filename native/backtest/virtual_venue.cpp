#include "backtest/virtual_venue.h"

#include <algorithm>

namespace openbell {

using ladder::key_of;

namespace {

constexpr u32 kNone = Books::kNone;
constexpr u64 kSnapshotStamp = 0;

Side opposite(Side side) { return side == Side::Buy ? Side::Sell : Side::Buy; }

// Does `a` stand before `b` in price-time priority?
bool is_before(Side side, i64 a_px, u64 a_stamp, i64 b_px, u64 b_stamp) {
    return key_of(side, a_px) != key_of(side, b_px) ? key_of(side, a_px) > key_of(side, b_px) : a_stamp < b_stamp;
}

// Would an order of `side` with limit `limit` trade with a resting one at `px`?
bool is_within(Side side, i64 limit, i64 px) { return side == Side::Buy ? px <= limit : px >= limit; }

}  // namespace

VirtualVenue::VirtualVenue(Displayed displayed, u32 instruments_max, u32 own_orders_max)
    : displayed_(std::move(displayed)), lanes_(instruments_max), own_(own_orders_max), own_table_(own_orders_max) {
    reports_.reserve(kReportsReserved);
    for (u32 i = own_orders_max; i-- > 0;) {
        own_[i].next = free_own_;
        free_own_ = i;
    }
}

bool VirtualVenue::add_instrument(const Instrument& instrument) {
    if (!displayed_.add_instrument(instrument.instrument, instrument.venue)) return false;
    lanes_[instrument.instrument].tick = instrument.tick;
    return true;
}

// ---- the tape ------------------------------------------------------------------------------------

void VirtualVenue::on_market(const Market& r, i64 now) {
    now_ = now;
    const Type type = Type(r.type);
    if (type >= Type::BookAdd && type <= Type::Quote) {
        const u64 stamp = r.flags & kSnapshot ? kSnapshotStamp : ++stamps_;
        const std::optional<Shown> order = displayed_.apply(r, stamp, concerns_us(r));
        if (!order) return;
        if (type == Type::BookExecute)
            fill_in_front(r.instrument, order->side, order->px, order->stamp, r.qty);
        else
            arrive(r.instrument, *order);
    } else if (r.instrument >= lanes_.size()) {
        return;
    } else if (type == Type::Trade) {
        fill_by_print(r.instrument, Side::Buy, r.px, r.qty);
        fill_by_print(r.instrument, Side::Sell, r.px, r.qty);
    } else if (type == Type::Status) {
        lanes_[r.instrument].state = TradingState(r.ref);
    }
}

// Could the record fill an order of ours? An execution and a modification of an order that we know nothing of may.
bool VirtualVenue::concerns_us(const Market& r) const {
    if (r.instrument >= lanes_.size()) return false;
    const Type type = Type(r.type);
    if (type == Type::BookExecute || type == Type::BookModify)
        return first(r.instrument, Side::Buy) != kNone || first(r.instrument, Side::Sell) != kNone;
    if (type != Type::BookAdd) return false;
    const Side side = r.flags & kBuy ? Side::Buy : Side::Sell;
    const u32 index = first(r.instrument, opposite(side));
    return index != kNone && is_within(side, r.px, own_[index].px);
}

void VirtualVenue::arrive(u32 instrument, const Shown& order) {
    const Side ours = opposite(order.side);
    i64 taken = 0;
    while (is_open(instrument) && taken < order.qty) {
        const u32 index = first(instrument, ours);
        if (index == kNone || !is_within(order.side, order.px, own_[index].px)) break;
        const i64 qty = std::min(own_[index].leaves, order.qty - taken);
        taken += qty;
        fill_resting(index, qty);
    }
    if (taken > 0) displayed_.take(order.at, taken);
}

void VirtualVenue::fill_in_front(u32 instrument, Side side, i64 px, u64 stamp, i64 qty) {
    while (is_open(instrument) && qty > 0) {
        const u32 index = first(instrument, side);
        if (index == kNone || !is_before(side, own_[index].px, own_[index].stamp, px, stamp)) break;
        const i64 filled = std::min(own_[index].leaves, qty);
        qty -= filled;
        fill_resting(index, filled);
    }
}

void VirtualVenue::fill_by_print(u32 instrument, Side side, i64 px, i64 qty) {
    while (is_open(instrument) && qty > 0) {
        const u32 index = first(instrument, side);
        if (index == kNone) break;
        const Own& own = own_[index];
        const bool is_at_front = own.px == px && !is_something_in_front(own);
        if (!is_at_front && key_of(side, own.px) <= key_of(side, px)) break;
        const i64 filled = std::min(own.leaves, qty);
        qty -= filled;
        fill_resting(index, filled);
    }
}

bool VirtualVenue::is_something_in_front(const Own& own) const {
    bool is_there = false;
    displayed_.walk_level(own.instrument, own.side, own.px, [&](const Shown& front) {
        is_there = front.stamp < own.stamp;
        return false;
    });
    return is_there;
}

// ---- commands ------------------------------------------------------------------------------------

void VirtualVenue::on_command(const Order& command, i64 now) {
    now_ = now;
    switch (Type(command.type)) {
        case Type::NewOrder: return on_new(command);
        case Type::ReplaceOrder: return on_replace(command);
        case Type::CancelOrder: return on_cancel(command);
        default: return;
    }
}

bool VirtualVenue::is_open(u32 instrument) const {
    if (!displayed_.is_valid(instrument)) return false;
    const TradingState state = lanes_[instrument].state;
    return state == TradingState::Trading || state == TradingState::Unknown;
}

// The reason OUCH 4.2 would reject with (section Outbound, `J`); 0: none.
char VirtualVenue::objection(const Order& command) const {
    if (command.instrument >= lanes_.size()) return 'S';
    if (command.qty <= 0) return 'Z';
    const i64 tick = lanes_[command.instrument].tick;
    if (tick > 0 && command.px % tick != 0) return 'X';
    return 0;
}

void VirtualVenue::on_new(const Order& command) {
    if (find(command.cl_ord_id) != kNone) return;  // a token already used: silence
    if (const char code = objection(command)) return report_rejected(command, Reason::VenueReject, code);
    if (!displayed_.is_valid(command.instrument)) return report_rejected(command, Reason::BookNotValid, 'O');
    if (!is_open(command.instrument)) return report_rejected(command, Reason::NotTrading, 'H');
    if (free_own_ == kNone) return report_rejected(command, Reason::OrdersFull, 'O');
    const u32 index = open(command);
    report_terms(Type::Accepted, own_[index], 0);
    enter(index, command);
}

void VirtualVenue::on_replace(const Order& command) {
    const u32 index = find(command.cl_ord_id);
    const u32 replaced = command.prev_version ? command.prev_version : command.version - 1;
    if (index == kNone || own_[index].version != replaced || own_[index].instrument != command.instrument) return;
    if (!displayed_.is_valid(command.instrument)) return report_rejected(command, Reason::BookNotValid, 'O');
    if (!is_open(command.instrument)) return report_rejected(command, Reason::NotTrading, 'H');
    Own& own = own_[index];
    if (const char code = objection(command)) return report_canceled(index, Reason::VenueReject, code);
    if (command.qty <= own.executed) return report_canceled(index, Reason::UserCancel, 'U');

    const i64 leaves = command.qty - own.executed;
    const bool keeps_place = command.px == own.px && leaves <= own.leaves && Tif(command.tif) < Tif::Ioc;
    own.version = command.version;
    if (keeps_place) {
        own.leaves = leaves;
        return report_terms(Type::Replaced, own, replaced);
    }
    unlink(index);
    own.px = command.px;
    own.leaves = leaves;
    own.order_id = ++order_ids_;
    own.stamp = ++stamps_;
    report_terms(Type::Replaced, own, replaced);
    enter(index, command);
}

void VirtualVenue::on_cancel(const Order& command) {
    const u32 index = find(command.cl_ord_id);
    if (index == kNone || own_[index].version != command.version) return;
    report_canceled(index, Reason::UserCancel, 'U');
}

// ---- taking --------------------------------------------------------------------------------------

// An order that is not in its queue yet: trades what it can, then joins or goes.
void VirtualVenue::enter(u32 index, const Order& command) {
    Own& own = own_[index];
    const Tif tif = Tif(command.tif);
    if (command.flags & kPostOnly && takeable(own) > 0) return report_canceled(index, Reason::VenueReject, 'G');
    if (tif == Tif::Fok && takeable(own) < own.leaves) return report_canceled(index, Reason::IocRemainder, 'I');
    take(index);
    if (own.leaves == 0) return close(index);
    if (reaches_ourselves(own)) return report_canceled(index, Reason::SelfMatch, 'Q');
    if (tif == Tif::Ioc || tif == Tif::Fok) return report_canceled(index, Reason::IocRemainder, 'I');
    link(index);
}

// Visits the displayed orders that `own` may take, with what is left of each, until `visit` is false. The first
// order of ours on that side is the end: what stands behind it is out of reach.
template <class Visit>
void VirtualVenue::walk_takeable(const Own& own, Visit visit) const {
    const Side side = opposite(own.side);
    const u32 wall = first(own.instrument, side);
    displayed_.walk(own.instrument, side, [&](const Shown& r) {
        if (!is_within(own.side, own.px, r.px)) return false;
        if (wall != kNone && is_before(side, own_[wall].px, own_[wall].stamp, r.px, r.stamp)) return false;
        return r.qty <= r.taken || visit(r, r.qty - r.taken);
    });
}

i64 VirtualVenue::takeable(const Own& own) const {
    i64 sum = 0;
    walk_takeable(own, [&](const Shown&, i64 left) {
        sum += std::min(left, own.leaves - sum);
        return sum < own.leaves;
    });
    return sum;
}

// One fill a level.
void VirtualVenue::take(u32 index) {
    i64 level_px = 0;
    i64 level_qty = 0;
    i64 wanted = own_[index].leaves;
    walk_takeable(own_[index], [&](const Shown& r, i64 left) {
        if (level_qty > 0 && r.px != level_px) {
            fill(index, level_px, level_qty, 'R');
            level_qty = 0;
        }
        const i64 qty = std::min(left, wanted);
        displayed_.take(r.at, qty);
        level_px = r.px;
        level_qty += qty;
        wanted -= qty;
        return wanted > 0;
    });
    if (level_qty > 0) fill(index, level_px, level_qty, 'R');
}

bool VirtualVenue::reaches_ourselves(const Own& own) const {
    const u32 wall = first(own.instrument, opposite(own.side));
    return wall != kNone && is_within(own.side, own.px, own_[wall].px);
}

}  // namespace openbell
