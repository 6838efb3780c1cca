#include "book/books.h"

#include <algorithm>

namespace openbell {

using ladder::key_of;

namespace {

u32 levels_for(u32 orders_max, u32 levels_max) {
    constexpr u32 kLevelsMin = 65'536;
    return levels_max ? levels_max : std::max(orders_max / 2, std::min(orders_max, kLevelsMin));
}

static_assert(kBuy == 1 && u8(Side::Buy) == 1 && u8(Side::Sell) == 2);
Side side_of(const Market& record) { return Side(2 - (record.flags & kBuy)); }

constexpr i64 Touch::* kTouchPx[] = {&Touch::bid_px, &Touch::ask_px};
constexpr i64 Touch::* kTouchQty[] = {&Touch::bid_qty, &Touch::ask_qty};

}  // namespace

Books::Books(u32 instruments_max, u32 orders_max, u32 levels_max)
    : orders_max_(orders_max),
      levels_max_(levels_for(orders_max, levels_max)),
      books_(instruments_max),
      slab_(orders_max),
      rungs_(levels_max_),
      table_(orders_max),
      index_(instruments_max, levels_max_),
      by_price_(instruments_max, levels_max_) {}

bool Books::add_instrument(u32 instrument, u16 venue) {
    if (instrument >= books_.size()) return false;
    Book& book = books_[instrument];
    if (!book.is_here) {
        book.is_here = book.is_valid = true;
        book.venue = venue;
    }
    return true;
}

void Books::set_valid(u32 instrument, bool is_valid) {
    if (has(instrument)) books_[instrument].is_valid = is_valid;
}

bool Books::is_crossed(u32 instrument) const {
    const Touch& t = touch(instrument);
    return t.bid_qty > 0 && t.ask_qty > 0 && t.bid_px >= t.ask_px;
}

// ---- records -------------------------------------------------------------------------------------

BookChange Books::apply(const Market& r) {
    const Type type = Type(r.type);
    if (type < Type::BookAdd || type > Type::Quote) return {};
    if (!has(r.instrument)) return {.fault = BookChange::NoInstrument};
    Book& book = books_[r.instrument];
    // A chain of questions, the likely ones first: a jump by type is mispredicted more often.
    if (type == Type::BookAdd) return add(book, r);
    if (type == Type::BookCancel || type == Type::BookExecute) return reduce(book, r);
    if (type == Type::BookLevel && book.by_price == ByPrice::Levels) return set_level(book, r);
    if (type == Type::BookModify) return modify(book, r);
    return type == Type::BookClear ? clear(book, r) : set_by_price(r);
}

void Books::prefetch(const Market& r) const {
    if (r.type < u8(Type::BookClear) && has(r.instrument))
        prefetch_line(table_.line_of(table_.mark_of(r.order_id, books_[r.instrument].venue)));
}

BookChange Books::set_level(Book& book, const Market& r) {
    const Side side = side_of(r);
    const LevelBooks::Change change = by_price_.set(r.instrument, side, r.px, r.qty);
    if (change.fault != LevelBooks::Fault::Ok)
        return refuse(book, r.qty < 0 ? BookChange::NegativeQty : BookChange::Full);
    if (change.touched) show_best(book, r.instrument, side);
    return {.touched = change.touched, .resting_side = side, .px = r.px, .qty = r.qty};
}

BookChange Books::refuse(Book& book, BookChange::Fault fault) {
    const Check check{fault};
    ++counts_[fault];
    if (policies_[check] == CheckPolicy::Halt) book.is_valid = false;
    return {.fault = fault};
}

Check Books::check_touch(u32 instrument, bool is_continuous) {
    if (!has(instrument)) return Check::None;
    Book& book = books_[instrument];
    const Touch& t = book.touch;
    const bool has_both = t.bid_qty > 0 && t.ask_qty > 0;
    const Check now = !is_continuous || !has_both || t.bid_px < t.ask_px ? Check::None
                      : t.bid_px > t.ask_px                              ? Check::Crossed
                                                                         : Check::Locked;
    if (now == book.touch_check) return Check::None;
    book.touch_check = now;
    book.is_doubted = now != Check::None && policies_[now] == CheckPolicy::Halt;
    if (now != Check::None) ++counts_[std::size_t(now)];
    return now;
}

BookChange Books::add(Book& book, const Market& r) {
    const u32 mark = table_.mark_of(r.order_id, book.venue);
    const u32 slot = slot_of(mark, r.instrument, r.order_id);
    if (r.qty <= 0) return refuse(book, BookChange::NegativeQty);
    if (book.by_price != ByPrice::No) return refuse(book, BookChange::OtherKind);
    if (table_.order_at(slot) != kNone) return refuse(book, BookChange::DuplicateOrder);
    const Side side = side_of(r);
    const u32 level = index_.find(LevelIndex::side_at(r.instrument, side), key_of(side, r.px));
    if (is_full() || !has_room(level, r.qty, nullptr)) return refuse(book, BookChange::Full);

    const u32 order = free_order_ == kNone ? used_orders_++ : free_order_;
    if (order == free_order_) free_order_ = slab_[order].next;
    table_.insert(slot, mark, order);
    slab_[order] = {r.order_id, r.qty, kNone, kNone, kNone, r.instrument};
    const Rung& rung = join(book, side, r.px, level, order);
    return {.touched = touch_grew(book, rung), .resting_side = side, .handle = order, .px = r.px, .qty = r.qty};
}

BookChange Books::reduce(Book& book, const Market& r) {
    const u32 slot = slot_of(table_.mark_of(r.order_id, book.venue), r.instrument, r.order_id);
    const u32 order = table_.order_at(slot);
    if (order == kNone || slab_[order].instrument != r.instrument) return refuse(book, BookChange::UnknownOrder);
    Order& resting = slab_[order];
    const bool is_execution = Type(r.type) == Type::BookExecute;
    const bool is_whole = !is_execution & ((r.flags & kWhole) != 0);
    const i64 qty = r.qty ^ ((r.qty ^ resting.qty) & -i64(is_whole));  // either, without a branch
    if (qty <= 0) return refuse(book, BookChange::NegativeQty);
    if (qty > resting.qty) return refuse(book, BookChange::OverExecuted);

    Rung& rung = rungs_[resting.level];
    const bool is_elsewhere = is_execution && !(r.flags & kAtOrderPx);
    BookChange change{.resting_side = rung.side, .handle = order, .px = is_elsewhere ? r.px : rung.px, .qty = qty};
    if (qty < resting.qty) {
        resting.qty -= qty;
        rung.qty -= qty;
    } else {
        leave(book, order);
        free_order(slot, order);
    }
    change.touched = touch_shrank(book, rung);
    return change;
}

// The order gets a new reference, price, quantity and the last place of its new level.
BookChange Books::modify(Book& book, const Market& r) {
    const u32 slot = slot_of(table_.mark_of(r.order_id, book.venue), r.instrument, r.order_id);
    const u32 order = table_.order_at(slot);
    if (order == kNone || slab_[order].instrument != r.instrument) return refuse(book, BookChange::UnknownOrder);
    if (r.qty <= 0) return refuse(book, BookChange::NegativeQty);
    const u32 new_mark = table_.mark_of(r.ref, book.venue);
    if (r.ref != r.order_id && table_.order_at(slot_of(new_mark, r.instrument, r.ref)) != kNone)
        return refuse(book, BookChange::DuplicateOrder);
    Order& resting = slab_[order];
    const Side side = rungs_[resting.level].side;
    const i64 old_px = rungs_[resting.level].px;
    const i64 old_qty = resting.qty;
    const std::size_t s = LevelIndex::side_at(r.instrument, side);
    if (!has_room(index_.find(s, key_of(side, r.px)), r.qty, &resting)) return refuse(book, BookChange::Full);

    const Touch before = book.touch;
    touch_shrank(book, leave(book, order));
    table_.erase(slot);
    table_.insert(slot_of(new_mark, r.instrument, r.ref), new_mark, order);
    resting = {r.ref, r.qty, kNone, kNone, kNone, r.instrument};
    touch_grew(book, join(book, side, r.px, index_.find(s, key_of(side, r.px)), order));
    return {.touched = !(before == book.touch), .resting_side = side, .handle = order, .px = old_px, .qty = old_qty};
}

BookChange Books::clear(Book& book, const Market&) {
    const bool is_touched = book.touch.bid_qty > 0 || book.touch.ask_qty > 0;
    empty(book);
    return {.touched = is_touched};
}

// ---- orders and levels ---------------------------------------------------------------------------

u32 Books::slot_of(u32 mark, u32 instrument, u64 order_id) const {
    return table_.find(mark, [&](u32 order) {
        const Order& o = slab_[order];
        return o.order_id == order_id &&
               (o.instrument == instrument || books_[o.instrument].venue == books_[instrument].venue);
    });
}

// May an order of `qty` come to `level`, kNone: a new one, when `leaving` has left before?
bool Books::has_room(u32 level, i64 qty, const Order* leaving) const {
    if (level == kNone)
        return free_rung_ != kNone || used_rungs_ < levels_max_ || (leaving && rungs_[leaving->level].orders == 1);
    const i64 there = rungs_[level].qty - (leaving && leaving->level == level ? leaving->qty : 0);
    i64 sum;
    return !__builtin_add_overflow(there, qty, &sum);
}

Books::Rung& Books::join(Book& book, Side side, i64 px, u32 level, u32 order) {
    Order& o = slab_[order];
    if (level == kNone) level = open_rung(o.instrument, side, px);
    Rung& rung = rungs_[level];
    o.level = level;
    o.prev = rung.tail;
    *(rung.tail == kNone ? &rung.head : &slab_[rung.tail].next) = order;
    rung.tail = order;
    rung.qty += o.qty;
    ++rung.orders;
    ++book.orders;
    ++live_orders_;
    return rung;
}

Books::Rung& Books::leave(Book& book, u32 order) {
    const Order& o = slab_[order];
    Rung& rung = rungs_[o.level];
    // Pointers instead of branches: whether an order stands first or last is anybody's guess.
    u32* const before = o.prev == kNone ? &rung.head : &slab_[o.prev].next;
    u32* const after = o.next == kNone ? &rung.tail : &slab_[o.next].prev;
    *before = o.next;
    *after = o.prev;
    rung.qty -= o.qty;
    --book.orders;
    --live_orders_;
    if (--rung.orders == 0) close_rung(o.instrument, o.level);
    return rung;
}

void Books::free_order(u32 slot, u32 order) {
    table_.erase(slot);
    slab_[order].next = free_order_;
    free_order_ = order;
}

u32 Books::open_rung(u32 instrument, Side side, i64 px) {
    const u32 level = free_rung_ == kNone ? used_rungs_++ : free_rung_;
    if (level == free_rung_) free_rung_ = rungs_[level].head;
    rungs_[level] = {px, 0, 0, kNone, kNone, side};
    index_.insert(LevelIndex::side_at(instrument, side), key_of(side, px), level);
    return level;
}

void Books::close_rung(u32 instrument, u32 level) {
    Rung& rung = rungs_[level];
    index_.erase(LevelIndex::side_at(instrument, rung.side), key_of(rung.side, rung.px));
    rung.head = free_rung_;
    free_rung_ = level;
}

// After an order joined `rung`: takes it over if it is the best now; true if the touch is another one.
bool Books::touch_grew(Book& book, const Rung& rung) {
    const u32 side = index_of(rung.side);
    i64& best_px = book.touch.*kTouchPx[side];
    i64& best_qty = book.touch.*kTouchQty[side];
    const bool is_best = (best_qty == 0) | (key_of(rung.side, rung.px) >= key_of(rung.side, best_px));
    if (!is_best) return false;
    best_px = rung.px;
    best_qty = rung.qty;
    return true;
}

// After `rung` lost quantity, perhaps all of it.
bool Books::touch_shrank(Book& book, const Rung& rung) {
    const u32 side = index_of(rung.side);
    i64& best_px = book.touch.*kTouchPx[side];
    i64& best_qty = book.touch.*kTouchQty[side];
    if (rung.px != best_px) return false;
    best_qty = rung.qty;
    if (rung.qty != 0) return true;
    const std::size_t s = LevelIndex::side_at(u32(&book - books_.data()), rung.side);
    best_px = 0;
    if (!index_.is_empty(s)) {
        const Rung& best = rungs_[index_.best(s)];
        best_px = best.px;
        best_qty = best.qty;
    }
    return true;
}

void Books::empty(Book& book) {
    const u32 instrument = u32(&book - books_.data());
    by_price_.clear(instrument);
    for (const Side side : {Side::Buy, Side::Sell}) {
        const std::size_t s = LevelIndex::side_at(instrument, side);
        index_.walk(s, [&](u32 level) {
            for (u32 order = rungs_[level].head; order != kNone;) {
                const Order& o = slab_[order];
                const u32 next = o.next;
                free_order(slot_of(table_.mark_of(o.order_id, book.venue), instrument, o.order_id), order);
                order = next;
            }
            rungs_[level].head = free_rung_;
            free_rung_ = level;
            return true;
        });
        index_.clear(s);
    }
    book.touch = {};
    live_orders_ -= book.orders;
    book.orders = 0;
}

// ---- views ---------------------------------------------------------------------------------------

std::size_t Books::depth(u32 instrument, Side side, std::span<Level> out) const {
    if (!has(instrument)) return 0;
    if (books_[instrument].by_price != ByPrice::No) return depth_by_price(instrument, side, out);
    std::size_t n = 0;
    if (out.empty()) return n;
    index_.walk(LevelIndex::side_at(instrument, side), [&](u32 level) {
        const Rung& rung = rungs_[level];
        out[n++] = {rung.px, rung.qty, rung.orders, 0};
        return n < out.size();
    });
    return n;
}

u32 Books::find(u32 instrument, u64 order_id) const {
    if (!has(instrument)) return kNone;
    const u32 mark = table_.mark_of(order_id, books_[instrument].venue);
    const u32 order = table_.order_at(slot_of(mark, instrument, order_id));
    return order != kNone && slab_[order].instrument == instrument ? order : kNone;
}

RestingOrder Books::at(u32 handle) const {
    const Order& o = slab_[handle];
    return {o.order_id, rungs_[o.level].px, o.qty, handle, rungs_[o.level].side};
}

u32 Books::front(u32 instrument, Side side, i64 px) const {
    if (!has(instrument)) return kNone;
    const u32 level = index_.find(LevelIndex::side_at(instrument, side), key_of(side, px));
    return level == kNone ? kNone : rungs_[level].head;
}

}  // namespace openbell
