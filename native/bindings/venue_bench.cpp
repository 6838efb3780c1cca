// A loop that measures the venue around the matching engine without Python in between; bench/venue.py calls it.
//
// The stream is recorded from a venue of the same build, so that making it costs nothing while it is timed.
#include <nanobind/nanobind.h>

#include <time.h>

#include <array>
#include <cstdio>
#include <memory>

#include "error.h"
#include "exchange/venue_core.h"
#include "rng.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
namespace {

using namespace exchange;

constexpr u64 kAddPercent = 60, kCancelPercent = 30, kReplacePercent = 5;  // what is left takes
constexpr i64 kTick = 100, kStartPx = 1'000'000;
constexpr u32 kTakenQty = 1'300;  // on average as much leaves the book as comes
constexpr double kDepthTicks = 8.0;

// Of this thread: what others do on the machine counts less than on the wall's clock.
double cpu_s() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

struct Message {
    u32 account = 0;
    u32 size = 0;
    std::array<u8, 64> bytes{};
};

// Chooses messages and sends them to a venue of its own.
class VenueMixWriter {
  public:
    VenueMixWriter(u32 instruments, u32 accounts, std::size_t orders_open, u64 seed, VenueCore& venue)
        : instruments_(instruments), accounts_(accounts), orders_open_(orders_open), rng_(seed), venue_(venue) {}

    Message add() { return entered(false); }
    Message mixed() {
        for (;;) {
            const u64 what = rng_.below(100);
            if (what < kAddPercent || live_.size() < orders_open_ / 2) return entered(false);
            if (what >= kAddPercent + kCancelPercent + kReplacePercent) return entered(true);
            const bool cancels = what < kAddPercent + kCancelPercent;
            const std::size_t at = rng_.below(live_.size());
            const Order order = live_[at];
            live_[at] = live_.back();
            live_.pop_back();
            const Message message = cancels ? canceled(order) : replaced(order);
            if (played(message)) return message;  // else it has been filled: nobody answers
        }
    }

  private:
    struct Order {
        u32 account;
        u32 instrument;
        Side side;
        ouch42::Token token;
    };

    template <class M>
    static Message encoded(u32 account, const M& m) {
        Message out{.account = account};
        ByteWriter writer(out.bytes);
        encode(m, writer);
        out.size = u32(writer.size());
        return out;
    }
    ouch42::Token next_token() {
        char text[16];
        std::snprintf(text, sizeof text, "T%013llu", static_cast<unsigned long long>(++tokens_));
        return ouch42::Token({text, 14});
    }
    u32 passive_px(u32 instrument, Side side) {
        const Touch touch = venue_.engine().touch(instrument, side == Side::Buy ? Side::Sell : Side::Buy);
        const i64 opposite = touch.qty ? touch.px : kStartPx;
        const i64 distance = kTick * (1 + i64(-kDepthTicks * __builtin_log(1.0 - rng_.uniform())));
        return u32(side == Side::Buy ? opposite - distance : opposite + distance);
    }
    Message entered(bool takes) {
        const u32 instrument = u32(rng_.below(instruments_)), account = u32(rng_.below(accounts_));
        const Side side = rng_.below(2) ? Side::Buy : Side::Sell;
        char symbol[9];
        std::snprintf(symbol, sizeof symbol, "S%u", instrument);
        ouch42::EnterOrder m;
        m.token = next_token();
        m.side = side == Side::Buy ? 'B' : 'S';
        m.qty = takes ? 1 + u32(rng_.below(2 * kTakenQty)) : 100 * (1 + u32(rng_.below(4)));
        m.symbol = itch50::Symbol(symbol);
        m.px = takes ? ouch42::kMarketPx : passive_px(instrument, side);
        m.tif = takes ? ouch42::kTifImmediate : ouch42::kTifMarketHours;
        const Message message = encoded(account, m);
        played(message);
        if (!takes) live_.push_back({account, instrument, side, m.token});
        return message;
    }
    Message canceled(const Order& order) { return encoded(order.account, ouch42::CancelOrder{order.token, 0}); }
    Message replaced(const Order& order) {
        ouch42::ReplaceOrder m;
        m.prev_token = order.token;
        m.token = next_token();
        m.qty = 100 * (1 + u32(rng_.below(4)));
        m.px = passive_px(order.instrument, order.side);
        live_.push_back({order.account, order.instrument, order.side, m.token});
        return encoded(order.account, m);
    }
    bool played(const Message& message) {
        const u64 before = venue_.reports(message.account).next_seq();
        venue_.receive(message.account, Bytes(message.bytes).first(message.size), 1);
        return venue_.reports(message.account).next_seq() > before;
    }

    u32 instruments_;
    u32 accounts_;
    std::size_t orders_open_;
    SplitMix64 rng_;
    VenueCore& venue_;
    std::vector<Order> live_;
    u64 tokens_ = 0;
};

// OUCH messages of many accounts: first what fills the books, then what is measured.
class VenueMix {
  public:
    VenueMix(u32 instruments, u32 accounts, std::size_t orders_open, std::size_t operations, u64 seed)
        : instruments_(instruments), accounts_(accounts), orders_open_(orders_open) {
        const auto venue = opened(orders_open + 2 * operations);
        VenueMixWriter writer(instruments, accounts, orders_open, seed, *venue);
        for (std::size_t i = 0; i < orders_open; ++i) before_.push_back(writer.add());
        for (std::size_t i = 0; i < operations; ++i) timed_.push_back(writer.mixed());
        itch_messages_ = venue->itch().next_seq();
    }

    // Messages a second of processor time through receive(): books, reports, feed and ledger.
    double rate() const {
        const auto venue = opened(before_.size() + 2 * timed_.size());
        for (const Message& m : before_) venue->receive(m.account, Bytes(m.bytes).first(m.size), 1);
        const double start_s = cpu_s();
        for (const Message& m : timed_) venue->receive(m.account, Bytes(m.bytes).first(m.size), 1);
        const double took_s = cpu_s() - start_s;
        if (venue->itch().next_seq() < itch_messages_)
            throw Error(ErrorKind::Invariant, "venue bench: expected " + std::to_string(itch_messages_) +
                                                  " messages of the feed as when the stream was made, found " +
                                                  std::to_string(venue->itch().next_seq()));
        return double(timed_.size()) / took_s;
    }

  private:
    std::unique_ptr<VenueCore> opened(std::size_t tokens_max) const {
        std::vector<InstrumentRules> listed(instruments_);
        for (u32 n = 0; n < instruments_; ++n) listed[n].symbol = "S" + std::to_string(n);
        auto venue = std::make_unique<VenueCore>(
            listed, 0, VenueLimits{.orders_max = 4 * orders_open_, .tokens_max = tokens_max}, true);
        for (u32 n = 0; n < accounts_; ++n) venue->add_account({});
        venue->open_day(1);
        return venue;
    }

    u32 instruments_;
    u32 accounts_;
    std::size_t orders_open_;
    std::vector<Message> before_;
    std::vector<Message> timed_;
    u64 itch_messages_ = 0;
};

}  // namespace

void bind_venue_bench(nb::module_& m) {
    nb::class_<VenueMix>(m, "VenueMix", "Recorded OUCH messages: 60 % add, 30 % cancel, 5 % replace, 5 % market.")
        .def(nb::init<u32, u32, std::size_t, std::size_t, u64>(), "instruments"_a, "accounts"_a, "orders_open"_a,
             "operations"_a, "seed"_a)
        .def("rate", &VenueMix::rate, nb::call_guard<nb::gil_scoped_release>(), "Messages a second of a fresh venue.");
}

}  // namespace openbell
