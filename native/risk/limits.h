// The limits in force: a row for the firm, each account, strategy and instrument, and one for each strategy in an
// instrument that has limits of its own.
//
// `Limit` records set and remove them one by one; docs/limits.md explains every kind. It fails closed: a record that
// cannot be taken (no such scope, no room, a value without sense) makes the table not whole, and risk then refuses
// everything until the limits are given anew. Nothing is allocated after construction.
#pragma once

#include <vector>

#include "oms/slot_index.h"
#include "risk/limit_row.h"
#include "state.h"

namespace openbell {

inline constexpr u32 kLimitScopes = 5;
inline constexpr u32 kAccountsMax = 16;

// The rows that one order must pass, by scope; a scope without limits is the row that limits nothing.
struct OrderRows {
    u32 at[kLimitScopes];
    u32 of(LimitScope scope) const { return at[u8(scope) - 1]; }
};

class LimitTable {
  public:
    static constexpr u32 kNone = 0;  // the row that limits nothing

    // `pairs_max`: strategies in instruments with limits of their own.
    LimitTable(u32 strategies_max, u32 instruments_max, u32 pairs_max);

    // False: it was not taken, and the table is not whole.
    bool set(const Limit&);
    void clear();  // no limit is in force, all may be given anew

    bool is_whole() const { return !fault_.is_there; }
    LimitScope fault_scope() const { return LimitScope(fault_.scope); }
    LimitKind fault_kind() const { return LimitKind(fault_.kind); }
    u32 version() const { return version_; }  // of the last record: the set they came with
    u32 rows() const { return u32(rows_.size()); }
    const LimitRow& operator[](u32 row) const { return rows_[row]; }
    u32 first_pair() const { return pairs_at_; }
    u32 row_of_strategy(u16 strategy) const { return kStrategies + strategy; }  // of one that is known
    // Another one whenever anything may have changed.
    u32 generation() const { return generation_; }

    // Unknown ids have no limits.
    OrderRows rows_of(u16 account, u16 strategy, u32 instrument) const {
        return rows_of(account, strategy, instrument, pair_row(strategy, instrument));
    }
    // Of whoever knows the row of the strategy in the instrument.
    OrderRows rows_of(u16 account, u16 strategy, u32 instrument, u32 pair) const {
        return {{kFirm, account < kAccountsMax ? kAccounts + account : kNone,
                 strategy < strategies_max_ ? kStrategies + strategy : kNone,
                 instrument < instruments_max_ ? instruments_at_ + instrument : kNone, pair}};
    }
    // Where a limit of that scope stands or would stand; kNone: nowhere yet.
    u32 row_of(const Limit&) const;

    void save(StateWriter&) const;
    void load(StateReader&);

  private:
    static constexpr u32 kFirm = 1;
    static constexpr u32 kAccounts = 2;
    static constexpr u32 kStrategies = kAccounts + kAccountsMax;
    struct Fault {
        u8 is_there, scope, kind, pad;  // of the record that could not be taken; what is no scope or kind is None
    };

    static u64 pair_key(u16 strategy, u32 instrument) { return u64(strategy) << 32 | instrument; }
    u32 pair_row(u16 strategy, u32 instrument) const {
        if (pairs_ == 0) return kNone;
        const u64 key = pair_key(strategy, instrument);
        const u32 slot = index_.find(mix_id(key), [&](u32 s) { return pair_keys_[s] == key; });
        return slot == SlotIndex::kNone ? kNone : pairs_at_ + slot;
    }
    u32 open_pair(u16 strategy, u32 instrument);
    void close_pair(u32 row);
    bool take(const Limit&);

    u32 strategies_max_, instruments_max_, pairs_max_;
    u32 instruments_at_, pairs_at_;
    u32 pairs_ = 0;
    u32 version_ = 0;
    u32 generation_ = 1;
    Fault fault_{};
    std::vector<LimitRow> rows_;
    std::vector<u64> pair_keys_;  // by slot; kFree
    SlotIndex index_;
};

}  // namespace openbell
