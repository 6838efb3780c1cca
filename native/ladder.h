// The price levels of one side, in order of price: a list of small sorted blocks, best block first.
//
// Price becomes a key, greater is better: px for bids, ~px for asks (exact for every int64). A block
// keeps its keys ascending, so the best is at the end and the touch comes and goes without moving anything.
// Most flow is within 20 levels of the touch: one block, five cache lines.
//
//     best_block -> [.. 9998 9999 10000] -> worse [.. 9981 9985 9991] -> worse ...
//
// Why not one array per side: with a pool shared by all instruments its size would depend on its past, and
// "full" must be a function of what the book holds (a restored book must refuse what the grown one refuses).
// Two neighbours always hold more than kMergeAt levels together, so
// blocks <= 2 * levels / (kMergeAt + 1) + 1 a side, and the pool sized by that bound never runs out.
#pragma once

#include <algorithm>
#include <limits>

#include "big_array.h"

namespace openbell::ladder {

inline constexpr u32 kNone = 0xFFFF'FFFF;
inline constexpr u32 kBlockLevels = 20;
inline constexpr u32 kMergeAt = 14;  // below kBlockLevels, so that a level that flickers does not merge and split

// Without a branch: sides alternate as they like.
inline i64 key_of(Side side, i64 px) { return px ^ -i64(side == Side::Sell); }
inline i64 px_of(Side side, i64 key) { return key_of(side, key); }

struct Block {
    u32 better;  // neighbour, kNone at the touch
    u32 worse;
    u32 count;
    u32 pad;
    i64 keys[kBlockLevels];    // ascending; the unused are kUnused, so that a search has no bound to test
    u32 levels[kBlockLevels];  // of each key
};
static_assert(sizeof(Block) == 256);

struct Place {
    u32 block;  // kNone: the side is empty
    u32 pos;    // of the key, or where it would be inserted
    bool is_found;
};

class Pool {
  public:
    Pool(u32 sides_max, u32 levels_max);

    Place locate(u32 best_block, i64 key) const {
        u32 at = best_block;
        if (at == kNone) return {kNone, 0, false};
        while (key < blocks_[at].keys[0] && blocks_[at].worse != kNone) at = blocks_[at].worse;
        const Block& block = blocks_[at];
        const u32 pos = rank_of(block.keys, key);
        return {at, pos, pos < block.count && block.keys[pos] == key};
    }
    u32 level_at(const Place& place) const { return blocks_[place.block].levels[place.pos]; }
    u32 best_level(u32 best_block) const {
        const Block& block = blocks_[best_block];
        return block.levels[block.count - 1];
    }
    // The level that `key` has or would stand before, as far as one block knows. For whoever only wants memory to come.
    u32 guess(u32 index, i64 key) const {
        const Block& block = blocks_[index];
        return block.levels[std::min(rank_of(block.keys, key), kBlockLevels - 1)];
    }
    const Block& block(u32 index) const { return blocks_[index]; }

    // Both return the side's best block, which may have changed.
    u32 insert(u32 best_block, Place place, i64 key, u32 level);
    u32 erase(u32 best_block, Place place);
    u32 clear(u32 best_block);  // kNone

  private:
    // How many keys are below `key`: 8 compares in two steps and no branch. Stopping at the first greater one
    // mispredicts on nearly every order; a search by halves waits for five loads in a row.
    static u32 rank_of(const i64* keys, i64 key) {
        static_assert(kBlockLevels == 20);
        const u32 fours = 4 * ((keys[4] < key) + (keys[8] < key) + (keys[12] < key) + (keys[16] < key));
        const i64* k = keys + fours;
        return fours + (k[0] < key) + (k[1] < key) + (k[2] < key) + (k[3] < key);
    }

    static constexpr i64 kUnused = std::numeric_limits<i64>::max();

    u32 take_block(u32 better, u32 worse);
    u32 release_block(u32 best_block, u32 index);
    u32 make_room(u32 best_block, Place& place);
    void halve(Place& place);
    u32 merge_around(u32 best_block, u32 index);
    u32 merge(u32 best_block, u32 better, u32 worse);
    static void insert_into(Block& block, u32 pos, i64 key, u32 level);
    static void erase_from(Block& block, u32 pos);
    static void drop_front(Block& block, u32 count);

    BigArray<Block> blocks_;
    u32 used_ = 0;      // blocks beyond were never touched
    u32 free_ = kNone;  // linked by `worse`
};

}  // namespace openbell::ladder
