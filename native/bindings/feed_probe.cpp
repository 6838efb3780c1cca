// A strategy that trades nothing and compares every valid book that it is shown with the exchange's own: for tests.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "exchange/venue_core.h"
#include "strategy/intent_source.h"
#include "strategy/world.h"

namespace nb = nanobind;

namespace openbell {
void bind_feed_probe(nb::module_& m);  // called by bind_session

namespace {

using namespace nb::literals;

// Of the orders of a book in the order in which they would trade.
class BookHash {
  public:
    void add(u64 order_id, i64 px, i64 qty) {
        for (const u64 word : {order_id, u64(px), u64(qty)})
            value_ = (value_ ^ word) * 0x9E37'79B9'7F4A'7C15 ^ value_ >> 29;
    }
    u64 value() const { return value_; }

  private:
    u64 value_ = 0x1234'5678'9ABC'DEF1;
};

class BookWitness final : public IntentSource {
  public:
    explicit BookWitness(const exchange::VenueCore& venue) : venue_(venue) {}

    // The exchange's books are those after all messages so far.
    void remember() { expected_[venue_.itch().next_seq() - 1] = books_of_exchange(); }

    void decide(const FrameView& in, const Happened&, const World& world, Decision&) override {
        if (in.header->source_seq != 0) number_ = in.header->source_seq;
        is_valid_ = !world.instruments.empty();
        for (const Instrument& known : world.instruments) is_valid_ &= world.books.is_valid(known.instrument);
        const auto found = expected_.find(number_);
        for (const Instrument& known : world.instruments) {
            if (!world.books.is_valid(known.instrument)) continue;
            if (found == expected_.end())
                ++unknown;
            else
                check(known, world.books, found->second.at(known.locate - 1));
        }
    }

    u64 number() const { return number_; }
    bool is_valid() const { return is_valid_; }
    u64 checked = 0;
    u64 unknown = 0;  // books of a moment within an input of the exchange
    std::vector<std::string> differences;

  private:
    static constexpr std::size_t kDifferencesMax = 10;

    void check(const Instrument& known, const Books& books, u64 expected) {
        BookHash hash;
        for (const Side side : {Side::Buy, Side::Sell})
            books.walk(known.instrument, side, [&hash](const RestingOrder& order) {
                hash.add(order.order_id, order.px, order.qty);
                return true;
            });
        ++checked;
        if (hash.value() == expected || differences.size() == kDifferencesMax) return;
        differences.push_back("message " + std::to_string(number_) + ", " + std::string(symbol_of(known)) +
                              ": a valid book of " + std::to_string(books.orders(known.instrument)) +
                              " orders is not the exchange's");
    }

    std::vector<u64> books_of_exchange() const {
        std::vector<u64> out;
        for (u32 instrument = 0; instrument < venue_.instruments(); ++instrument) {
            BookHash hash;
            for (const Side side : {Side::Buy, Side::Sell})
                venue_.engine().walk_displayed(instrument, side,
                                               [&hash](u64 ref, i64 px, i64 qty) { hash.add(ref, px, qty); });
            out.push_back(hash.value());
        }
        return out;
    }

    const exchange::VenueCore& venue_;
    std::unordered_map<u64, std::vector<u64>> expected_;  // by number of the last message
    u64 number_ = 0;
    bool is_valid_ = false;
};

}  // namespace

void bind_feed_probe(nb::module_& m) {
    nb::class_<BookWitness, IntentSource>(
        m, "BookWitness",
        "Compares every valid book a node is shown with the exchange's own at that message: for tests.")
        .def(nb::init<const exchange::VenueCore&>(), "venue"_a, nb::keep_alive<1, 2>())
        .def("remember", &BookWitness::remember, "The exchange's books are those after all messages so far.")
        .def_prop_ro("number", &BookWitness::number, "of the last message the node has applied")
        .def_prop_ro("is_valid", &BookWitness::is_valid, "whether all books were valid in the last frame")
        .def_ro("checked", &BookWitness::checked)
        .def_ro("unknown", &BookWitness::unknown)
        .def_ro("differences", &BookWitness::differences);
}

}  // namespace openbell
