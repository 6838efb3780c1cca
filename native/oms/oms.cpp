#include "oms/oms.h"

#include <algorithm>
#include <utility>

#include "oms/transitions.h"

namespace openbell {
namespace {

constexpr u32 kCounterMax = (1u << 30) - 1;
constexpr u32 kStrategiesMax = 1u << 10;

Oms::Capacity checked(Oms::Capacity c) {
    if (c.strategies_max == 0 || c.strategies_max > kStrategiesMax) {
        throw Error(ErrorKind::Config, "order ids hold 10 bits of strategy: expected 1 to 1024 strategies, got " +
                                           std::to_string(c.strategies_max) + "; change strategies_max");
    }
    if (c.fills_max == 0) c.fills_max = 4 * c.orders_max;
    return c;
}

// True when the sum leaves int64; then `total` is unchanged.
bool overflows(i64& total, i64 by) {
    i64 sum;
    if (__builtin_add_overflow(total, by, &sum)) return true;
    total = sum;
    return false;
}

bool is_fill(const Report& r) {
    return r.last_qty > 0 && r.last_qty <= kQtyMax && r.last_px > 0 && r.last_px <= kPxMax;
}

void mark_overfill(LiveOrder& o) {
    if (o.cum_qty + o.leaves_qty > o.qty) o.flags |= kOverfilled;
}

void describe(Report& r, const LiveOrder& o) {
    r.strategy = o.strategy;
    r.side = o.side;
    r.instrument = o.instrument;
    r.leaves_qty = o.leaves_qty;
    r.tag = o.tag;
}

constexpr i64 sign_of(u8 side) { return Side(side) == Side::Buy ? 1 : -1; }

}  // namespace

Oms::Oms(Capacity capacity)
    : capacity_(checked(capacity)),
      counters_of_(capacity.strategies_max, 0),
      orders_(capacity.orders_max, capacity.instruments_max),
      fills_(capacity_.fills_max),
      fees_(capacity.instruments_max),
      session_of_(capacity.instruments_max, 0),
      cells_((std::size_t(capacity.strategies_max) + 1) * capacity.instruments_max),
      orders_of_(capacity.strategies_max, 0),
      own_touch_(capacity.instruments_max) {}

void Oms::on_started(const Started& started) {
    node_ = started.node;
    if (started.epoch > epoch_) {
        epoch_ = started.epoch;
        std::fill(counters_of_.begin(), counters_of_.end(), 0);
    } else {
        counters_.stale_starts += 1;  // ids must stay unique (I3): the counters go on
    }
    for (u32 s = orders_.first_live(); s != LiveOrders::kNone; s = orders_.next(s)) {
        LiveOrder& o = orders_[s];
        o.in_doubt |= o.unsent;
        o.unsent = 0;
        settle(o);
    }
}

void Oms::doubt_in_flight(u8 session) {
    for (u32 s = orders_.first_live(); s != LiveOrders::kNone; s = orders_.next(s)) {
        LiveOrder& o = orders_[s];
        if (o.session != session) continue;
        u8 in_flight = is_changing(o) ? is_replacing(o) ? kReplaceBit : kNewBit : u8(0);
        if (o.cancel_version != 0) in_flight |= kCancelBit;
        o.in_doubt |= u8(in_flight & ~o.unsent);
        settle(o);
    }
}

bool Oms::claim(u16 strategy, u64 id) {
    const bool is_next = next_id(strategy, 0) != 0 && id >= next_id(strategy, 0);
    if (!is_next || make_cl_ord_id(node_, epoch_, strategy, counter_of(id)) != id) return false;
    counters_of_[strategy] = counter_of(id);
    return true;
}

u64 Oms::reserve(u16 strategy) {
    const u64 id = next_id(strategy, 0);
    if (id != 0) counters_of_[strategy] += 1;
    return id;
}

u64 Oms::next_id(u16 strategy, u32 n) const {
    if (epoch_ == 0 || strategy >= capacity_.strategies_max || kCounterMax - counters_of_[strategy] <= n) return 0;
    return make_cl_ord_id(node_, epoch_, strategy, counters_of_[strategy] + n + 1);
}

// ---- commands ------------------------------------------------------------------------------------

Reason Oms::on_command(const Order& command) {
    Reason refused = Reason::UnknownOrder;
    if (Type(command.type) == Type::NewOrder) {
        refused = open(command);
    } else if (const u32 slot = orders_.find(command.cl_ord_id); slot != LiveOrders::kNone && is_live(orders_[slot])) {
        LiveOrder& o = orders_[slot];
        add_exposure(o, -1);
        if (Type(command.type) == Type::ReplaceOrder) refused = replace(o, command);
        if (Type(command.type) == Type::CancelOrder) refused = cancel(o, command);
        settle(o);
        add_exposure(o, +1);
    }
    counters_.refused_commands += refused != Reason::None;
    return refused;
}

Reason Oms::open(const Order& command) {
    if (command.strategy >= capacity_.strategies_max) return Reason::UnknownStrategy;
    if (command.instrument >= capacity_.instruments_max) return Reason::NoInstrument;
    if (command.side != u8(Side::Buy) && command.side != u8(Side::Sell)) return Reason::UnknownOrder;
    if (command.cl_ord_id == 0 || orders_.find(command.cl_ord_id) != LiveOrders::kNone) return Reason::UnknownOrder;
    if (command.qty <= 0) return Reason::QtyNotPositive;
    if (command.px <= 0) return Reason::PriceNotPositive;
    if (command.qty > kQtyMax || command.px > kPxMax) return Reason::WouldOverflow;
    if (!orders_.has_room()) return Reason::OrdersFull;
    LiveOrder& o = orders_[orders_.add(command.cl_ord_id, command.instrument)];
    o.strategy = command.strategy;
    o.session = session_of_[command.instrument];
    o.side = command.side;
    o.tif = command.tif;
    o.terms = command.flags;
    o.expires_s = command.expires_s;
    o.state = u8(OrderState::PendingNew);
    o.unsent = kNewBit;
    o.flags = kChanging;
    o.pending_version = 1;
    o.px = command.px;
    o.qty = o.leaves_qty = command.qty;
    o.created_ns = command.ts_event;
    o.tag = command.tag;
    settle(o);
    add_exposure(o, +1);
    return Reason::None;
}

Reason Oms::replace(LiveOrder& o, const Order& command) {
    const bool is_next = command.version == o.pending_version + 1 && command.version <= kVersionMax;
    const bool is_there = o.session == session_of_[o.instrument];                // where the command would go
    if (o.pending != 0 || !is_next || !is_there) return Reason::NotReplaceable;  // what is in doubt is pending
    if (command.qty <= o.cum_qty) return Reason::QtyNotPositive;
    if (command.px <= 0) return Reason::PriceNotPositive;
    if (command.qty > kQtyMax || command.px > kPxMax) return Reason::WouldOverflow;
    o.pending_version = command.version;
    o.pending_px = command.px;
    o.pending_qty = command.qty;
    o.flags |= kChanging;
    o.unsent |= kReplaceBit;
    return Reason::None;
}

// A cancel is never blocked; sending it again is harmless. Version 0 means "whatever is newest".
Reason Oms::cancel(LiveOrder& o, const Order& command) {
    if (command.version > o.pending_version) return Reason::UnknownOrder;
    const u32 newest = is_changing(o) ? o.pending_version : o.version;
    o.cancel_version = command.version != 0 ? command.version : newest;
    o.unsent |= kCancelBit;
    o.in_doubt = u8(o.in_doubt & ~kCancelBit);  // an older cancel in doubt wants the same end
    o.flags = u8(o.flags & ~kCancelWanted);
    return Reason::None;
}

void Oms::want_cancel(const LiveOrder& known) { orders_[orders_.find(known.cl_ord_id)].flags |= kCancelWanted; }

// ---- reports -------------------------------------------------------------------------------------

Applied Oms::on_report(Report& r) {
    counters_.reports += 1;
    const u32 slot = orders_.find(r.cl_ord_id);
    if (slot == LiveOrders::kNone) return tallied(on_unknown(r));
    LiveOrder& o = orders_[slot];
    const bool was_live = is_live(o);
    add_exposure(o, -1);
    const Applied::Kind kind = apply(o, r);
    settle(o);
    add_exposure(o, +1);
    const bool became_terminal = was_live && !is_live(o);
    if (became_terminal) orders_.retire(slot);
    describe(r, o);
    return tallied({kind, &o, became_terminal});
}

bool Oms::adjust(const Control& c) {
    const i64 qty = c.values[0], px = c.values[1], given = c.values[2];
    if (c.strategy >= capacity_.strategies_max || c.instrument >= capacity_.instruments_max) return false;
    if (qty < -kQtyMax || qty > kQtyMax || px < 0 || px > kPxMax) return false;
    const auto has_room = [&](const Position& p) {
        i64 held = p.qty, traded = qty > 0 ? p.buys : p.sells;
        return !overflows(held, qty) && !overflows(traded, qty > 0 ? qty : -qty);
    };
    if (!has_room(position(c.strategy, c.instrument)) || !has_room(position(c.instrument))) return false;
    for_each_cell(c.strategy, c.instrument, [&](Cell& one) { one.position.adjust(px, qty, given); });
    return true;
}

Applied::Kind Oms::apply(LiveOrder& o, const Report& r) {
    switch (Type(r.type)) {
        case Type::Accepted: return apply_accepted(o, r);
        case Type::Rejected: return apply_rejected(o, r);
        case Type::Replaced: return apply_replaced(o, r);
        case Type::Canceled: return apply_canceled(o, r);
        case Type::CancelRejected: return apply_cancel_rejected(o, r);
        case Type::Filled: return apply_fill(o, r);
        case Type::Corrected:
        case Type::Busted: return apply_change(&o, r);
        case Type::Expired: return apply_expired(o, r);
        case Type::Sent: return apply_sent(o, r);
        case Type::NotSent: return apply_not_sent(o, r);
        default: return Applied::Illegal;
    }
}

// A fill moves the position whatever state we thought the order in: the venue's account is the truth.
Applied::Kind Oms::apply_fill(LiveOrder& o, const Report& r) {
    if (!is_fill(r)) return Applied::Illegal;
    Fill* known = r.exec_id != 0 ? fills_.find(r.cl_ord_id, r.exec_id) : nullptr;
    if (known && !is_untold(*known)) return Applied::Duplicate;
    if (o.cum_qty > kQtyMax) return Applied::Illegal;
    i64 room = cell(kNoStrategy, o.instrument).position.qty;
    if (overflows(room, sign_of(o.side) * r.last_qty)) return Applied::Illegal;

    confirm_version(o, r.version);
    counters_.late_fills += !is_live(o);
    o.cum_qty += r.last_qty;
    // A fill of a version before Replaced: what that left is what the venue has not executed.
    const bool is_left_out = is_of_older(o, r) && (o.flags & kLeavesTold);
    if (!is_left_out) o.leaves_qty -= std::min(r.last_qty, o.leaves_qty);
    const bool is_overfill = o.cum_qty + o.leaves_qty > o.qty;
    mark_overfill(o);
    if (is_live(o) && o.leaves_qty == 0) end_order(o, OrderState::Filled);

    const i64 fee = fees_.fee(o.instrument, r.liquidity, r.last_px, r.last_qty);
    for_each_cell(o.strategy, o.instrument,
                  [&](Cell& c) { c.position.apply_fill(Side(o.side), r.last_px, r.last_qty, fee); });
    const Fill fill{r.cl_ord_id, r.exec_id, r.last_px, r.last_qty,  fee, o.instrument,
                    o.strategy,  o.side,    0,         r.liquidity, {}};
    if (known) {  // what was said of it before it came is done to it now
        const Fill wanted = std::exchange(*known, fill);
        if (is_busted(wanted) || wanted.px != fill.px || wanted.qty != fill.qty) change(&o, *known, wanted);
    } else if (r.exec_id != 0) {
        fills_.remember(fill);
    }
    return is_overfill ? Applied::Overfill : Applied::Done;
}

// Busted and Corrected reverse exactly the fill they name, once (I14). One that comes before its fill is kept for it.
Applied::Kind Oms::apply_change(LiveOrder* o, const Report& r) {
    const bool is_bust = Type(r.type) == Type::Busted;
    if (r.exec_id == 0 || (!is_bust && !is_fill(r))) return Applied::Illegal;
    Fill* fill = fills_.find(r.cl_ord_id, r.exec_id);
    if (fill && is_busted(*fill)) return is_bust ? Applied::Duplicate : Applied::Illegal;
    if (fill && !is_bust && fill->px == r.last_px && fill->qty == r.last_qty) return Applied::Duplicate;
    Fill wanted{};
    wanted.px = r.last_px;
    wanted.qty = r.last_qty;
    wanted.flags = is_bust ? kBusted : 0;
    if (fill && !is_untold(*fill)) {
        change(o, *fill, wanted);
        return Applied::Done;
    }
    if (o) expect_fill(*o, r.exec_id, wanted, fill);
    return Applied::Illegal;
}

// Quantity that a bust gives back does not return to the market: a dead order stays dead.
void Oms::change(LiveOrder* o, Fill& fill, const Fill& wanted) {
    const bool is_bust = is_busted(wanted);
    const i64 fee = is_bust ? 0 : fees_.fee(fill.instrument, fill.liquidity, wanted.px, wanted.qty);
    for_each_cell(fill.strategy, fill.instrument, [&](Cell& c) {
        c.position.reverse_fill(Side(fill.side), fill.px, fill.qty, fill.fee);
        if (!is_bust) c.position.apply_fill(Side(fill.side), wanted.px, wanted.qty, fee);
    });
    if (o) {
        o->cum_qty += (is_bust ? 0 : wanted.qty) - fill.qty;
        mark_overfill(*o);
    }
    fill.flags = u8(is_bust ? kBusted : 0);
    if (!is_bust) {
        fill.px = wanted.px;
        fill.qty = wanted.qty;
        fill.fee = fee;
    }
}

void Oms::expect_fill(const LiveOrder& o, u64 exec_id, const Fill& wanted, Fill* known) {
    const Fill fill{
        o.cl_ord_id, exec_id, wanted.px, wanted.qty, 0, o.instrument, o.strategy, o.side, u8(wanted.flags | kUntold),
        0,           {}};
    if (known) {
        *known = fill;
    } else {
        fills_.remember(fill);
    }
}

Applied Oms::on_unknown(Report& r) {
    const bool is_change = Type(r.type) == Type::Busted || Type(r.type) == Type::Corrected;
    const Fill* fill = is_change && r.exec_id != 0 ? fills_.find(r.cl_ord_id, r.exec_id) : nullptr;
    if (!fill) return {Applied::UnknownOrder, nullptr, false};
    r.strategy = fill->strategy;
    r.side = fill->side;
    r.instrument = fill->instrument;
    r.leaves_qty = 0;
    return {apply_change(nullptr, r), nullptr, false};
}

Applied Oms::tallied(Applied result) {
    u64* const by_kind[] = {&counters_.ignored, &counters_.applied,   &counters_.unknown,     &counters_.duplicates,
                            &counters_.illegal, &counters_.overfills, &counters_.beyond_asked};
    *by_kind[result.kind] += 1;
    return result;
}

// ---- in doubt ------------------------------------------------------------------------------------

std::size_t Oms::on_resolved(u8 session, std::span<Report> out, Unreached what) {
    std::size_t count = 0;
    u32 next = LiveOrders::kNone;
    for (u32 s = orders_.first_live(); s != LiveOrders::kNone && count < out.size(); s = next) {
        next = orders_.next(s);
        if (orders_[s].session != session) continue;
        for (u8 bit : {kNewBit, kReplaceBit, kCancelBit}) {
            if (what == Unreached::Cancels && bit != kCancelBit) continue;
            if (what == Unreached::InDoubt && !(orders_[s].in_doubt & bit)) continue;
            if (count < out.size()) count += withdraw_unreached(s, bit, out[count]);
        }
    }
    return count;
}

bool Oms::withdraw_unreached(u32 slot, u8 bit, Report& report) {
    LiveOrder& o = orders_[slot];
    if (!is_live(o) || (o.unsent & bit)) return false;  // Sent or NotSent of this epoch is still to come
    const bool is_cancel = bit == kCancelBit;
    const bool in_flight = is_cancel ? o.cancel_version != 0 : is_changing(o) && (bit == kNewBit) == !is_replacing(o);
    if (!in_flight) return false;

    report = Report{};
    report.type = u8(Type::NotSent);
    report.cl_ord_id = o.cl_ord_id;
    report.order_id = o.order_id;
    report.version = is_cancel ? o.cancel_version : o.pending_version;
    report.reason = u16(Reason::NeverReachedVenue);
    report.command = u8(bit == kNewBit ? Type::NewOrder : is_cancel ? Type::CancelOrder : Type::ReplaceOrder);
    add_exposure(o, -1);
    withdraw(o, bit);
    settle(o);
    add_exposure(o, +1);
    if (!is_live(o)) orders_.retire(slot);
    describe(report, o);
    return true;
}

// ---- answers -------------------------------------------------------------------------------------

bool Oms::has_live(u8 session) const {
    for (u32 s = orders_.first_live(); s != LiveOrders::kNone; s = orders_.next(s))
        if (orders_[s].session == session) return true;
    return false;
}

const LiveOrder* Oms::find(u64 cl_ord_id) const {
    const u32 slot = orders_.find(cl_ord_id);
    return slot == LiveOrders::kNone ? nullptr : &orders_[slot];
}

Exposure Oms::exposure(u16 strategy, u32 instrument) const {
    const Cell& c = known_cell(strategy, instrument);
    return {c.position.qty, c.open_buy, c.open_sell, c.orders};
}

const Oms::Cell& Oms::known_cell(u16 strategy, u32 instrument) const {
    static const Cell flat{};
    const bool is_known =
        (strategy < capacity_.strategies_max || strategy == kNoStrategy) && instrument < capacity_.instruments_max;
    return is_known ? cells_[at(strategy, instrument)] : flat;
}

void Oms::add_exposure(const LiveOrder& o, i64 sign) {
    if (!is_live(o)) return;
    const bool is_buy = Side(o.side) == Side::Buy;
    const i64 open = sign * leaves_worst(o);
    const i128 value = sign * value_worst(o);
    for_each_cell(o.strategy, o.instrument, [&](Cell& c) {
        (is_buy ? c.open_buy : c.open_sell) += open;
        (is_buy ? c.open_value.buy : c.open_value.sell) += value;
        c.orders += sign;
    });
    orders_of_[o.strategy] += u32(sign);
    if (sign > 0) own_touch_[o.instrument].include(o);
}

i64 Oms::own_px_met(const Order& candidate) {
    if (candidate.instrument >= capacity_.instruments_max) return 0;
    if (!own_touch_[candidate.instrument].is_met_by(candidate)) return 0;
    OwnTouch seen;
    i64 best = 0;
    for (u32 s = orders_.first_here(candidate.instrument); s != LiveOrders::kNone; s = orders_.next_here(s)) {
        seen.include(orders_[s]);
        const i64 px = px_met(orders_[s], candidate);
        if (px != 0 && (best == 0 || (candidate.side == u8(Side::Buy) ? px < best : px > best))) best = px;
    }
    own_touch_[candidate.instrument] = seen;
    return best;
}

}  // namespace openbell
