#include "exchange/matching/price_levels.h"

namespace openbell::exchange {

u32 PriceLevels::open(BookSide& side, const ladder::Place& place, i64 key) {
    const u32 index = levels_.take();
    levels_[index] = {.key = key,
                      .open_qty = 0,
                      .shown_qty = 0,
                      .picky_qty = 0,
                      .displayed = {0, 0},
                      .hidden = {0, 0},
                      .top = 0,
                      .next = 0,
                      .pad = 0};
    side.best_block = ladder_.insert(side.best_block, place, key, index);
    if (key > side.best_key) {
        side.best_key = key;
        side.best_level = index;
    }
    return index;
}

void PriceLevels::close(BookSide& side, u32 level) {
    const i64 key = levels_[level].key;
    side.best_block = ladder_.erase(side.best_block, ladder_.locate(side.best_block, key));
    levels_.give(level);
    if (key != side.best_key) return;
    side.best_level = side.best_block == ladder::kNone ? 0 : ladder_.best_level(side.best_block);
    side.best_key = side.best_level ? levels_[side.best_level].key : kNoKey;
}

}  // namespace openbell::exchange
