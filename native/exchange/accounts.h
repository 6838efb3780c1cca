// Who trades at the venue: how an account speaks, what it may do, and what the venue remembers of it.
#pragma once

#include <algorithm>

#include "exchange/doors/door.h"

namespace openbell::exchange {

// An internal account speaks no protocol: it asks for terms, and reads what became of its orders.
enum class Protocol : u8 { Internal, Ouch42, Ouch50 };

// A token bucket in time: a message costs the interval between two, and time that passes pays for it.
struct Rate {
    i64 interval_ns = 0;  // 0: no limit
    i64 depth_ns = 0;     // messages at once x interval
    i64 saved_ns = 0;
    i64 since_ns = 0;

    static Rate of(u32 per_s, u32 burst) {
        if (per_s == 0) return {};
        const i64 interval = 1'000'000'000 / per_s;
        return {interval, interval * std::max<u32>(burst, 1), interval * std::max<u32>(burst, 1), 0};
    }
    bool take(i64 now_ns) {
        if (interval_ns == 0) return true;
        saved_ns = std::min(depth_ns, saved_ns + std::max<i64>(0, now_ns - since_ns));
        since_ns = now_ns;
        if (saved_ns < interval_ns) return false;
        saved_ns -= interval_ns;
        return true;
    }
};

struct AccountSettings {
    Protocol protocol = Protocol::Ouch42;
    u32 group = 0;  // of self-trade prevention; 0: none
    SelfTrade self_trade = SelfTrade::Allow;
    u32 orders_per_s = 0;  // new orders and replaces; 0: no limit
    u32 burst = 1;         // of them at once
    i64 volume = 0;        // shares traded in the days before, for the tier of its fees
};

struct Account {
    Account(ChunkStore& store, std::size_t messages_max, const AccountSettings& s, const Door* d)
        : settings(s), door(d), reports(store, messages_max), rate(Rate::of(s.orders_per_s, s.burst)) {}

    AccountSettings settings;
    const Door* door;  // nullptr: internal
    MessageLog reports;
    u32 fee_tier = 0;
    LiveOrders::List open;
    Rate rate;
    std::vector<u32> last_user_refs{0};  // OUCH 5.0, by channel
    u32 rejects_ordered = 0;             // a fault on command: so many new orders and replaces are rejected
    bool is_enabled = true;
    bool has_changed = false;  // since the server asked
};

}  // namespace openbell::exchange
