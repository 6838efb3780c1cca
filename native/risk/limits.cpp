#include "risk/limits.h"

namespace openbell {
namespace {

constexpr u64 kFree = ~u64(0);
constexpr i64 kWindowMaxNs = i64(86'400) * 1'000'000'000;
constexpr i64 kPermissions = kMayBuy | kMaySell | kMayShort | kMayOpen;

bool names_its_scope(const Limit& l, u32 strategies_max, u32 instruments_max) {
    const bool has_strategy = l.strategy != kNoStrategy;
    const bool has_instrument = l.instrument != kNoInstrument;
    switch (LimitScope(l.scope)) {
        case LimitScope::Firm: return !has_strategy && !has_instrument && l.account == 0;
        case LimitScope::Account: return !has_strategy && !has_instrument && l.account < kAccountsMax;
        case LimitScope::Strategy: return l.strategy < strategies_max && !has_instrument;
        case LimitScope::Instrument: return !has_strategy && l.instrument < instruments_max;
        case LimitScope::StrategyInstrument: return l.strategy < strategies_max && l.instrument < instruments_max;
        default: return false;
    }
}

bool makes_sense(const Limit& l) {
    const LimitKind kind{l.kind};
    if (l.kind >= kLimitKindsMax || kPlaceOf[l.kind] == kNoPlace) return false;
    if (!(scopes_of(kind) & scope_bit(LimitScope(l.scope)))) return false;
    if (l.flags & kRemoved) return true;
    if (l.value < 0 || l.value == kUnlimited || l.reserve < 0) return false;
    if (kind == LimitKind::Permission && l.value > kPermissions) return false;
    if (kind == LimitKind::MessageRate && l.reserve > l.value) return false;
    return !has_window(kind) || (l.window_ns > 0 && l.window_ns <= kWindowMaxNs);
}

}  // namespace

LimitTable::LimitTable(u32 strategies_max, u32 instruments_max, u32 pairs_max)
    : strategies_max_(strategies_max),
      instruments_max_(instruments_max),
      pairs_max_(pairs_max),
      instruments_at_(kStrategies + strategies_max),
      pairs_at_(instruments_at_ + instruments_max),
      rows_(std::size_t(pairs_at_) + pairs_max),
      pair_keys_(pairs_max, kFree),
      index_(pairs_max) {}

bool LimitTable::set(const Limit& l) {
    version_ = l.version;
    ++generation_;
    const bool is_taken = names_its_scope(l, strategies_max_, instruments_max_) && makes_sense(l) && take(l);
    if (!is_taken) {
        const bool is_kind = l.kind < kLimitKindsMax && kPlaceOf[l.kind] != kNoPlace;
        fault_ = {1, u8(l.scope <= u8(LimitScope::StrategyInstrument) ? l.scope : 0), u8(is_kind ? l.kind : 0), 0};
    }
    return is_taken;
}

bool LimitTable::take(const Limit& l) {
    const LimitKind kind{l.kind};
    u32 at = row_of(l);
    if (l.flags & kRemoved) {
        if (at == kNone) return true;
        LimitRow& row = rows_[at];
        row.set &= ~bit_of(kind);
        row.values[kPlaceOf[l.kind]] = kUnlimited;
        if (row.set == 0 && at >= pairs_at_) close_pair(at);
        return true;
    }
    if (at == kNone) at = open_pair(l.strategy, l.instrument);
    if (at == kNone) return false;
    LimitRow& row = rows_[at];
    row.set |= bit_of(kind);
    row.values[kPlaceOf[l.kind]] = l.value;
    if (has_window(kind)) row.windows[LimitRow::window_place(kind)] = l.window_ns;
    if (has_reserve(kind)) row.reserves[LimitRow::reserve_place(kind)] = l.reserve;
    return true;
}

u32 LimitTable::row_of(const Limit& l) const {
    switch (LimitScope(l.scope)) {
        case LimitScope::Firm: return kFirm;
        case LimitScope::Account: return kAccounts + l.account;
        case LimitScope::Strategy: return kStrategies + l.strategy;
        case LimitScope::Instrument: return instruments_at_ + l.instrument;
        default: return pair_row(l.strategy, l.instrument);
    }
}

u32 LimitTable::open_pair(u16 strategy, u32 instrument) {
    for (u32 slot = 0; slot < pairs_max_; ++slot) {
        if (pair_keys_[slot] != kFree) continue;
        pair_keys_[slot] = pair_key(strategy, instrument);
        index_.insert(mix_id(pair_keys_[slot]), slot);
        ++pairs_;
        return pairs_at_ + slot;
    }
    return kNone;
}

void LimitTable::close_pair(u32 row) {
    const u32 slot = row - pairs_at_;
    index_.erase(mix_id(pair_keys_[slot]), slot, [&](u32 s) { return mix_id(pair_keys_[s]); });
    pair_keys_[slot] = kFree;
    rows_[row] = LimitRow{};
    --pairs_;
}

void LimitTable::clear() {
    ++generation_;
    std::fill(rows_.begin(), rows_.end(), LimitRow{});
    std::fill(pair_keys_.begin(), pair_keys_.end(), kFree);
    index_.clear();
    pairs_ = version_ = 0;
    fault_ = {};
}

// Rows stay where they are: which slot a pair has decides where the next one goes, and with it what comes of it.
void LimitTable::save(StateWriter& w) const {
    w.put(version_);
    w.put(fault_);
    w.put(u64(pairs_max_));
    u64 used = 0;
    for (const LimitRow& row : rows_) used += row.set != 0;
    w.put(used);
    for (u32 at = 0; at < rows_.size(); ++at) {
        if (rows_[at].set == 0) continue;
        w.put(at);
        w.put(at < pairs_at_ ? kFree : pair_keys_[at - pairs_at_]);
        w.put(rows_[at]);
    }
}

void LimitTable::load(StateReader& r) {
    clear();
    version_ = r.get<u32>();
    fault_ = r.get<Fault>();
    const u64 pairs_max = r.get<u64>();
    if (pairs_max != pairs_max_)
        throw Error(ErrorKind::Snapshot, "limits of a snapshot: expected limits_max " + std::to_string(pairs_max_) +
                                             ", found " + std::to_string(pairs_max) +
                                             "; recover with the capacity of the run that wrote it");
    for (u64 n = r.get<u64>(); n > 0; --n) {
        const u32 at = r.get<u32>();
        const u64 key = r.get<u64>();
        if (at >= rows_.size())
            throw Error(ErrorKind::Snapshot, "limits of a snapshot: expected at most " + std::to_string(rows_.size()) +
                                                 " rows, found row " + std::to_string(at) +
                                                 "; recover with the capacity of the run that wrote it");
        rows_[at] = r.get<LimitRow>();
        if (at < pairs_at_) continue;
        pair_keys_[at - pairs_at_] = key;
        index_.insert(mix_id(key), at - pairs_at_);
        ++pairs_;
    }
}

}  // namespace openbell
