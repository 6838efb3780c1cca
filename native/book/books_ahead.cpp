// Asking for the memory of records to come, in steps that lie kStep records apart: what one step asked for has come
// when the next follows it. A record takes a step of each at its turn, for what the processor can wait for at a time is
// bounded. Without a branch on the type, which would be mispredicted in every step: an add and the others ask
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

// Each of these is taken for every record: nothing of it may be a call.
[[gnu::always_inline]] inline u32 Books::known(const Market& r) const {
    return r.instrument & -u32(r.instrument < books_.size());
}

[[gnu::always_inline]] inline void Books::ask_book(const Market& r) const {
    prefetch_line(&books_[known(r)]);
    prefetch_line(index_.line_of(known(r)));
}

// Of an add the cell of its price too.
[[gnu::always_inline]] inline void Books::ask_slot(const Market& r, Ahead& ahead) const {
    const u32 instrument = known(r);
    const Side side = Side(2 - (r.flags & kBuy));
    ahead.is_add = Type(r.type) == Type::BookAdd;
    ahead.mark = table_.mark_of(r.order_id, books_[instrument].venue);
    ahead.cell = index_.cell_of(LevelIndex::side_at(instrument, side), ladder::key_of(side, r.px));
    const void* slot = table_.line_of(ahead.mark);
    prefetch_line(slot);
    prefetch_line(choose(ahead.is_add, index_.line_at(ahead.cell), slot));
}

// Of an add its level, of the others the order.
[[gnu::always_inline]] inline void Books::ask_order(Ahead& ahead) const {
    ahead.order = known_or_first(table_.guess(ahead.mark));
    ahead.level = index_.guess(ahead.cell & -u32(ahead.is_add));
    prefetch_line(choose(ahead.is_add, &rungs_[ahead.level], &slab_[ahead.order]));
}

// Of an add the last order of its level, of the others the level and the orders beside it.
[[gnu::always_inline]] inline void Books::ask_neighbour(const Ahead& ahead) const {
    const Order& order = slab_[ahead.order];
    prefetch_line(choose(ahead.is_add, &slab_[known_or_first(rungs_[ahead.level].tail)], &rungs_[order.level]));
    prefetch_line(&slab_[known_or_first(order.next)]);
    prefetch_line(&slab_[known_or_first(order.prev)]);
}

void Books::look_further(std::span<const Market> records, std::size_t i) {
    if (i == 0) begin_ahead(records);
    if (i + 4 * kStep >= records.size()) return end_ahead(records, i);
    const Market* next = &records[i];
    ask_book(next[4 * kStep]);
    ask_slot(next[3 * kStep], ahead_[(i + 3 * kStep) % ahead_.size()]);
    ask_order(ahead_[(i + 2 * kStep) % ahead_.size()]);
    ask_neighbour(ahead_[(i + 1 * kStep) % ahead_.size()]);
}

// A step at once for all that are too near to come to it in turn.
void Books::begin_ahead(std::span<const Market> records) {
    if (records.size() < kNear) return;
    for (std::size_t k = 0; k < std::min(3 * kStep, records.size()); ++k) ask_slot(records[k], ahead_[k]);
    for (std::size_t k = 0; k < std::min(2 * kStep, records.size()); ++k) ask_order(ahead_[k]);
    for (std::size_t k = 0; k < std::min(1 * kStep, records.size()); ++k) ask_neighbour(ahead_[k]);
}

// The last ones.
void Books::end_ahead(std::span<const Market> records, std::size_t i) {
    if (const std::size_t k = i + 3 * kStep; k < records.size()) ask_slot(records[k], ahead_[k % ahead_.size()]);
    if (const std::size_t k = i + 2 * kStep; k < records.size()) ask_order(ahead_[k % ahead_.size()]);
    if (const std::size_t k = i + 1 * kStep; k < records.size()) ask_neighbour(ahead_[k % ahead_.size()]);
}

}  // namespace openbell
