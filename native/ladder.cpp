#include "ladder.h"

#include <algorithm>

namespace openbell::ladder {

Pool::Pool(u32 sides_max, u32 levels_max) : blocks_(std::size_t(2) * levels_max / (kMergeAt + 1) + sides_max + 1) {}

u32 Pool::insert(u32 best_block, Place place, i64 key, u32 level) {
    if (place.block == kNone) {
        best_block = take_block(kNone, kNone);
        place = {best_block, 0, false};
    }
    if (blocks_[place.block].count == kBlockLevels) best_block = make_room(best_block, place);
    insert_into(blocks_[place.block], place.pos, key, level);
    return best_block;
}

u32 Pool::erase(u32 best_block, Place place) {
    erase_from(blocks_[place.block], place.pos);
    if (blocks_[place.block].count == 0) return release_block(best_block, place.block);
    return merge_around(best_block, place.block);
}

u32 Pool::clear(u32 best_block) {
    while (best_block != kNone) {
        const u32 next = blocks_[best_block].worse;
        blocks_[best_block].worse = free_;
        free_ = best_block;
        best_block = next;
    }
    return kNone;
}

u32 Pool::take_block(u32 better, u32 worse) {
    const u32 index = free_ == kNone ? used_++ : free_;
    Block& block = blocks_[index];
    if (free_ != kNone) free_ = block.worse;
    block.better = better;
    block.worse = worse;
    block.count = 0;
    std::fill(block.keys, block.keys + kBlockLevels, kUnused);
    std::fill(block.levels, block.levels + kBlockLevels, 0);  // `guess` may read what is not in use
    if (better != kNone) blocks_[better].worse = index;
    if (worse != kNone) blocks_[worse].better = index;
    return index;
}

u32 Pool::release_block(u32 best_block, u32 index) {
    const u32 better = blocks_[index].better;
    const u32 worse = blocks_[index].worse;
    if (better != kNone) blocks_[better].worse = worse;
    if (worse != kNone) blocks_[worse].better = better;
    blocks_[index].worse = free_;
    free_ = index;
    return better == kNone ? worse : best_block;
}

// The block of `place` is full: a neighbour with room takes one level, otherwise the block is halved. No two
// neighbours hold less together than before, but for the halves, which hold kBlockLevels.
u32 Pool::make_room(u32 best_block, Place& place) {
    Block& full = blocks_[place.block];
    if (full.worse != kNone && blocks_[full.worse].count < kBlockLevels) {
        // `locate` stops here only for keys above keys[0] when something worse follows, so pos > 0.
        Block& worse = blocks_[full.worse];
        insert_into(worse, worse.count, full.keys[0], full.levels[0]);
        erase_from(full, 0);
        --place.pos;
    } else if (full.better != kNone && blocks_[full.better].count < kBlockLevels) {
        if (place.pos == kBlockLevels) {
            place = {full.better, 0, false};
        } else {
            insert_into(blocks_[full.better], 0, full.keys[kBlockLevels - 1], full.levels[kBlockLevels - 1]);
            erase_from(full, kBlockLevels - 1);
        }
    } else {
        halve(place);
    }
    return best_block;
}

// The worse half moves to a new block behind, so that the best block stays the best.
void Pool::halve(Place& place) {
    constexpr u32 kHalf = kBlockLevels / 2;
    const u32 behind = take_block(place.block, blocks_[place.block].worse);
    Block& half = blocks_[behind];
    Block& rest = blocks_[place.block];
    std::copy_n(rest.keys, kHalf, half.keys);
    std::copy_n(rest.levels, kHalf, half.levels);
    half.count = kHalf;
    drop_front(rest, kHalf);
    if (place.pos <= kHalf) {
        place.block = behind;
    } else {
        place.pos -= kHalf;
    }
}

// Joins the block with a neighbour when both fit into kMergeAt levels.
u32 Pool::merge_around(u32 best_block, u32 index) {
    const u32 better = blocks_[index].better;
    const u32 worse = blocks_[index].worse;
    if (better != kNone && blocks_[better].count + blocks_[index].count <= kMergeAt)
        return merge(best_block, better, index);
    if (worse != kNone && blocks_[worse].count + blocks_[index].count <= kMergeAt)
        return merge(best_block, index, worse);
    return best_block;
}

u32 Pool::merge(u32 best_block, u32 better, u32 worse) {
    Block& into = blocks_[worse];
    const Block& from = blocks_[better];
    std::copy_n(from.keys, from.count, into.keys + into.count);
    std::copy_n(from.levels, from.count, into.levels + into.count);
    into.count += from.count;
    return release_block(best_block, better);
}

void Pool::insert_into(Block& block, u32 pos, i64 key, u32 level) {
    std::copy_backward(block.keys + pos, block.keys + block.count, block.keys + block.count + 1);
    std::copy_backward(block.levels + pos, block.levels + block.count, block.levels + block.count + 1);
    block.keys[pos] = key;
    block.levels[pos] = level;
    ++block.count;
}

void Pool::erase_from(Block& block, u32 pos) {
    std::copy(block.keys + pos + 1, block.keys + block.count, block.keys + pos);
    std::copy(block.levels + pos + 1, block.levels + block.count, block.levels + pos);
    block.keys[--block.count] = kUnused;
}

void Pool::drop_front(Block& block, u32 count) {
    std::copy(block.keys + count, block.keys + block.count, block.keys);
    std::copy(block.levels + count, block.levels + block.count, block.levels);
    std::fill(block.keys + block.count - count, block.keys + block.count, kUnused);
    block.count -= count;
}

}  // namespace openbell::ladder
