#include "strategy/depth.h"

#include <algorithm>

namespace openbell {
namespace {

// Price and quantity of what of ours the book shows on a side.
template <class F>
void for_each_own(const World& world, u32 instrument, Side side, F&& f) {
    world.oms.for_each_live([&](const LiveOrder& order) {
        if (order.instrument != instrument || order.side != u8(side) || order.order_id == 0) return;
        const u32 handle = world.books.find(instrument, order.order_id);
        if (handle != Books::kNone) {
            const RestingOrder shown = world.books.at(handle);
            f(shown.px, shown.qty);
        } else if (world.books.orders(instrument) == 0) {
            f(order.px, order.leaves_qty);
        }
    });
}

void check_level(Side side, i64 level) {
    if (side != Side::Buy && side != Side::Sell)
        throw Error(ErrorKind::Strategy, "side: expected Side.BUY or Side.SELL, found " + std::to_string(u32(side)));
    if (level < 0 || level >= kLevelsMax)
        throw Error(ErrorKind::Strategy, "level: expected 0 (the best) to " + std::to_string(kLevelsMax - 1) +
                                             ", found " + std::to_string(level));
}

void take_away(std::span<Level> levels, i64 px, i64 qty) {
    const auto level = std::ranges::find(levels, px, &Level::px);
    if (level == levels.end()) return;
    level->qty -= std::min(level->qty, qty);
    if (level->orders > 0) --level->orders;
}

bool is_one_asset(const Instrument& a, const Instrument& b) {
    if (a.instrument == b.instrument) return true;
    return a.asset != 0 && a.asset == b.asset && a.px_decimals == b.px_decimals && a.qty_decimals == b.qty_decimals;
}

}  // namespace

Level level_of(const World& world, u32 instrument, Side side, i64 level) {
    check_level(side, level);
    Level levels[kLevelsMax];
    const std::size_t known = world.books.depth(instrument, side, std::span(levels, std::size_t(level) + 1));
    return std::size_t(level) < known ? levels[level] : Level{};
}

Level others_level(const World& world, u32 instrument, Side side, i64 level) {
    check_level(side, level);
    Level levels[kLevelsMax + kOwnLevelsMax];
    const std::size_t asked = std::size_t(level) + 1 + kOwnLevelsMax;
    const std::span seen(levels, world.books.depth(instrument, side, std::span(levels, asked)));
    for_each_own(world, instrument, side, [&](i64 px, i64 qty) { take_away(seen, px, qty); });
    for (const Level& one : seen)
        if (one.qty > 0 && level-- == 0) return one;
    return {};
}

std::vector<Level> depth_without_own(const World& world, u32 instrument, Side side, std::size_t levels_max) {
    std::vector<Level> own;
    for_each_own(world, instrument, side, [&](i64 px, i64 qty) { own.push_back({px, qty, 1, 0}); });
    std::vector<Level> levels(levels_max + own.size());  // so many may turn out to be ours alone
    levels.resize(world.books.depth(instrument, side, levels));
    for (const Level& order : own) take_away(levels, order.px, order.qty);
    std::erase_if(levels, [](const Level& level) { return level.qty == 0; });
    levels.resize(std::min(levels.size(), levels_max));
    return levels;
}

std::vector<VenueLevel> consolidated_depth(const World& world, u32 instrument, Side side, std::size_t levels_max) {
    std::vector<VenueLevel> all;
    std::vector<Level> levels(levels_max);
    for (const Instrument& other : world.instruments) {
        if (!is_one_asset(world.instruments[instrument], other) || !world.books.is_valid(other.instrument)) continue;
        const std::size_t n = world.books.depth(other.instrument, side, levels);
        for (std::size_t i = 0; i < n; ++i) all.push_back({levels[i], other.instrument, other.venue});
    }
    std::ranges::stable_sort(all, [side](const VenueLevel& a, const VenueLevel& b) {
        return ladder::key_of(side, a.level.px) > ladder::key_of(side, b.level.px);
    });
    all.resize(std::min(all.size(), levels_max));
    return all;
}

}  // namespace openbell
