// All that a strategy may see: books, its orders, instruments and engine time, as one frame left them.
#pragma once

#include <string_view>
#include <vector>

#include "book/books.h"
#include "execution/stops.h"
#include "oms/accounts.h"

namespace openbell {

inline constexpr std::size_t kStateBytesMax = 16 << 10;  // declared state of one strategy

// What a venue says of an instrument's trading, and whether its own systems are halted besides.
inline constexpr u8 kVenueHalted = 0x80;
constexpr TradingState trading_state(u8 cell) {
    return cell & kVenueHalted ? TradingState::Halted : TradingState(cell);
}

// Whether a strategy is called, and what becomes of what it left. `World::halted` and the engine's state hold it.
enum class StrategyLife : u8 {
    Runs = 0,
    Halted = 1,      // it failed, or its process did: a release lets it go on
    Stopped = 2,     // by a person: `start` lets it go on
    Flattening = 3,  // the engine closes its position, then it is stopped
    FlatteningHalted = 4,
};
constexpr bool is_flattening(u8 life) {
    return life == u8(StrategyLife::Flattening) || life == u8(StrategyLife::FlatteningHalted);
}

// A parameter that was changed while its strategy ran, as a word of its layout.
struct ChangedParameter {
    u16 strategy;
    u16 pad;
    u32 word;
    u64 bits;
};
static_assert(sizeof(ChangedParameter) == 16);

struct World {
    const Books& books;
    const Oms& oms;
    const Accounts& accounts;
    const Stops& stops;
    const std::vector<Instrument>& instruments;  // by id
    const std::vector<u8>& trading;              // by instrument id, see trading_state
    const std::vector<u8>& halted;               // StrategyLife by strategy id: it is called while that is Runs
    const std::vector<std::vector<u8>>& states;  // declared state by strategy id; empty before the first start
    const std::vector<u64>& versions;            // of its class by strategy id, 0: what the epoch began with
    const std::vector<ChangedParameter>& parameters;
    u64 parameters_changed = 0;  // how often
    i64 now_ns = 0;
    u64 seq = 0;
    u64 seed = 0;  // of this epoch

    const Instrument* instrument(u32 id) const { return id < instruments.size() ? &instruments[id] : nullptr; }
    TradingState trading_of(u32 id) const {
        return id < instruments.size() ? trading_state(trading[id]) : TradingState::Unknown;
    }
};

inline std::string_view symbol_of(const Instrument& instrument) {
    return {instrument.symbol, strnlen(instrument.symbol, sizeof instrument.symbol)};
}

}  // namespace openbell
