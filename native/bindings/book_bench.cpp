// The floor under the books: the same order flow applied by a bare kernel that checks nothing.
#include <nanobind/nanobind.h>

#include <algorithm>
#include <vector>

#include "bindings/record_buffer.h"

namespace nb = nanobind;

namespace openbell {
namespace {

constexpr std::size_t kStream = 64;

// One instrument, whose references index an array and whose ticks index another; nothing may ever be wrong.
class BareBook {
  public:
    BareBook(std::size_t orders, i64 px_min, i64 px_max, i64 tick)
        : orders_(orders + 1), levels_(std::size_t((px_max - px_min) / tick) + 1), px_min_(px_min), tick_(tick) {}

    void clear() {
        std::fill(levels_.begin(), levels_.end(), Level{});
        best_[0] = -1;
        best_[1] = i64(levels_.size());
    }

    void apply(const Market& r) {
        Order& order = orders_[r.order_id];
        if (r.type == u8(Type::BookAdd)) {
            order = {r.qty, u32((r.px - px_min_) / tick_), 0, 0, u32(r.flags & kBuy)};
            join(u32(r.order_id), order);
            return;
        }
        Level& level = levels_[order.level];
        const i64 qty = r.flags & kWhole ? order.qty : r.qty;
        order.qty -= qty;
        level.qty -= qty;
        if (order.qty == 0) leave(order, level);
    }
    i64 best(int side) const { return best_[side]; }

  private:
    struct Order {
        i64 qty;
        u32 level, next, prev, is_buy;
    };
    struct Level {
        i64 qty = 0;
        u32 head = 0, tail = 0;  // 0: none
    };

    void join(u32 id, Order& order) {
        Level& level = levels_[order.level];
        order.prev = level.tail;
        (level.tail ? orders_[level.tail].next : level.head) = id;
        level.tail = id;
        level.qty += order.qty;
        i64& best = best_[!order.is_buy];
        best = order.is_buy ? std::max(best, i64(order.level)) : std::min(best, i64(order.level));
    }
    void leave(const Order& order, Level& level) {
        (order.prev ? orders_[order.prev].next : level.head) = order.next;
        (order.next ? orders_[order.next].prev : level.tail) = order.prev;
        i64& best = best_[!order.is_buy];
        const i64 step = order.is_buy ? -1 : 1;
        while (best >= 0 && best < i64(levels_.size()) && levels_[std::size_t(best)].qty == 0) best += step;
    }

    std::vector<Order> orders_;
    std::vector<Level> levels_;
    i64 px_min_, tick_;
    i64 best_[2] = {-1, 0};
};

}  // namespace

void bind_book_bench(nb::module_& m) {
    nb::class_<BareBook>(m, "BareBook", "The floor of bench/book.py: a book by order that checks nothing.")
        .def(nb::init<std::size_t, i64, i64, i64>(), nb::arg("orders"), nb::arg("px_min"), nb::arg("px_max"),
             nb::arg("tick"))
        .def("clear", &BareBook::clear)
        .def(
            "apply",
            [](BareBook& book, const nb::object& records) {
                const RecordBuffer<Market> in(records);
                nb::gil_scoped_release unlocked;
                for (const Market& record : in.records()) {
                    __builtin_prefetch(&record + kStream);  // as the books do
                    book.apply(record);
                }
            },
            nb::arg("records"))
        .def(
            "best", [](const BareBook& book) { return nb::make_tuple(book.best(0), book.best(1)); },
            "The best ticks of both sides, so that nobody drops the work.");
}

}  // namespace openbell
