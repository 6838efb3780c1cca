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

}  // namespace

BacktestSession::BacktestSession(const Config& config, IntentSource& strategies)
    : engine_(config.capacity),
      journal_(journal_options(config)),
      venue_(config.capacity.instruments_max, config.capacity.book_orders_max, config.capacity.orders_max),
      route_(venue_, config.latency),
      gate_(config.gate, nullptr),
      driver_({engine_, journal_, strategies, clock_, route_, gate_}),
      backtest_({config.tape_dir, config.latency, config.until_ns}, driver_, engine_, clock_, route_) {
    driver_.set_presets(config.presets);
    clock_.advance_to(backtest_.first_ns());
}

void BacktestSession::submit(Bytes record, u16 source) {
    FrameHeader* in = driver_.open(source, record.size());
    std::memcpy(in + 1, record.data(), record.size());
    driver_.submit(in, 1);
}

}  // namespace openbell
