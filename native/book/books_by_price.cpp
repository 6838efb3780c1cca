// Books by price behind the verbs of `Books`.
#include "book/books.h"

namespace openbell {

// The first level or quote makes it a book by price. Where levels come, they are the book: a quote beside them is
// another stream of the venue, not in step with them, and changes nothing; quotes that came before the first level are
// forgotten.
BookChange Books::set_by_price(const Market& r) {
    Book& book = books_[r.instrument];
    const ByPrice kind = Type(r.type) == Type::Quote ? ByPrice::Quotes : ByPrice::Levels;
    const Side side = r.flags & kBuy ? Side::Buy : Side::Sell;
    if (kind < book.by_price) return {.resting_side = side};
    if (book.orders > 0)
        return kind == ByPrice::Quotes ? BookChange{.resting_side = side} : refuse(book, BookChange::OtherKind);
    if (r.qty < 0) return refuse(book, BookChange::NegativeQty);
    const bool is_first = kind > book.by_price;
    if (is_first) {
        empty(book);
        book.by_price = kind;
    }
    if (kind == ByPrice::Levels) {
        BookChange change = set_level(book, r);
        change.touched |= is_first && change.fault == BookChange::Ok;
        return change;
    }
    const LevelBooks::Change change = by_price_.set_best(r.instrument, side, r.px, r.qty);
    if (change.fault != LevelBooks::Fault::Ok) return refuse(book, BookChange::Full);
    if (change.touched) show_best(book, r.instrument, side);
    return {.touched = change.touched || is_first, .resting_side = side, .px = r.px, .qty = r.qty};
}

void Books::show_best(Book& book, u32 instrument, Side side) {
    const LevelBooks::Best best = by_price_.best(instrument, side);
    (side == Side::Buy ? book.touch.bid_px : book.touch.ask_px) = best.px;
    (side == Side::Buy ? book.touch.bid_qty : book.touch.ask_qty) = best.qty;
}

std::size_t Books::depth_by_price(u32 instrument, Side side, std::span<Level> out) const {
    std::size_t n = 0;
    if (out.empty()) return n;
    by_price_.walk(instrument, side, [&](i64 px, i64 qty) {
        out[n++] = {px, qty, 0, 0};
        return n < out.size();
    });
    return n;
}

void Books::save_side_by_price(StateWriter& out, u32 instrument, Side side) const {
    out.put(by_price_.levels(instrument, side));
    by_price_.walk(instrument, side, [&](i64 px, i64 qty) {
        out.put(px);
        out.put(qty);
        return true;
    });
}

}  // namespace openbell
