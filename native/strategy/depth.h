// Depth as a strategy asks for it: one level, without our own orders, over all venues of one asset.
#pragma once

#include <vector>

#include "strategy/world.h"

namespace openbell {

// Level `level` of a side, 0 the best; zeros below the last one.
inline constexpr i64 kLevelsMax = 64;
Level level_of(const World& world, u32 instrument, Side side, i64 level);

// The same of what others show; at most so many levels in front of it may be ours alone.
inline constexpr std::size_t kOwnLevelsMax = 16;
Level others_level(const World& world, u32 instrument, Side side, i64 level);

// What others show, best first: every level less what rests there of our own, found by the venue's order ids; levels
// that were ours alone are left out. Where a venue tells levels instead of orders, our open quantity is taken away.
std::vector<Level> depth_without_own(const World& world, u32 instrument, Side side, std::size_t levels_max);

// A level and whose it is.
struct VenueLevel {
    Level level;
    u32 instrument;
    u16 venue;
};

// Every venue's levels of the instrument's asset, best price first, at one price in the order of the instruments' ids.
// Venues whose book is not valid, or whose prices or quantities have other decimals, are left out.
std::vector<VenueLevel> consolidated_depth(const World& world, u32 instrument, Side side, std::size_t levels_max);

}  // namespace openbell
