#include "book/level_books.h"

#include <algorithm>
#include <numeric>

namespace openbell {

using ladder::kNone;
using ticks::distance;

LevelBooks::LevelBooks(u32 instruments_max, u32 levels_max)
    : sides_(std::size_t(2) * instruments_max),
      windows_(std::size_t(2) * instruments_max),
      ladders_(2 * instruments_max, levels_max),
      far_qtys_(levels_max),
      levels_left_(levels_max) {}

LevelBooks::Change LevelBooks::set_best(u32 instrument, Side side, i64 px, i64 qty) {
    if (qty < 0) return {Fault::NegativeQty};
    const std::size_t s = at(instrument, side);
    if (sides_[s].levels == 0 && qty > 0 && levels_left_ == 0) return {Fault::Full};
    const Best before = best(instrument, side);
    clear_side(s);
    if (qty > 0) set(instrument, side, px, qty);
    const Best after = best(instrument, side);
    return {Fault::Ok, after.px != before.px || after.qty != before.qty};
}

void LevelBooks::clear(u32 instrument) {
    clear_side(at(instrument, Side::Buy));
    clear_side(at(instrument, Side::Sell));
}

void LevelBooks::clear_side(std::size_t s) {
    State& state = sides_[s];
    levels_left_ += state.levels;
    for (i64 cell = state.best; cell >= 0; cell = below(windows_[s], u64(cell))) windows_[s].qty[cell] = 0;
    if (state.cells) std::fill(std::begin(windows_[s].bits), std::end(windows_[s].bits), 0);
    for (u32 b = state.far; b != kNone; b = ladders_.block(b).worse) {
        const ladder::Block& block = ladders_.block(b);
        for (u32 i = 0; i < block.count; ++i) {
            far_qtys_[block.levels[i]] = far_free_;
            far_free_ = block.levels[i];
        }
    }
    state.far = ladders_.clear(state.far);
    state.levels = 0;
    state.best = -1;
    state.best_qty = 0;
}

// ---- outside of the window -----------------------------------------------------------------------

LevelBooks::Change LevelBooks::set_outside(std::size_t s, i64 key, i64 qty) {
    State& state = sides_[s];
    // Before anything moves: a level that is not there yet needs room.
    if (qty > 0 && levels_left_ == 0 && !ladders_.locate(state.far, key).is_found) return {Fault::Full};
    if (state.cells == 0) {
        windows_[s] = {};
        state.cells = kCells;
        move(s, key, state.tick);
        return set_cell(s, state.cell_of(key), qty);
    }
    if (qty > 0) fit_tick(s, key);
    if (state.cell_of(key) >= kCells) {
        const bool is_better = state.best < 0 || key > state.key_at(u64(state.best));
        if (is_better && qty == 0) return {};
        if (is_better)
            move(s, key, state.tick);
        else if (u64(state.best) < kLowCell)
            move(s, state.key_at(u64(state.best)), state.tick);
    }
    const u64 cell = state.cell_of(key);
    return cell < kCells ? set_cell(s, cell, qty) : set_far(state, key, qty);
}

// On the ladder: never the best.
LevelBooks::Change LevelBooks::set_far(State& state, i64 key, i64 qty) {
    const ladder::Place place = ladders_.locate(state.far, key);
    if (place.is_found && qty > 0) {
        far_qtys_[ladders_.level_at(place)] = qty;
    } else if (place.is_found) {
        const u32 level = ladders_.level_at(place);
        far_qtys_[level] = far_free_;
        far_free_ = level;
        state.far = ladders_.erase(state.far, place);
        --state.levels;
        ++levels_left_;
    } else if (qty > 0) {
        if (levels_left_ == 0) return {Fault::Full};
        put_far(state, key, qty);
        ++state.levels;
        --levels_left_;
    }
    return {};
}

void LevelBooks::put_far(State& state, i64 key, i64 qty) {
    const u32 level = far_free_ == kNone ? far_used_++ : far_free_;
    if (level == far_free_) far_free_ = u32(far_qtys_[level]);
    far_qtys_[level] = qty;
    state.far = ladders_.insert(state.far, ladders_.locate(state.far, key), key, level);
}

// A tick that `key` does not fit becomes smaller at once. One that may be too small is looked at now and then, more and
// more rarely: the prices say what they have in common.
void LevelBooks::fit_tick(std::size_t s, i64 key) {
    State& state = sides_[s];
    const bool fits = distance(key, state.base) % u64(state.tick) == 0;
    const bool is_time = ++state.outside >= 16 && std::has_single_bit(state.outside);
    if (fits && !is_time) return;
    const i64 tick = common_tick(s, key);
    if (tick == state.tick) return;
    const i64 best_key = state.best < 0 ? key : std::max(key, state.key_at(u64(state.best)));
    move(s, best_key, tick);
}

// The largest tick that all prices of the side and `key` are multiples of, counted from each other.
i64 LevelBooks::common_tick(std::size_t s, i64 key) const {
    const State& state = sides_[s];
    u64 common = 0;
    for (i64 cell = state.best; cell >= 0; cell = below(windows_[s], u64(cell)))
        common = std::gcd(common, distance(key, state.key_at(u64(cell))));
    for (u32 b = state.far; b != kNone; b = ladders_.block(b).worse) {
        const ladder::Block& block = ladders_.block(b);
        for (u32 i = 0; i < block.count; ++i) common = std::gcd(common, distance(key, block.keys[i]));
    }
    return common == 0 ? state.tick : common > ticks::kTickMax ? 1 : i64(common);
}

// The window is empty: it moves to what the ladder holds.
void LevelBooks::refill(std::size_t s) {
    State& state = sides_[s];
    state.best_qty = 0;
    if (state.far == kNone) return;
    const ladder::Block& block = ladders_.block(state.far);
    move(s, block.keys[block.count - 1], state.tick);
}

// Puts the window where `best_key`, as good as any level, stands at kBestCell: its levels go to the ladder, and those
// that now belong to it come from there. Rare: the touch has moved by a large part of the window, or the tick has
// changed.
void LevelBooks::move(std::size_t s, i64 best_key, i64 tick) {
    State& state = sides_[s];
    Window& window = windows_[s];
    for (i64 cell = state.best; cell >= 0; cell = below(window, u64(cell))) {
        put_far(state, state.key_at(u64(cell)), window.qty[cell]);
        window.qty[cell] = 0;
    }
    std::fill(std::begin(window.bits), std::end(window.bits), 0);
    state.base = ticks::base_for(best_key, tick, kCells, kBestCell);
    state.tick = tick;
    state.shift = u8(std::countr_zero(u64(tick)));
    state.inverse = ticks::inverse_of(u64(tick) >> state.shift);
    state.best = -1;
    state.best_qty = 0;
    while (state.far != kNone) {
        const ladder::Block& block = ladders_.block(state.far);
        const i64 key = block.keys[block.count - 1];
        if (key < state.base) break;
        const u32 level = block.levels[block.count - 1];
        const u64 cell = state.cell_of(key);
        window.qty[cell] = far_qtys_[level];
        window.bits[cell / 64] |= u64(1) << cell % 64;
        if (state.best < 0) {
            state.best = i64(cell);
            state.best_qty = far_qtys_[level];
        }
        far_qtys_[level] = far_free_;
        far_free_ = level;
        state.far = ladders_.erase(state.far, {state.far, block.count - 1, true});
    }
}

}  // namespace openbell
