// The floor under the books: the same order flow applied by a bare kernel that checks nothing.
#include <nanobind/nanobind.h>

#include <algorithm>
#include <span>
#include <vector>

#include "big_array.h"
#include "bindings/record_buffer.h"

namespace nb = nanobind;

namespace openbell {
namespace {

constexpr std::size_t kStream = 64;

// References index an array and ticks index another, of each instrument its own; nothing may ever be wrong.
class BareBook {
  public:
    BareBook(std::size_t orders, i64 px_min, i64 px_max, i64 tick, u32 instruments)
        : ticks_(std::size_t((px_max - px_min) / tick) + 1),
          count_(instruments),
          orders_(orders + 1),
          levels_(ticks_ * instruments),
          best_(instruments),
          px_min_(px_min),
          tick_(tick) {
        clear();
    }

    void clear() {
        std::fill(&levels_[0], &levels_[0] + ticks_ * count_, Level{0, 0, 0});
        std::fill(best_.begin(), best_.end(), Best{-1, i64(ticks_)});
    }

    void apply(const Market& r) {
        Order& order = orders_[r.order_id];
        if (r.type == u8(Type::BookAdd)) {
            order = {r.qty, level_of(r), 0, 0, u32(r.flags & kBuy)};
            join(r.instrument, u32(r.order_id), order);
            return;
        }
        Level& level = levels_[order.level];
        const i64 qty = r.flags & kWhole ? order.qty : r.qty;
        order.qty -= qty;
        level.qty -= qty;
        if (order.qty == 0) leave(r.instrument, order, level);
    }
    // With many instruments the memory of records to come is asked for, in two steps, as the books do.
    void look_ahead(std::span<const Market> records, std::size_t i) {
        if (i + kStream < records.size()) __builtin_prefetch(&records[i + kStream]);
        if (count_ == 1 || i + 3 * kStep >= records.size()) return;
        const Market& first = records[i + 2 * kStep];
        prefetch_line(first.type == u8(Type::BookAdd) ? static_cast<void*>(&levels_[level_of(first)])
                                                      : &orders_[first.order_id]);
        const Market& then = records[i + kStep];
        if (then.type == u8(Type::BookAdd)) return prefetch_line(&orders_[levels_[level_of(then)].tail]);
        const Order& order = orders_[then.order_id];
        prefetch_line(&levels_[order.level]);
        prefetch_line(&orders_[order.next]);
        prefetch_line(&orders_[order.prev]);
    }
    i64 best(u32 instrument, int side) const { return best_[instrument].of[side]; }

  private:
    static constexpr std::size_t kStep = 8;
    struct Order {
        i64 qty;
        u32 level, next, prev, is_buy;
    };
    struct Level {
        i64 qty;
        u32 head, tail;  // 0: none
    };
    struct Best {
        i64 of[2];
    };

    u32 level_of(const Market& r) const { return u32(r.instrument * ticks_ + u64(r.px - px_min_) / u64(tick_)); }
    void join(u32 instrument, u32 id, Order& order) {
        Level& level = levels_[order.level];
        order.prev = level.tail;
        (level.tail ? orders_[level.tail].next : level.head) = id;
        level.tail = id;
        level.qty += order.qty;
        i64& best = best_[instrument].of[!order.is_buy];
        const i64 at = i64(order.level - instrument * ticks_);
        best = order.is_buy ? std::max(best, at) : std::min(best, at);
    }
    void leave(u32 instrument, const Order& order, Level& level) {
        (order.prev ? orders_[order.prev].next : level.head) = order.next;
        (order.next ? orders_[order.next].prev : level.tail) = order.prev;
        i64& best = best_[instrument].of[!order.is_buy];
        const i64 step = order.is_buy ? -1 : 1;
        const Level* levels = &levels_[instrument * ticks_];
        while (best >= 0 && best < i64(ticks_) && levels[best].qty == 0) best += step;
    }

    std::size_t ticks_;
    u32 count_;
    BigArray<Order> orders_;
    BigArray<Level> levels_;
    std::vector<Best> best_;
    i64 px_min_, tick_;
};

}  // namespace

void bind_book_bench(nb::module_& m) {
    nb::class_<BareBook>(m, "BareBook", "The floor of bench/book.py: a book by order that checks nothing.")
        .def(nb::init<std::size_t, i64, i64, i64, u32>(), nb::arg("orders"), nb::arg("px_min"), nb::arg("px_max"),
             nb::arg("tick"), nb::arg("instruments") = 1)
        .def("clear", &BareBook::clear)
        .def(
            "apply",
            [](BareBook& book, const nb::object& records) {
                const RecordBuffer<Market> in(records);
                nb::gil_scoped_release unlocked;
                for (std::size_t i = 0; i < in.records().size(); ++i) {
                    book.look_ahead(in.records(), i);
                    book.apply(in.records()[i]);
                }
            },
            nb::arg("records"))
        .def(
            "best",
            [](const BareBook& book, u32 instrument) {
                return nb::make_tuple(book.best(instrument, 0), book.best(instrument, 1));
            },
            nb::arg("instrument") = 0, "The best ticks of both sides, so that nobody drops the work.");
}

}  // namespace openbell
