// The order books of all instruments of a node: by order (L3), and from it by price (L2) and the touch (L1).
//
// A venue that tells levels or quotes instead of orders has a book by price (level_books.h) behind the same verbs.
// Which one an instrument has is told by its first record; one of the other kind is a fault.
//
// Memory is taken once: 48 bytes an order (32 in the slab, 16 in the table), 66 bytes a level, 672 an
// instrument, 16.7 kB more once it has a book by price. Orders of a level are a FIFO list through the slab; a price
// finds its level through level_index.h.
//
// Every record is checked before anything moves. One that contradicts the book is a fault: it is counted, it changes
// nothing but makes the instrument's book invalid, until whoever recovers it says otherwise.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "big_array.h"
#include "book/level_books.h"
#include "book/level_index.h"
#include "book/order_table.h"
#include "checks.h"
#include "records.h"
#include "state.h"

namespace openbell {

// The best of both sides; qty 0 = that side is empty, px 0 then.
struct Touch {
    i64 bid_px;
    i64 bid_qty;
    i64 ask_px;
    i64 ask_qty;
    bool operator==(const Touch&) const = default;
};

struct Level {
    i64 px;
    i64 qty;     // sum over its orders
    u32 orders;  // 0: the venue tells levels only
    u32 pad;
};
static_assert(sizeof(Level) == 24);

// What one record did.
struct BookChange {
    enum Fault : u8 {
        Ok,
        UnknownOrder,    // these are numbers of Check; no such order, or it belongs to another instrument
        DuplicateOrder,  // the reference is in use
        NegativeQty,     // a quantity of zero or less
        OverExecuted,    // more than the order holds
        Full,            // orders_max, levels_max, or a level whose sum would leave int64
        NoInstrument,    // not added here: the one fault that invalidates nothing
        OtherKind,       // a level in a book by order, or an order in a book by price
    } fault = Ok;
    bool touched = false;           // px or qty of a best changed
    Side resting_side = Side::Buy;  // of the order concerned
    u8 pad = 0;
    u32 handle = 0;  // of that order; of one that left, the handle it had
    i64 px = 0;      // where: the order's price before the record; of an execution, its own price
    i64 qty = 0;     // how much joined (BookAdd), left (BookCancel, BookModify) or traded (BookExecute)
};
static_assert(sizeof(BookChange) == 24);

// An order as the book displays it. `handle` finds it again, until it leaves.
struct RestingOrder {
    u64 order_id;
    i64 px;
    i64 qty;
    u32 handle;
    Side side;
};

class Books {
  public:
    // `levels_max` 0 means half of `orders_max`, but not less than 65 536 or `orders_max` itself.
    Books(u32 instruments_max, u32 orders_max, u32 levels_max = 0);

    // False if the id is `instruments_max` or above. Order references are unique within a venue.
    bool add_instrument(u32 instrument, u16 venue = 0);
    bool has(u32 instrument) const { return instrument < books_.size() && books_[instrument].is_here; }

    BookChange apply(const Market& record);
    // Asks for the memory of a record that will be applied soon.
    void prefetch(const Market& record) const;
    // The same for the records to come after the i-th, called before each is applied.
    void look_ahead(std::span<const Market> records, std::size_t i) {
        if (i + kStream < records.size()) __builtin_prefetch(&records[i + kStream]);
        if (live_orders_ < kLiveInCache) {
            if (i + kNear < records.size()) prefetch(records[i + kNear]);
        } else {
            look_further(records, i);
        }
    }

    const Touch& touch(u32 instrument) const { return has(instrument) ? books_[instrument].touch : kNoTouch; }
    // Best first; returns how many were written.
    std::size_t depth(u32 instrument, Side side, std::span<Level> out) const;
    // False also while the touch is doubted, see `check_touch`.
    bool is_valid(u32 instrument) const {
        return has(instrument) && books_[instrument].is_valid && !books_[instrument].is_doubted;
    }
    void set_valid(u32 instrument, bool is_valid);
    bool is_crossed(u32 instrument) const;  // or locked
    // Once the records of a moment are in: Crossed or Locked when the touch has become so, else None. By the policy
    // Halt the book is not valid as long as that lasts. Only in continuous trading: around an auction orders may cross.
    Check check_touch(u32 instrument, bool is_continuous);
    void set_policies(const CheckPolicies& policies) { policies_ = policies; }
    const CheckPolicies& policies() const { return policies_; }
    const CheckCounts& counts() const { return counts_; }
    u32 orders(u32 instrument) const { return has(instrument) ? books_[instrument].orders : 0; }

