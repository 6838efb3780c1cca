// The price levels of all instruments: per side a ladder (native/ladder.h) of levels, per level two queues through the
// slab of orders, displayed before hidden. Stops wait on ladders of their own.
//
// It moves orders and sums; what an order is and whether it may trade is the engine's business.
#pragma once

#include "exchange/matching/open_order.h"
#include "exchange/matching/slab.h"
#include "ladder.h"

namespace openbell::exchange {

// A stop to buy waits above the market, where the offers are: it is elected from the lowest up.
constexpr Side stop_side(Side side) { return opposite(side); }

inline constexpr i64 kNoKey = std::numeric_limits<i64>::min();  // worse than every price

struct Queue {
    u32 head;  // 0: empty
    u32 tail;
};

struct Level {
    i64 key;        // of ladder::key_of: greater is better
    i64 open_qty;   // all that is open here
    i64 shown_qty;  // of it displayed
    i64 picky_qty;  // of it open in orders with a minimum
    Queue displayed;
    Queue hidden;
    u32 top;   // pro-rata: the order that is filled first, 0: none
    u32 next;  // of a free level
    u64 pad;

    bool is_empty() const { return displayed.head == 0 && hidden.head == 0; }
};
static_assert(sizeof(Level) == 64);

// One side of a book: its ladder, and the best of it at hand.
struct BookSide {
    u32 best_block = ladder::kNone;
    u32 best_level = 0;  // 0: the side is empty
    i64 best_key = kNoKey;
};

class PriceLevels {
  public:
    PriceLevels(std::size_t sides, std::size_t levels_max)
        : ladder_(u32(sides), u32(levels_max)), levels_(levels_max) {}

    Level& operator[](u32 level) { return levels_[level]; }
    const Level& operator[](u32 level) const { return levels_[level]; }

    // The level of `key`, 0: none.
    u32 find(const BookSide& side, i64 key) const {
        if (key == side.best_key) return side.best_level;
        const ladder::Place place = ladder_.locate(side.best_block, key);
        return place.is_found ? ladder_.level_at(place) : 0;
    }
    u32 find_or_open(BookSide& side, i64 key) {
        if (key == side.best_key) return side.best_level;
        const ladder::Place place = ladder_.locate(side.best_block, key);
        return place.is_found ? ladder_.level_at(place) : open(side, place, key);
    }
    // The best level that is worse than `key`, 0: none.
    u32 below(const BookSide& side, i64 key) const {
        const ladder::Place place = ladder_.locate(side.best_block, key);
        if (place.block == ladder::kNone) return 0;
        const ladder::Block& block = ladder_.block(place.block);
        if (place.pos > 0) return block.levels[place.pos - 1];
        return block.worse == ladder::kNone ? 0 : ladder_.best_level(block.worse);
    }
    void close(BookSide& side, u32 level);
    // visit(level), best first.
    template <class Visit>
    void for_each(const BookSide& side, Visit visit) const {
        for (u32 at = side.best_block; at != ladder::kNone; at = ladder_.block(at).worse) {
            const ladder::Block& block = ladder_.block(at);
            for (u32 i = block.count; i-- > 0;) visit(levels_[block.levels[i]]);
        }
    }

  private:
    u32 open(BookSide& side, const ladder::Place& place, i64 key);

    ladder::Pool ladder_;
    Slab<Level> levels_;
};

inline void push_back(Slab<OpenOrder>& orders, Queue& queue, u32 slot) {
    OpenOrder& order = orders[slot];
    order.prev = queue.tail;
    order.next = 0;
    (queue.tail ? orders[queue.tail].next : queue.head) = slot;
    queue.tail = slot;
}

inline void unlink(Slab<OpenOrder>& orders, Queue& queue, const OpenOrder& order) {
    (order.prev ? orders[order.prev].next : queue.head) = order.next;
    (order.next ? orders[order.next].prev : queue.tail) = order.prev;
}

}  // namespace openbell::exchange
