#include "book/level_books.h"

namespace openbell {

using ladder::key_of;
using ladder::kNone;

LevelBooks::Change LevelBooks::set(u32 instrument, Side side, i64 px, i64 qty) {
    if (qty < 0) return {Fault::NegativeQty};
    State& s = sides_[at(instrument, side)];
    const i64 key = key_of(side, px);
    const ladder::Place place = ladders_.locate(s.best_block, key);
    if (place.is_found && qty > 0) {
        qtys_[ladders_.level_at(place)] = qty;
    } else if (place.is_found) {
        release(ladders_.level_at(place));
        s.best_block = ladders_.erase(s.best_block, place);
        --s.levels;
    } else {
        if (qty == 0) return {};
        if (is_full()) return {Fault::Full};
        s.best_block = ladders_.insert(s.best_block, place, key, take(qty));
        ++s.levels;
    }
    return {Fault::Ok, refresh(s, key)};
}

LevelBooks::Change LevelBooks::set_best(u32 instrument, Side side, i64 px, i64 qty) {
    if (qty < 0) return {Fault::NegativeQty};
    State& s = sides_[at(instrument, side)];
    const State before = s;
    if (s.levels == 0 && qty > 0 && is_full()) return {Fault::Full};
    clear(s);
    if (qty > 0) set(instrument, side, px, qty);
    return {Fault::Ok, s.best_key != before.best_key || s.best_qty != before.best_qty};
}

void LevelBooks::clear(u32 instrument) {
    clear(sides_[at(instrument, Side::Buy)]);
    clear(sides_[at(instrument, Side::Sell)]);
}

void LevelBooks::clear(State& s) {
    for (u32 b = s.best_block; b != kNone; b = ladders_.block(b).worse) {
        const ladder::Block& block = ladders_.block(b);
        for (u32 i = 0; i < block.count; ++i) release(block.levels[i]);
    }
    ladders_.clear(s.best_block);
    s = State{};
}

u32 LevelBooks::take(i64 qty) {
    const u32 level = free_ == kNone ? used_++ : free_;
    if (free_ != kNone) free_ = u32(qtys_[level]);
    qtys_[level] = qty;
    return level;
}

void LevelBooks::release(u32 level) {
    qtys_[level] = free_;
    free_ = level;
}

// After a change at `key`: brings the best up to date; true if it is another one.
bool LevelBooks::refresh(State& s, i64 key) {
    if (s.best_qty != 0 && key < s.best_key) return false;
    const State before = s;
    if (s.best_block == kNone) {
        s.best_key = s.best_qty = 0;
    } else {
        const ladder::Block& block = ladders_.block(s.best_block);
        s.best_key = block.keys[block.count - 1];
        s.best_qty = qtys_[block.levels[block.count - 1]];
    }
    return s.best_key != before.best_key || s.best_qty != before.best_qty;
}

}  // namespace openbell
