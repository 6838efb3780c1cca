// The perimeter: the last look before bytes leave (DESIGN decision 7, law 11).
//
// Independent of risk by intent: its own few lines, its own limits and counters, no shared state but the
// kill cell. It sees what is about to be sent, nothing else. It never refuses a cancel; the driver lets those wait that
// the venue would not take any more in this second.
#pragma once

#include <algorithm>
#include <vector>

#include "journal/kill_cell.h"
#include "money.h"

namespace openbell {

inline constexpr i64 kGateAgeMaxNs = 1'000'000'000;  // of a decision when its bytes leave
inline constexpr i64 kGateWindowNs = 1'000'000'000;  // of every rate
inline constexpr u32 kPerSecondMax = 1'000'000;      // what a rate of the gate may be set to

struct GateLimits {
    i64 order_qty_max = 0;          // open quantity; 0 refuses everything: a missing limit is no licence
    i64 order_notional_max = 0;     // money
    u32 orders_per_second_max = 0;  // new orders and replaces of the node, in any second
    // A venue's own limit, by number of the order session.
    struct Messages {
        u32 per_second_max = 0;    // cancels included; 0: it has none
        u32 cancels_reserved = 0;  // of those, kept for cancels
    };
    std::vector<Messages> messages = std::vector<Messages>(1);
};

struct GateCounters {
    u64 passed = 0;
    u64 refused = 0;
    u64 over_sent = 0;          // of the refused: sent before, or out of order
    u64 rated = 0;              // of the refused: too many a second
    u64 cancels_over_rate = 0;  // passed although the venue's limit was reached: more waited than there is room for
};

// What the gate says of one command; the units of both figures by reason, in docs/refusals.md.
struct GateVerdict {
    Reason reason = Reason::None;  // None: it may leave
    i64 limit = 0;
    i64 observed = 0;

    bool passes() const { return reason == Reason::None; }
};

// The times of the last sends: how many fell into the second before `now`, without counting them.
class SendTimes {
  public:
    explicit SendTimes(u32 most) : times_(std::min(most, kPerSecondMax)) {}

    // Fewer than `most` of the size given at the start were sent in the second up to `now`.
    bool has_room(u32 most, i64 now_ns) const {
        most = std::min<u32>(most, u32(times_.size()));
        if (most == 0) return false;
        return count_ < most || !is_within(most, now_ns);
    }
    void add(i64 now_ns) {
        if (times_.empty()) return;
        times_[next_] = now_ns;
        next_ = (next_ + 1) % times_.size();
        count_ += 1;
    }
    // How many the second up to `now` would hold with one more, as far as this remembers: what a refusal tells.
    i64 with_one_more(i64 now_ns) const {
        std::size_t known = 0, beyond = std::size_t(std::min<u64>(count_, times_.size())) + 1;
        while (beyond - known > 1) {
            const std::size_t back = known + (beyond - known) / 2;
            (is_within(back, now_ns) ? known : beyond) = back;
        }
        return i64(known) + 1;
    }

  private:
    // The send `back` places ago, 1 the last, was in the second up to `now`.
    bool is_within(std::size_t back, i64 now_ns) const {
        return now_ns - times_[(next_ + times_.size() - back) % times_.size()] < kGateWindowNs;
    }

    std::vector<i64> times_;  // a ring
    std::size_t next_ = 0;
    u64 count_ = 0;
};

// From the look at the kill cell to the end of the send: whoever kills waits for it.
class Passage {
  public:
    explicit Passage(const KillCell* kill) : kill_(kill) {
        if (kill_ != nullptr) kill_->begin_send();
    }
    ~Passage() {
        if (kill_ != nullptr) kill_->end_send();
    }
    Passage(const Passage&) = delete;
    Passage& operator=(const Passage&) = delete;

  private:
    const KillCell* kill_;
};

class Gate {
  public:
    // For one command: made before `check`, kept until it is sent.
    Passage passage() const { return Passage(kill_); }

    Gate(const GateLimits& limits, const KillCell* kill);

    // Passes when the command may leave, and it counts as sent. `approval` is the journalled Approved it claims, null
    // if there is none; `money` is the worth of its instrument; `epoch` is the engine's own: leftovers of another never
    // pass. `now_ns` is the clock's, `session` the number of the one by which it leaves.
    GateVerdict check(const Order& command, const Order* approval, const MoneyScale& money, u32 epoch, i64 now_ns,
                      u8 session = 0);
    // At a start, in the order of time: what an earlier process sent then counts as sent by this one, and an order of
    // it has left up to this version. Its ids cannot leave again: they are of another epoch.
    void recall(Type command, i64 sent_ns, u8 session = 0);
    void recall_version(u64 cl_ord_id, u32 version) { sent_[place_of(cl_ord_id)] = {cl_ord_id, version}; }
    std::size_t sessions() const { return messages_.size(); }
    bool has_message_limit(u8 session = 0) const { return of(session).per_second_max > 0; }
    // Whether the venue takes one more message now. Asked by who can wait: `check` lets every cancel pass.
    bool has_room_for_cancel(i64 now_ns, u8 session = 0) const {
        return !has_message_limit(session) || of(session).sent.has_room(of(session).per_second_max, now_ns);
    }
    // The requests of the kill cell when the last opening command passed. Of one that has left in part the rest stays
    // when there are others by now (of a gate with a cell): a soft or scoped kill that the engine has taken meanwhile
    // concerns it too.
    u64 requests_at_pass() const { return requests_at_pass_; }
    bool is_open_since(u64 requests) const { return kill_->requests() == requests; }
    const GateCounters& counters() const { return counters_; }

  private:
    struct Sent {
        u64 cl_ord_id;
        u64 version;
    };
    static constexpr u32 kStrategies = 1024;     // that an order id can name
    static constexpr u32 kSentOrders = 1 << 16;  // whose last version is remembered, until a newer one takes its place

    struct Messages {
        u32 per_second_max;
        u32 free;  // of those, not kept for cancels
        SendTimes sent;
    };
    Messages& of(u8 session) { return messages_[session < messages_.size() ? session : 0]; }
    const Messages& of(u8 session) const { return messages_[session < messages_.size() ? session : 0]; }

    void pass_cancel(i64 now_ns, u8 session);
    GateVerdict judge(const Order& command, const Order* approval, const MoneyScale& money, u32 epoch, i64 now_ns,
                      u8 session) const;
    GateVerdict as_new(const Order& command) const;
    void remember(const Order& command, i64 now_ns, u8 session);
    // The newest orders of a strategy lie side by side, those of another strategy elsewhere.
    static std::size_t place_of(u64 cl_ord_id) {
        return (counter_of(cl_ord_id) + strategy_of(cl_ord_id) * 4'099u) % kSentOrders;
    }

    GateLimits limits_;
    const KillCell* kill_;
    GateCounters counters_;
    SendTimes orders_;
    std::vector<Messages> messages_;  // by number of the session
    std::vector<u32> newest_;         // id counter by strategy
    std::vector<Sent> sent_;
    u64 requests_at_pass_ = 0;
};

}  // namespace openbell
