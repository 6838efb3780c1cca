// The perimeter: the last look before bytes leave (DESIGN decision 7, law 11).
//
// Independent of risk by intent: its own few lines, its own limits and counters, no shared state but the
// kill cell. It sees what is about to be sent, nothing else. Cancels always pass.
#pragma once

#include "journal/kill_cell.h"
#include "records.h"

namespace openbell {

inline constexpr i64 kGateAgeMaxNs = 1'000'000'000;  // of a decision when its bytes leave

struct GateLimits {
    i64 order_qty_max = 0;       // open quantity; 0 refuses everything: a missing limit is no licence
    i64 order_notional_max = 0;  // px units x qty units
    u32 orders_per_second_max = 0;
};

struct GateCounters {
    u64 passed = 0;
    u64 refused = 0;
};

class Gate {
  public:
    Gate(const GateLimits& limits, const KillCell* kill) : limits_(limits), kill_(kill) {}

    // None when the command may leave. `approval` is the journalled Approved it claims, null if there is none;
    // `epoch` is the engine's own: leftovers of another never pass. `now_ns` is the clock's, not the engine's.
    Reason check(const Order& command, const Order* approval, u32 epoch, i64 now_ns) {
        const Reason reason = judge(command, approval, epoch, now_ns);
        ++(reason == Reason::None ? counters_.passed : counters_.refused);
        return reason;
    }
    const GateCounters& counters() const { return counters_; }

  private:
    Reason judge(const Order& command, const Order* approval, u32 epoch, i64 now_ns) {
        if (command.type == u8(Type::CancelOrder) || command.type == u8(Type::MassCancel)) return Reason::None;
        if (kill_ != nullptr && is_closed(*kill_)) return Reason::GateClosed;
        if (approval == nullptr || !covers(*approval, command)) return Reason::GateNotApproved;
        if (command.type == u8(Type::NewOrder) && epoch_of(command.cl_ord_id) != epoch) return Reason::GateEpoch;
        if (now_ns - command.ts_event > kGateAgeMaxNs) return Reason::GateAge;
        if (command.leaves_qty <= 0 || command.leaves_qty > limits_.order_qty_max) return Reason::GateOrderQty;
        if (static_cast<i128>(command.px) * command.leaves_qty > limits_.order_notional_max)
            return Reason::GateNotional;
        return take_token(now_ns) ? Reason::None : Reason::GateRate;
    }
    // Any kill closes the gate at once; a soft one opens it again when the engine has taken it, which from then on
    // approves only what reduces.
    static bool is_closed(const KillCell& kill) {
        const KillLevel level = kill.level();
        return level >= KillLevel::Hard || level > kill.acked() || kill.awaits_scoped();
    }
    // Law 2: the same id, version, price and quantity.
    static bool covers(const Order& approval, const Order& command) {
        return approval.type == u8(Type::Approved) && approval.cl_ord_id == command.cl_ord_id &&
               approval.version == command.version && approval.px == command.px && approval.qty == command.qty &&
               approval.side == command.side && approval.instrument == command.instrument;
    }
    // A fixed window of one second of engine time: at most `orders_per_second_max` in each.
    bool take_token(i64 now_ns) {
        if (now_ns - window_start_ns_ >= 1'000'000'000) {
            window_start_ns_ = now_ns;
            in_window_ = 0;
        }
        return in_window_++ < limits_.orders_per_second_max;
    }

    GateLimits limits_;
    const KillCell* kill_;
    GateCounters counters_;
    i64 window_start_ns_ = 0;
    u32 in_window_ = 0;
};

}  // namespace openbell
