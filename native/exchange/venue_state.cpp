// Answers about the venue, and what makes two of them equal.
#include <utility>

#include "exchange/venue_core.h"

namespace openbell::exchange {

std::vector<u32> VenueCore::take_changed_accounts() {
    for (u32 account : changed_) accounts_[account].has_changed = false;
    return std::exchange(changed_, {});
}

i64 VenueCore::leaves(u64 order_id) const {
    const OpenOrder* order = engine_.find(order_id);
    return order ? order->leaves : 0;
}

std::vector<const LiveOrder*> VenueCore::open_orders_of(u32 account) const {
    std::vector<const LiveOrder*> open;
    for (u32 slot = accounts_.at(account).open.oldest; slot != 0; slot = orders_.at(slot).newer)
        open.push_back(&orders_.at(slot));
    return open;
}

u64 VenueCore::state_hash() const {
    StateWriter out;
    out.put(clock_.now_ns);
    out.put(clock_.shift_ns);
    out.put(u8(is_open_));
    out.put(u8(is_system_open_));
    out.put(market_hours_);
    engine_.save(out);
    day_.save(out);
    for (u32 account = 0; account < accounts_.size(); ++account) {
        const Account& a = accounts_[account];
        a.reports.save(out);
        out.put(a.rate.saved_ns);
        out.put(a.rate.since_ns);
        for (u32 user_ref : a.last_user_refs) out.put(user_ref);
        out.put(a.rejects_ordered);
        out.put(u8(a.is_enabled));
        for (const LiveOrder* order : open_orders_of(account)) save(out, *order);
    }
    itch_.log().save(out);
    for (const MessageLog& copy : drop_copies_) copy.save(out);
    names_.save(out);
    ledger_.save(out);
    out.put(orders_.last_number());
    return hash_bytes(out.bytes(), 0);
}

u64 VenueCore::config_hash() const {
    StateWriter out;
    for (const InstrumentRules& r : rules_) {
        out.put(Alpha<8>(r.symbol));
        for (const TickStep& step : r.ticks) out.put(step);
        for (i64 value :
             {r.lot, i64(r.round_lot), r.qty_max, r.listed_px, r.limit_collar_bps, r.market_collar_bps,
              i64(r.allocation), i64(r.pro_rata.grants_top), r.pro_rata.fifo_percent, r.pro_rata.min_allocation})
            out.put(value);
    }
    for (const Account& a : accounts_) {
        const AccountSettings& s = a.settings;
        for (u32 value : {u32(s.protocol), s.group, u32(s.self_trade), s.orders_per_s, s.burst}) out.put(value);
        out.put(s.volume);
    }
    for (const FeeTier& tier : fees_.tiers) out.put(tier);
    for (i64 value : {fees_.value_below_px, fees_.charge_min, fees_.charge_max}) out.put(value);
    day_.save_rules(out);
    out.put(u64(drop_copies_.size()));
    out.put(u64(limits_.orders_max));
    out.put(u64(limits_.tokens_max));
    return hash_bytes(out.bytes(), 0);
}

}  // namespace openbell::exchange
