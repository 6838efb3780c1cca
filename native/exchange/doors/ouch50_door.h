// OUCH 5.0 at the venue: what a client's messages ask, and what it is told.
//
// Orders are named by UserRefNum, which rises on every channel (UserRefIdx) of its own; what is not above the last one
// used is ignored. A replace always loses its place. Options that the venue does not do are refused, never ignored.
#pragma once

#include "exchange/doors/door.h"
#include "wire/ouch50.h"

namespace openbell::exchange {

class Ouch50Door final : public Door {
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
    void refreshed(Addressee to, const LiveOrder& order, const MatchEvent& e) const override;
    void broken(Addressee to, const FillRow& fill, char reason) const override;
    bool can_correct() const override { return false; }
    void corrected(Addressee, const FillRow&, char) const override {}
};

}  // namespace openbell::exchange
