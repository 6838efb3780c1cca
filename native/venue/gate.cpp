#include "venue/gate.h"

namespace openbell {
namespace {

constexpr bool is_cancel(Type command) { return command == Type::CancelOrder || command == Type::MassCancel; }

// Any kill closes the gate at once; a soft one opens it again when the engine has taken it, which from then on
// approves only what reduces.
bool is_closed(const KillCell& kill) {
    const KillLevel level = kill.level();
    return level >= KillLevel::Hard || level > kill.acked() || kill.awaits_scoped();
}

// The level; of a kill that has a scope, and that the engine has yet to take, the lowest.
i64 closed_by(const KillCell& kill) { return std::max(i64(kill.level()), i64(KillLevel::Soft)); }

// Law 2: the same id, version, price and quantity.
bool covers(const Order& approval, const Order& command) {
    return approval.type == u8(Type::Approved) && approval.cl_ord_id == command.cl_ord_id &&
           approval.version == command.version && approval.px == command.px && approval.qty == command.qty &&
           approval.leaves_qty == command.leaves_qty && approval.side == command.side &&
           approval.instrument == command.instrument;
}

}  // namespace

Gate::Gate(const GateLimits& limits, const KillCell* kill)
    : limits_(limits),
      kill_(kill),
      orders_(limits.orders_per_second_max),
      newest_(kStrategies, 0),
      sent_(kSentOrders, Sent{}) {
    for (const GateLimits::Messages& one : limits.messages)
        messages_.push_back({one.per_second_max,
                             one.per_second_max - std::min(one.cancels_reserved, one.per_second_max),
                             SendTimes(one.per_second_max)});
}

GateVerdict Gate::check(const Order& command, const Order* approval, const MoneyScale& money, u32 epoch, i64 now_ns,
                        u8 session) {
    if (is_cancel(Type(command.type))) {
        pass_cancel(now_ns, session);
        return {};
    }
    const u64 requests = kill_ == nullptr ? 0 : kill_->requests();  // before the look: what comes after it is another
    const GateVerdict verdict = judge(command, approval, money, epoch, now_ns, session);
    if (verdict.passes()) {
        remember(command, now_ns, session);
        requests_at_pass_ = requests;
        ++counters_.passed;
        return verdict;
    }
    ++counters_.refused;
    counters_.over_sent += verdict.reason == Reason::GateOverSend;
    counters_.rated += verdict.reason == Reason::GateRate || verdict.reason == Reason::GateMessageRate;
    return verdict;
}

// A cancel only takes risk away: nothing here stops it (law 2), and new orders wait for it.
void Gate::pass_cancel(i64 now_ns, u8 session) {
    counters_.cancels_over_rate += !has_room_for_cancel(now_ns, session);
    of(session).sent.add(now_ns);
    ++counters_.passed;
}

GateVerdict Gate::judge(const Order& command, const Order* approval, const MoneyScale& money, u32 epoch, i64 now_ns,
                        u8 session) const {
    const i64 open = command.leaves_qty;
    if (kill_ != nullptr && is_closed(*kill_)) return {Reason::GateClosed, 0, closed_by(*kill_)};
    if (approval == nullptr || !covers(*approval, command)) return {Reason::GateNotApproved, 1, 0};
    const u32 born = epoch_of(command.cl_ord_id);
    if (command.type == u8(Type::NewOrder) && born != epoch) return {Reason::GateEpoch, epoch, born};
    const i64 age_ns = now_ns - command.ts_event;
    if (age_ns > kGateAgeMaxNs) return {Reason::GateAge, kGateAgeMaxNs, age_ns};
    if (open <= 0) return {Reason::GateOrderQty, 1, open};
    if (open > limits_.order_qty_max) return {Reason::GateOrderQty, limits_.order_qty_max, open};
    if (!money.fits(command.px, open, limits_.order_notional_max))
        return {Reason::GateNotional, limits_.order_notional_max, money.to_money_up(command.px, open)};
    if (const GateVerdict sent = as_new(command); !sent.passes()) return sent;
    if (!orders_.has_room(limits_.orders_per_second_max, now_ns))
        return {Reason::GateRate, limits_.orders_per_second_max, orders_.with_one_more(now_ns)};
    const Messages& venue = of(session);
    if (venue.per_second_max > 0 && !venue.sent.has_room(venue.free, now_ns))
        return {Reason::GateMessageRate, venue.free, venue.sent.with_one_more(now_ns)};
    return {};
}

// Every id leaves once, every version once, and in order: what comes again was decided twice (I4).
GateVerdict Gate::as_new(const Order& command) const {
    const u32 number = counter_of(command.cl_ord_id), newest = newest_[strategy_of(command.cl_ord_id)];
    if (command.type == u8(Type::NewOrder) && number <= newest) return {Reason::GateOverSend, i64(newest) + 1, number};
    const Sent& last = sent_[place_of(command.cl_ord_id)];
    if (last.cl_ord_id == command.cl_ord_id && command.version <= last.version)
        return {Reason::GateOverSend, i64(last.version) + 1, command.version};
    return {};
}

void Gate::recall(Type command, i64 sent_ns, u8 session) {
    if (!is_cancel(command)) orders_.add(sent_ns);
    of(session).sent.add(sent_ns);
}

void Gate::remember(const Order& command, i64 now_ns, u8 session) {
    if (command.type == u8(Type::NewOrder)) newest_[strategy_of(command.cl_ord_id)] = counter_of(command.cl_ord_id);
    sent_[place_of(command.cl_ord_id)] = {command.cl_ord_id, command.version};
    orders_.add(now_ns);
    of(session).sent.add(now_ns);
}

}  // namespace openbell
