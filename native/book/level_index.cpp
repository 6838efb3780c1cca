#include "book/level_index.h"

#include <numeric>

namespace openbell {

LevelIndex::LevelIndex(u32 instruments_max, u32 levels_max)
    : windows_(std::size_t(2) * instruments_max),
      learnt_(std::size_t(2) * instruments_max),
      cells_(std::size_t(2) * instruments_max * kCells),
      ladders_(2 * instruments_max, levels_max) {}

void LevelIndex::clear(std::size_t s) {
    windows_[s].bits = 0;
    windows_[s].far = ladders_.clear(windows_[s].far);
}

// ---- outside of the window -----------------------------------------------------------------------

void LevelIndex::insert_outside(std::size_t s, i64 key, u32 level) {
    fit_tick(s, key);
    Window& window = windows_[s];
    if (window.cell_of(key) >= kCells) {
        if (window.bits == 0 || key > best_key(s))
            move(s, key, learnt_[s].tick);
        else if (window.best_cell() < kLowCell)
            move(s, best_key(s), learnt_[s].tick);
    }
    const u64 cell = window.cell_of(key);
    return cell < kCells ? put(s, cell, level) : put_far(s, key, level);
}

void LevelIndex::put_far(std::size_t s, i64 key, u32 level) {
    u32& far = windows_[s].far;
    far = ladders_.insert(far, ladders_.locate(far, key), key, level);
}

void LevelIndex::erase_far(std::size_t s, i64 key) {
    u32& far = windows_[s].far;
    far = ladders_.erase(far, ladders_.locate(far, key));
}

// The window is empty: it moves to what the ladder holds.
void LevelIndex::refill(std::size_t s) {
    const ladder::Block& block = ladders_.block(windows_[s].far);
    move(s, block.keys[block.count - 1], learnt_[s].tick);
}

// A tick that `key` does not fit becomes smaller at once. One that may be too small is looked at now and then, more and
// more rarely: the prices say what they have in common.
void LevelIndex::fit_tick(std::size_t s, i64 key) {
    Learnt& learnt = learnt_[s];
    const bool fits = ticks::distance(key, windows_[s].base) % u64(learnt.tick) == 0;
    const bool is_time = ++learnt.outside >= 8 && std::has_single_bit(learnt.outside);
    if (fits && !is_time) return;
    const i64 tick = common_tick(s, key);
    if (tick == learnt.tick) return;
    move(s, is_empty(s) ? key : std::max(key, best_key(s)), tick);
}

// The largest tick that all prices of the side and `key` are multiples of, counted from each other.
i64 LevelIndex::common_tick(std::size_t s, i64 key) const {
    const Window& window = windows_[s];
    u64 common = 0;
    for (u64 bits = window.bits; bits != 0; bits &= bits - 1) {
        const u64 cell = u64(std::countr_zero(bits));
        common = std::gcd(common, ticks::distance(key, ticks::key_at(cell, window.base, learnt_[s].tick)));
    }
    for (u32 b = window.far; b != kNone; b = ladders_.block(b).worse) {
        const ladder::Block& block = ladders_.block(b);
        for (u32 i = 0; i < block.count; ++i) common = std::gcd(common, ticks::distance(key, block.keys[i]));
    }
    return common == 0 ? learnt_[s].tick : common > ticks::kTickMax ? 1 : i64(common);
}

// Puts the window where `best_key`, as good as any level, stands at kBestCell: its levels go to the ladder, and those
// that now belong to it come from there. Rare: the touch has moved by a large part of the window, or the tick has
// changed.
void LevelIndex::move(std::size_t s, i64 best_key, i64 tick) {
    Window& window = windows_[s];
    for (u64 bits = window.bits; bits != 0; bits ^= u64(1) << top_of(bits))
        put_far(s, ticks::key_at(top_of(bits), window.base, learnt_[s].tick), cells_[s * kCells + top_of(bits)]);
    learnt_[s].tick = tick;
    window.base = ticks::base_for(best_key, tick, kCells, kBestCell);
    window.shift = u8(std::countr_zero(u64(tick)));
    window.inverse = ticks::inverse_of(u64(tick) >> window.shift);
    window.bits = 0;
    while (window.far != kNone) {
        const ladder::Block& block = ladders_.block(window.far);
        const i64 key = block.keys[block.count - 1];
        if (key < window.base) break;
        put(s, window.cell_of(key), block.levels[block.count - 1]);
        window.far = ladders_.erase(window.far, {window.far, block.count - 1, true});
    }
}

}  // namespace openbell
