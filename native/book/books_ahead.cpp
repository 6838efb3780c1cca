// Asking for the memory of records to come, in steps of kNear records: what one step asked for has come when the next
// follows it. Without a branch on the type, which would be mispredicted in every step: an add and the others ask
// for different things by the same instructions, and where nothing is known the ask is for something that is there.
#include <bit>

#include "book/books.h"

namespace openbell {

namespace {

// By arithmetic: of a conditional the compiler makes a branch again.
u32 known_or_first(u32 index) { return index & -u32(index != book::kNone); }
u64 choose(bool first, u64 a, u64 b) { return b ^ ((a ^ b) & -u64(first)); }

// A ladder's block, or the one line at `other`.
void ask_block_or(bool is_block, const ladder::Block& block, const void* other) {
    const auto line = choose(is_block, std::bit_cast<u64>(&block), std::bit_cast<u64>(other));
    const u64 step = u64(is_block) * 64;
    for (u64 k = 0; k < sizeof(ladder::Block) / 64; ++k) prefetch_line(std::bit_cast<const void*>(line + k * step));
}

}  // namespace

void Books::look_further(std::span<const Market> records, std::size_t i) {
    const auto each = [&](std::size_t step, auto ask_for) {
        const std::size_t end = std::min(i + (step + 1) * kNear, records.size());
        for (std::size_t k = i + step * kNear; k < end; ++k)
            if (records[k].instrument < books_.size()) ask_for(records[k], ahead_[k % ahead_.size()]);
    };
    each(4, [this](const Market& r, Ahead& ahead) { ask_slot(r, ahead); });
    each(3, [this](const Market& r, Ahead& ahead) { ask_order(r, ahead); });
    each(2, [this](const Market& r, Ahead& ahead) { ask_level(r, ahead); });
    each(1, [this](const Market& r, Ahead& ahead) { ask_neighbour(r, ahead); });
}

void Books::ask_slot(const Market& r, Ahead& ahead) const {
    const Book& book = books_[r.instrument];
    ahead.mark = table_.mark_of(r.order_id, book.venue);
    ahead.block = known_or_first(book.best_block[index_of(Side(2 - (r.flags & kBuy)))]);
    table_.prefetch(ahead.mark);
}

// Of an add the best levels, of the others the order.
void Books::ask_order(const Market& r, Ahead& ahead) const {
    ahead.order = known_or_first(table_.guess(ahead.mark));
    ask_block_or(Type(r.type) == Type::BookAdd, ladders_.block(ahead.block), &slab_[ahead.order]);
}

void Books::ask_level(const Market& r, Ahead& ahead) const {
    const Order& order = slab_[ahead.order];
    const u32 joined = ladders_.guess(ahead.block, ladder::key_of(Side(2 - (r.flags & kBuy)), r.px));
    ahead.level = u32(choose(Type(r.type) == Type::BookAdd, joined, order.level));
    prefetch_line(&rungs_[ahead.level]);
    prefetch_line(&slab_[known_or_first(order.next)]);
    prefetch_line(&slab_[known_or_first(order.prev)]);
}

// Of an add the last order of its level; of the last order of a level the block that loses it.
void Books::ask_neighbour(const Market& r, const Ahead& ahead) const {
    const Rung& rung = rungs_[ahead.level];
    const bool closes = (Type(r.type) != Type::BookAdd) & (rung.orders == 1);
    ask_block_or(closes, ladders_.block(ahead.block), &slab_[known_or_first(rung.tail)]);
}

}  // namespace openbell
