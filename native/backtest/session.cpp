#include "backtest/session.h"

namespace openbell {
namespace {

JournalOptions journal_options(const BacktestSession::Config& config) {
    JournalOptions options;
    options.journal_dir = config.journal_dir;  // no hot directory: a tape, bytes a function of the frames
    options.segment_bytes = config.segment_bytes;
    options.node = config.node;
    return options;
}

// The venue acts one feed latency late, when the engine has the market that it acts in: nobody can tell, unless its
// reports are faster than its feed.
bool shares_books(const BacktestSession::Config& config) {
    return !config.has_two_books && config.latency.report_ns >= config.latency.feed_ns;
}

VirtualVenue venue_of(const BacktestSession::Config& config, const Books& engines) {
    const EngineCapacity& c = config.capacity;
    if (!shares_books(config)) return {c.instruments_max, c.book_orders_max, c.orders_max};
    return {c.instruments_max, c.book_orders_max, c.orders_max, engines};
}

}  // namespace

BacktestSession::BacktestSession(const Config& config, IntentSource& strategies)
    : engine_(config.capacity),
      journal_(journal_options(config)),
      venue_(venue_of(config, engine_.books())),
      route_(venue_, config.latency),
      gate_(config.gate, nullptr),
      driver_({engine_, journal_, strategies, clock_, route_, gate_}),
      backtest_({config.tape_dir, config.latency, config.until_ns, shares_books(config)}, driver_, engine_, clock_,
                route_) {
    if (shares_books(config)) engine_.set_tap(&venue_.tap());
    driver_.set_presets(config.presets);
    clock_.advance_to(backtest_.first_ns());
}

void BacktestSession::submit(Bytes record, u16 source) {
    FrameHeader* in = driver_.open(source, record.size());
    std::memcpy(in + 1, record.data(), record.size());
    driver_.submit(in, 1);
}

}  // namespace openbell
