// Snapshots of the engine and their hash.
//
// The slots of the slab are part of the state: references name them, and the order in which they are free decides what
// the next reference will be.
#include <algorithm>

#include "exchange/matching/engine.h"

namespace openbell::exchange {
namespace {

// An order after its reference; its links follow from where it stands.
struct SavedOrder {
    u64 tag;
    i64 px;
    i64 leaves;
    u64 joined;
    u32 account;
    Side side;
    Tif tif;
    Where where;
    u8 traits;
};
static_assert(sizeof(SavedOrder) == 40);

constexpr u8 kHasParticulars = kSpecial | kRenamed;

void require(bool holds, const std::string& expected, u64 found) {
    if (!holds)
        throw Error(ErrorKind::Snapshot, "snapshot of the matching engine: expected " + expected + ", found " +
                                             std::to_string(found) + "; load it with the configuration it was made of");
}

}  // namespace

void MatchingEngine::save(StateWriter& out) const {
    out.put(u32(books_.size()));
    out.put(orders_.capacity());
    out.put(serial_);
    out.put(joins_);
    out.put(match_number_);
    out.put(orders_.used());
    for (u32 slot = orders_.first_free(); slot != 0; slot = orders_[slot].next) out.put(slot);
    out.put(u32(0));
    for (const Book& book : books_) save_book(out, book);
}

void MatchingEngine::save_book(StateWriter& out, const Book& book) const {
    out.put(book.phase);
    out.put(u8(book.closing_is_over));
    out.put(u8(book.owes_auction));
    const Outside& outer = outside(book);
    for (i64 value :
         {book.last_px, book.open_qty, outer.band_lo, outer.band_hi, outer.evaluated.bid, outer.evaluated.ask})
        out.put(value);
    const auto save_queue = [&](const Queue& queue, u32 top) {
        for (u32 slot = queue.head; slot != 0; slot = orders_[slot].next) save_order(out, orders_[slot], slot == top);
    };
    for (const auto* sides : {book.sides, outer.stops})
        for (const BookSide& side : {sides[0], sides[1]})
            levels_.for_each(side, [&](const Level& level) {
                save_queue(level.displayed, level.top);
                save_queue(level.hidden, 0);
            });
    save_queue(outer.waiting, 0);
    for (u64 ref : outer.pegs)
        if (const OpenOrder& order = orders_[slot_of(ref)]; order.where == Where::Parked) save_order(out, order, false);
    out.put(u64(0));
}

void MatchingEngine::save_order(StateWriter& out, const OpenOrder& order, bool is_top) const {
    out.put(order.ref);
    out.put(SavedOrder{order.tag, order.px, order.leaves, order.joined, order.account, order.side, order.tif,
                       order.where, order.traits});
    out.put(u8(is_top));
    if (order.has(kHasParticulars)) out.put(particulars_of(order));
}

void MatchingEngine::load(StateReader& in) {
    const u32 books = in.get<u32>(), capacity = in.get<u32>();
    require(books == books_.size(), std::to_string(books_.size()) + " instruments", books);
    require(capacity == orders_.capacity(), std::to_string(orders_.capacity()) + " orders_max", capacity);
    require(orders_.used() == 0, "an engine that has taken no order", orders_.used());
    serial_ = in.get<u64>();
    joins_ = in.get<u64>();
    match_number_ = in.get<u64>();
    const u32 used = in.get<u32>();
    require(used <= capacity, "at most orders_max slots", used);
    for (u32 slot = 1; slot <= used; ++slot) orders_[slot].ref = 0;
    u32 free = 0, last = 0;
    while (const u32 slot = in.get<u32>()) {
        require(slot <= used, "a free slot up to " + std::to_string(used), slot);
        (last ? orders_[last].next : free) = slot;
        orders_[slot].next = 0;
        last = slot;
    }
    orders_.reset(used, free);
    for (Book& book : books_) load_book(in, book);
    audit();
}

void MatchingEngine::load_book(StateReader& in, Book& book) {
    book.phase = in.get<Phase>();
    book.closing_is_over = in.get<u8>() != 0;
    book.owes_auction = in.get<u8>() != 0;
    Outside& outer = outside(book);
    for (i64* value :
         {&book.last_px, &book.open_qty, &outer.band_lo, &outer.band_hi, &outer.evaluated.bid, &outer.evaluated.ask})
        *value = in.get<i64>();
    book.has_bands = outer.band_lo != 0 || outer.band_hi != kNoCeiling;
    while (const u64 ref = in.get<u64>()) load_order(in, book, ref);
    std::sort(outer.pegs.begin(), outer.pegs.end());
    book.has_pegs = !outer.pegs.empty();
}

void MatchingEngine::load_order(StateReader& in, Book& book, u64 ref) {
    const u32 slot = slot_of(ref);
    require(slot != 0 && slot <= orders_.used() && orders_[slot].ref == 0, "an order in a slot of its own", ref);
    const SavedOrder saved = in.get<SavedOrder>();
    const bool is_top = in.get<u8>() != 0;
    OpenOrder& order = orders_[slot];
    order = {.ref = ref,
             .px = saved.px,
             .tag = saved.tag,
             .leaves = saved.leaves,
             .joined = saved.joined,
             .account = saved.account,
             .level = 0,
             .prev = 0,
             .next = 0,
             .instrument = u16(book.instrument),
             .side = saved.side,
             .tif = saved.tif,
             .where = saved.where,
             .traits = saved.traits,
             .pad = 0};
    if (order.has(kHasParticulars)) particulars_[slot] = in.get<Particulars>();
    count_in(order.account);
    if (order.has(kPegged)) outside(book).pegs.push_back(ref);
    switch (order.where) {
        case Where::Book: append(book, order); break;
        case Where::Stop: append_stop(book, order); break;
        case Where::Waiting: push_back(orders_, outside(book).waiting, slot); break;
        case Where::Parked: break;
        case Where::Elected:
        case Where::Nowhere: require(false, "an order that stands somewhere", ref);
    }
    if (is_top) levels_[order.level].top = slot;
}

u64 MatchingEngine::state_hash() const {
    StateWriter out;
    save(out);
    return hash_bytes(out.bytes(), 0);
}

}  // namespace openbell::exchange
