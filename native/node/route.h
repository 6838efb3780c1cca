// The Venue port: where approved commands go. Its sides: an order-entry session over TCP, the virtual
// venue of backtest and paper, and nobody (shadow).
#pragma once

#include "engine/engine.h"

namespace openbell {

struct SendOutcome {
    Reason reason = Reason::None;  // None: the bytes are with the socket
    i64 ts_sent = 0;               // entry of the send call
    i64 limit = 0;                 // not sent for a figure: what was allowed and what was found; docs/refusals.md
    i64 observed = 0;
};

class Route {
  public:
    virtual ~Route() = default;
    virtual SendOutcome send(const Order& command, const Engine& engine, i64 now_ns) = 0;
};

// Shadow and recording: every command is refused at the edge, and says so.
class NoRoute final : public Route {
  public:
    SendOutcome send(const Order&, const Engine&, i64) override { return {Reason::SessionDown, 0, 1, 0}; }
};

}  // namespace openbell