    // The queue, for whoever keeps a place in it. Handles are below `orders_max`.
    static constexpr u32 kNone = book::kNone;
    u32 find(u32 instrument, u64 order_id) const;  // handle or kNone
    RestingOrder at(u32 handle) const;
    u32 front(u32 instrument, Side side, i64 px) const;          // first order of the level, kNone: no level
    u32 behind(u32 handle) const { return slab_[handle].next; }  // next in its level
    // Visits the orders of a side, best level first and by priority, until `visit(RestingOrder)` is false.
    template <class Visit>
    void walk(u32 instrument, Side side, Visit visit) const {
        if (!has(instrument)) return;
        index_.walk(LevelIndex::side_at(instrument, side), [&](u32 level) {
            const Rung& rung = rungs_[level];
            for (u32 at = rung.head; at != kNone; at = slab_[at].next)
                if (!visit(RestingOrder{slab_[at].order_id, rung.px, slab_[at].qty, at, side})) return false;
            return true;
        });
    }

    // Canonical: instruments by id, levels best first, orders by priority.
    void save(StateWriter& out) const;
    void load(StateReader& in);

  private:
    struct Order {
        u64 order_id;
        i64 qty;
        u32 next;  // behind it in the level, or the next free one
        u32 prev;
        u32 level;
        u32 instrument;
    };
    static_assert(sizeof(Order) == 32);
    struct Rung {  // a level in the slab
        i64 px;
        i64 qty;
        u32 orders;
        u32 head;  // first in priority; or the next free rung
        u32 tail;
        Side side;
    };
    static_assert(sizeof(Rung) == 32);
    enum class ByPrice : u8 { No, Quotes, Levels };
    struct alignas(64) Book {
        Touch touch{};
        u32 orders = 0;
        u16 venue = 0;
        bool is_here = false;
        bool is_valid = false;
        ByPrice by_price = ByPrice::No;
        Check touch_check = Check::None;
        bool is_doubted = false;
        u8 pad[21] = {};
    };
    static_assert(sizeof(Book) == 64);
    static constexpr Touch kNoTouch{};

    static u32 index_of(Side side) { return u32(side) - u32(Side::Buy); }

    BookChange add(Book& book, const Market& r);
    BookChange modify(Book& book, const Market& r);
    BookChange reduce(Book& book, const Market& r);
    BookChange clear(Book& book, const Market& r);
    BookChange set_level(Book& book, const Market& r);
    BookChange set_by_price(const Market& r);  // books_by_price.cpp, as what follows
    void show_best(Book& book, u32 instrument, Side side);
    std::size_t depth_by_price(u32 instrument, Side side, std::span<Level> out) const;
    void save_side_by_price(StateWriter& out, u32 instrument, Side side) const;
    // Measured: `kNear` records hide one miss and stay in the cache. With more orders than the cache holds, what an
    // order leads to is asked for in steps, each when the step before has come (books_ahead.cpp).
    static constexpr std::size_t kNear = 4;
    static constexpr std::size_t kStep = 8;
    static constexpr u32 kLiveInCache = 1 << 14;
    // The records themselves: the processor's own prefetch stops at each page, which is 85 of them.
    static constexpr std::size_t kStream = 64;
    // What a record to come leads to, as far as it was seen. Always indices that exist; perhaps no longer the right
    // ones: they are only where memory is asked for.
    struct Ahead {
        u32 mark = 0;
        u32 cell = 0;
        u32 order = 0;
        u32 level = 0;
        bool is_add = false;
    };
    void look_further(std::span<const Market> records, std::size_t i);
    void begin_ahead(std::span<const Market> records);
    void end_ahead(std::span<const Market> records, std::size_t i);
    u32 known(const Market& r) const;
    void ask_book(const Market& r) const;
    void ask_slot(const Market& r, Ahead& ahead) const;
    void ask_order(Ahead& ahead) const;
    void ask_neighbour(const Ahead& ahead) const;

    BookChange refuse(Book& book, BookChange::Fault fault);

    bool is_full() const { return free_order_ == kNone && used_orders_ == orders_max_; }
    u32 slot_of(u32 mark, u32 instrument, u64 order_id) const;
    bool has_room(u32 level, i64 qty, const Order* leaving) const;
    Rung& join(Book& book, Side side, i64 px, u32 level, u32 order);
    Rung& leave(Book& book, u32 order);
    void free_order(u32 slot, u32 order);
    u32 open_rung(u32 instrument, Side side, i64 px);
    void close_rung(u32 instrument, u32 level);
    static bool touch_grew(Book& book, const Rung& rung);
    bool touch_shrank(Book& book, const Rung& rung);
    void empty(Book& book);
    void save_side(StateWriter& out, const Book& book, Side side) const;
    void load_side(StateReader& in, u32 instrument, Side side);

    u32 orders_max_;
    u32 levels_max_;
    std::vector<Book> books_;
    BigArray<Order> slab_;
    BigArray<Rung> rungs_;
    book::OrderTable table_;
    LevelIndex index_;
    LevelBooks by_price_;
    u32 free_order_ = kNone;  // those that were used once; beyond `used_orders_` none was
    u32 used_orders_ = 0;
    u32 free_rung_ = kNone;
    u32 used_rungs_ = 0;
    u32 live_orders_ = 0;
    std::array<Ahead, 4 * kStep> ahead_{};
    CheckPolicies policies_;
    CheckCounts counts_{};
};

}  // namespace openbell
