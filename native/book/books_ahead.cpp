// Asking for the memory of records to come, in steps of kNear records: what one step asked for has come when the next
// follows it. Without a branch on the type, which would be mispredicted in every step: an add and the others ask
// for different things by the same instructions, and where nothing is known the ask is for something that is there.
#include <bit>

#include "book/books.h"

namespace openbell {

namespace {

// By arithmetic: of a conditional the compiler makes a branch again.
u32 known_or_first(u32 index) { return index & -u32(index != book::kNone); }
const void* choose(bool first, const void* a, const void* b) {
    const auto x = std::bit_cast<u64>(a), y = std::bit_cast<u64>(b);
    return std::bit_cast<const void*>(y ^ ((x ^ y) & -u64(first)));
}

}  // namespace

void Books::look_further(std::span<const Market> records, std::size_t i) {
    const auto each = [&](std::size_t step, auto ask_for) {
        const std::size_t end = std::min(i + (step + 1) * kNear, records.size());
        for (std::size_t k = i + step * kNear; k < end; ++k)
            if (records[k].instrument < books_.size()) ask_for(records[k], ahead_[k % ahead_.size()]);
    };
    each(3, [this](const Market& r, Ahead& ahead) { ask_slot(r, ahead); });
    each(2, [this](const Market& r, Ahead& ahead) { ask_order(r, ahead); });
    each(1, [this](const Market& r, Ahead& ahead) { ask_neighbour(r, ahead); });
}

// Of an add the cell of its price too.
void Books::ask_slot(const Market& r, Ahead& ahead) const {
    const Side side = Side(2 - (r.flags & kBuy));
    ahead.is_add = Type(r.type) == Type::BookAdd;
    ahead.mark = table_.mark_of(r.order_id, books_[r.instrument].venue);
    ahead.cell = index_.cell_of(LevelIndex::side_at(r.instrument, side), ladder::key_of(side, r.px));
    const void* slot = table_.line_of(ahead.mark);
    prefetch_line(slot);
    prefetch_line(choose(ahead.is_add, index_.line_of(ahead.cell), slot));
}

// Of an add its level, of the others the order.
void Books::ask_order(const Market&, Ahead& ahead) const {
    ahead.order = known_or_first(table_.guess(ahead.mark));
    ahead.level = index_.guess(ahead.cell & -u32(ahead.is_add));
    prefetch_line(choose(ahead.is_add, &rungs_[ahead.level], &slab_[ahead.order]));
}

// Of an add the last order of its level, of the others the level and the orders beside it.
void Books::ask_neighbour(const Market&, const Ahead& ahead) const {
    const Order& order = slab_[ahead.order];
    const void* level = &rungs_[order.level];
    prefetch_line(choose(ahead.is_add, &slab_[known_or_first(rungs_[ahead.level].tail)], level));
    prefetch_line(&slab_[known_or_first(order.next)]);
    prefetch_line(&slab_[known_or_first(order.prev)]);
}

}  // namespace openbell
