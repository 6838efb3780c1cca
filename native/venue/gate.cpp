#include "venue/gate.h"

namespace openbell {
namespace {

bool is_cancel(const Order& command) {
    return command.type == u8(Type::CancelOrder) || command.type == u8(Type::MassCancel);
}

// Any kill closes the gate at once; a soft one opens it again when the engine has taken it, which from then on
// approves only what reduces.
bool is_closed(const KillCell& kill) {
    const KillLevel level = kill.level();
    return level >= KillLevel::Hard || level > kill.acked() || kill.awaits_scoped();
}

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
      messages_(limits.messages_per_second_max),
      newest_(kStrategies, 0),
      sent_(kSentOrders, Sent{}) {}

Reason Gate::check(const Order& command, const Order* approval, const MoneyScale& money, u32 epoch, i64 now_ns) {
    if (is_cancel(command)) {
        pass_cancel(now_ns);
        return Reason::None;
    }
    const Reason reason = judge(command, approval, money, epoch, now_ns);
    if (reason == Reason::None) {
        remember(command, now_ns);
        ++counters_.passed;
        return reason;
    }
    ++counters_.refused;
    counters_.over_sent += reason == Reason::GateOverSend;
    counters_.rated += reason == Reason::GateRate || reason == Reason::GateMessageRate;
    return reason;
}

// A cancel only takes risk away: it passes at any rate (law 2), and new orders wait for it.
void Gate::pass_cancel(i64 now_ns) {
    const u32 most = limits_.messages_per_second_max;
    counters_.cancels_over_rate += most > 0 && !messages_.has_room(most, now_ns);
    messages_.add(now_ns);
    ++counters_.passed;
}

Reason Gate::judge(const Order& command, const Order* approval, const MoneyScale& money, u32 epoch, i64 now_ns) const {
    if (kill_ != nullptr && is_closed(*kill_)) return Reason::GateClosed;
    if (approval == nullptr || !covers(*approval, command)) return Reason::GateNotApproved;
    if (command.type == u8(Type::NewOrder) && epoch_of(command.cl_ord_id) != epoch) return Reason::GateEpoch;
    if (now_ns - command.ts_event > kGateAgeMaxNs) return Reason::GateAge;
    if (command.leaves_qty <= 0 || command.leaves_qty > limits_.order_qty_max) return Reason::GateOrderQty;
    if (!money.fits(command.px, command.leaves_qty, limits_.order_notional_max)) return Reason::GateNotional;
    if (was_sent(command)) return Reason::GateOverSend;
    if (!orders_.has_room(limits_.orders_per_second_max, now_ns)) return Reason::GateRate;
    const u32 most = limits_.messages_per_second_max;
    const u32 reserved = std::min(limits_.cancels_reserved, most);
    if (most > 0 && !messages_.has_room(most - reserved, now_ns)) return Reason::GateMessageRate;
    return Reason::None;
}

// Every id leaves once, every version once, and in order: what comes again was decided twice (I4).
bool Gate::was_sent(const Order& command) const {
    const bool is_new = command.type == u8(Type::NewOrder);
    if (is_new && counter_of(command.cl_ord_id) <= newest_[strategy_of(command.cl_ord_id)]) return true;
    const Sent& last = sent_[place_of(command.cl_ord_id)];
    return last.cl_ord_id == command.cl_ord_id && command.version <= last.version;
}

void Gate::remember(const Order& command, i64 now_ns) {
    if (command.type == u8(Type::NewOrder)) newest_[strategy_of(command.cl_ord_id)] = counter_of(command.cl_ord_id);
    sent_[place_of(command.cl_ord_id)] = {command.cl_ord_id, command.version};
    orders_.add(now_ns);
    messages_.add(now_ns);
}

}  // namespace openbell
