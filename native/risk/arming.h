// How far the node, each strategy and each instrument are armed, and what is killed. docs/control.md explains it.
//
// What holds for an order is the lowest of the three. A kill stays until a person releases it, whatever is armed
// meanwhile; soft: only orders that reduce, hard: nothing. A doubt (the venue contradicted us) holds its scope at
// CANCEL_ONLY in the same way. A grant (break-glass) lifts a scope over its state and its doubt, never over a kill,
// and ends by itself. Strategies and instruments start at FULL: they only ever take away.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "records.h"
#include "state.h"

namespace openbell {

inline constexpr i64 kGrantMaxNs = 15 * 60 * 1'000'000'000LL;
inline constexpr u32 kLimitedPercentDefault = 10;  // of the largest order, in state LIMITED

// Control::values of Arm, Kill and Operator records.
inline constexpr int kAskerUid = 0;
inline constexpr int kApproverUid = 1;     // -1: nobody had to approve
inline constexpr int kLimitedPercent = 2;  // Arm: 0 = as it is
inline constexpr int kKillTicket = 2;      // Kill of a scope: of the kill cell
inline constexpr int kGrantUntil = 3;      // Arm: engine time until which it holds; 0 = until the next one

// Whom an Arm or a Kill is about: one strategy, one instrument, or (both none) the whole node.
struct ArmScope {
    u16 strategy = kNoStrategy;
    u32 instrument = kNoInstrument;

    bool is_node() const { return strategy == kNoStrategy && instrument == kNoInstrument; }
    bool covers(u16 s, u32 i) const {
        return (strategy == kNoStrategy || strategy == s) && (instrument == kNoInstrument || instrument == i);
    }
};

class Arming {
  public:
    Arming(u32 strategies_max, u32 instruments_max);

    // What holds for an order of that strategy in that instrument. Unknown ids take nothing away: risk refuses them.
    ArmState state(u16 strategy, u32 instrument) const {
        const u8 lowest = std::min(of_strategy(strategy).ceiling, of_instrument(instrument).ceiling);
        return ArmState(std::min(node_.ceiling, lowest));
    }
    KillLevel killed(u16 strategy, u32 instrument) const {
        const u8 highest = std::max(of_strategy(strategy).killed, of_instrument(instrument).killed);
        return KillLevel(std::max(node_.killed, highest));
    }
    // Whether the account as a whole may only reduce in this instrument, not just one of its strategies.
    bool is_account_lowered(u32 instrument) const { return state(kNoStrategy, instrument) < ArmState::Limited; }
    u32 limited_percent() const { return limited_percent_; }

    // One scope by itself, for people; the scope must be known.
    ArmState state_of(ArmScope scope) const { return ArmState(row(scope).ceiling); }
    ArmState armed_of(ArmScope scope) const;  // as it would be without its kill
    KillLevel killed_of(ArmScope scope) const { return KillLevel(row(scope).killed); }
    bool is_doubted(ArmScope scope) const { return row(scope).doubted != 0; }
    i64 granted_until(ArmScope scope) const { return row(scope).granted_until; }

    // One strategy, one instrument or the node, within the capacity.
    bool knows(ArmScope scope) const;
    // A person's word; `after_kill` also releases the kill and the doubt of this scope, and of no other.
    void arm(ArmScope scope, ArmState state, bool after_kill);
    // A breaker's word: never raises.
    void lower(ArmScope scope, ArmState state);
    void kill(ArmScope scope, KillLevel level);  // never lowers a kill
    void doubt(ArmScope scope);
    void grant(ArmScope scope, ArmState state, i64 until_ns);
    void end_grant(ArmScope scope);
    void set_limited_percent(u32 percent) { limited_percent_ = percent; }
    // A new epoch: the node is OFF until it is armed again, and every grant has ended. All else stays.
    void restart();

    void save(StateWriter&) const;
    void load(StateReader&);  // of the same capacity

  private:
    friend class RiskBench;
    struct Row {
        u8 ceiling;  // the state that follows from the rest
        u8 armed;
        u8 killed;
        u8 doubted;
        u8 granted;  // meaningful while granted_until is not 0
        u8 pad[3];
        i64 granted_until;
    };
    static_assert(sizeof(Row) == 16);
    static Row made(ArmState state);
    static void settle(Row&);
    const Row& row(ArmScope scope) const;
    const Row& of_strategy(u16 id) const { return id < strategies_.size() ? strategies_[id] : node_; }
    const Row& of_instrument(u32 id) const { return id < instruments_.size() ? instruments_[id] : node_; }
    Row& row(ArmScope scope) { return const_cast<Row&>(std::as_const(*this).row(scope)); }

    Row node_;
    std::vector<Row> strategies_;
    std::vector<Row> instruments_;
    u32 limited_percent_ = kLimitedPercentDefault;
};

}  // namespace openbell
