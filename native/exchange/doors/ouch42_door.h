// OUCH 4.2 at the venue: what a client's messages ask, and what it is told.
//
// A token that was used is ignored. A replace keeps its place where the rule book lets it. Display A and Y show the
// order, P and L add post-only, N hides it, M and W peg it to the middle (W: post-only).
#pragma once

#include "exchange/doors/door.h"
#include "wire/ouch42.h"

namespace openbell::exchange {

class Ouch42Door final : public Door {
  public:
    bool receive(Desk& desk, u32 account, Bytes message) const override;

    void system_event(Addressee to, char event) const override;
    void accepted(Addressee to, Alpha<8> symbol, const LiveOrder& order, u32 px) const override;
    void replaced(Addressee to, Alpha<8> symbol, const LiveOrder& order, const LiveOrder& prev, u32 px) const override;
    void rejected(Addressee to, const LiveOrder& order, Refusal why) const override;
    void canceled(Addressee to, const LiveOrder& order, i64 qty, Cause cause) const override;
    void modified(Addressee to, const LiveOrder& order) const override;
    void prevented(Addressee to, const LiveOrder& order, const MatchEvent& e) const override;
    void executed(Addressee to, const LiveOrder& order, i64 px, i64 qty, Liquidity liquidity,
                  u64 match_number) const override;
    void repriced(Addressee to, const LiveOrder& order, const MatchEvent& e) const override;
    void refreshed(Addressee, const LiveOrder&, const MatchEvent&) const override {}  // no words for it
    void broken(Addressee to, const FillRow& fill, char reason) const override;
    bool can_correct() const override { return true; }
    void corrected(Addressee to, const FillRow& fill, char reason) const override;
};

}  // namespace openbell::exchange
