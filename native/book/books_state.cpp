// Snapshot of the books.
//
//     count | per instrument: id u32, venue u16, is_valid u8, by_price u8, touch_check u8, bids, asks | counts of
//     checks u64 side:   levels u32 | per level, best first: px i64, orders u32 | per order, by priority: order_id u64,
//     qty i64 side by price: levels u32 | per level, best first: px i64, qty i64
#include <string>

#include "book/books.h"

namespace openbell {

void Books::save(StateWriter& out) const {
    u32 count = 0;
    for (const Book& book : books_) count += book.is_here;
    out.put(count);
    for (u32 id = 0; id < books_.size(); ++id) {
        const Book& book = books_[id];
        if (!book.is_here) continue;
        out.put(id);
        out.put(book.venue);
        out.put(u8(book.is_valid));
        out.put(book.by_price);
        out.put(book.touch_check);
        save_side(out, book, Side::Buy);
        save_side(out, book, Side::Sell);
    }
    out.put(counts_);
}

void Books::save_side(StateWriter& out, const Book& book, Side side) const {
    if (book.by_price != ByPrice::No) return save_side_by_price(out, u32(&book - books_.data()), side);
    const std::size_t s = LevelIndex::side_at(u32(&book - books_.data()), side);
    u32 levels = 0;
    index_.walk(s, [&](u32) { return ++levels > 0; });
    out.put(levels);
    index_.walk(s, [&](u32 level) {
        const Rung& rung = rungs_[level];
        out.put(rung.px);
        out.put(rung.orders);
        for (u32 order = rung.head; order != kNone; order = slab_[order].next) {
            out.put(slab_[order].order_id);
            out.put(slab_[order].qty);
        }
        return true;
    });
}

void Books::load(StateReader& in) {
    for (Book& book : books_) {
        if (book.is_here) empty(book);
        book = {};
    }
    const u32 count = in.get<u32>();
    for (u32 i = 0; i < count; ++i) {
        const u32 id = in.get<u32>();
        const u16 venue = in.get<u16>();
        const bool is_valid = in.get<u8>() != 0;
        const auto by_price = in.get<ByPrice>();
        const auto touch_check = in.get<Check>();
        if (!add_instrument(id, venue))
            throw Error(ErrorKind::Snapshot, "snapshot of books: expected instrument ids below " +
                                                 std::to_string(books_.size()) + ", found " + std::to_string(id) +
                                                 "; raise instruments_max to at least that of the snapshot");
        books_[id].by_price = by_price;
        books_[id].touch_check = touch_check;
        books_[id].is_doubted = touch_check != Check::None && policies_[touch_check] == CheckPolicy::Halt;
        load_side(in, id, Side::Buy);
        load_side(in, id, Side::Sell);
        set_valid(id, is_valid);
    }
    counts_ = in.get<CheckCounts>();
}

void Books::load_side(StateReader& in, u32 instrument, Side side) {
    const u32 levels = in.get<u32>();
    const ByPrice by_price = books_[instrument].by_price;
    const Type type = by_price == ByPrice::No       ? Type::BookAdd
                      : by_price == ByPrice::Quotes ? Type::Quote
                                                    : Type::BookLevel;
    Market add{.type = u8(type),
               .flags = u8(side == Side::Buy ? kBuy : 0),
               .tracking = 0,
               .instrument = instrument,
               .ts_event = 0,
               .order_id = 0,
               .px = 0,
               .qty = 0,
               .ref = 0};
    for (u32 i = 0; i < levels; ++i) {
        add.px = in.get<i64>();
        for (u32 left = by_price == ByPrice::No ? in.get<u32>() : 1; left > 0; --left) {
            if (by_price == ByPrice::No) add.order_id = in.get<u64>();
            add.qty = in.get<i64>();
            if (const auto fault = apply(add).fault; fault != BookChange::Ok)
                throw Error(ErrorKind::Snapshot, "snapshot of books: expected an order that fits, found order " +
                                                     std::to_string(add.order_id) + " of instrument " +
                                                     std::to_string(instrument) + " refused with fault " +
                                                     std::to_string(int(fault)) + "; check orders_max and levels_max");
        }
    }
}

}  // namespace openbell
