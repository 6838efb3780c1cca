// Bars of trades: by time, by count of trades, by volume, by notional. One pass, any number of instruments.
//
// A bar closes with the trade that brings it to its size; that trade is not divided. Time bars begin at multiples
// of their size, counted from the epoch. Only trades that count as volume are in bars, and a bar has at least one.
#pragma once

#include "research/columns.h"
#include "research/market_pass.h"

namespace openbell {

enum class BarKind : u8 { Time, Tick, Volume, Dollar };

struct BarConfig {
    PassConfig pass;
    BarKind kind = BarKind::Time;
    i64 size = 0;  // ns, trades, lots, or whole units of the currency
    i64 start_ns = std::numeric_limits<i64>::min();
    i64 end_ns = std::numeric_limits<i64>::max();
    std::vector<u32> unit_decimals;  // Dollar, by instrument: decimals of price x quantity
    std::size_t rows_max = 1 << 16;  // of a batch
};

struct Bar {
    i64 start_ns;  // Time: of the interval; else of the first trade
    i64 end_ns;    // Time: of the interval; else of the last trade
    u32 instrument;
    u32 pad;
    i64 open;
    i64 high;
    i64 low;
    i64 close;
    i64 volume;
    i64 buy_volume;   // bought by the aggressor
    i64 sell_volume;  // sold by the aggressor
    i64 trades;
    double notional;  // sum of price x quantity, in their units, rounded once
    double vwap;      // notional / volume
    i128 exact_notional;
};

class Bars final : public BatchSource, private MarketSink {
  public:
    explicit Bars(const BarConfig& config);

    const std::vector<Column>& columns() const override { return columns_; }
    Batch next() override;
    const MarketPass& pass() const { return pass_; }

  private:
    void on_time(i64 ts) override;
    void on_print(u32 instrument, i64 ts, const Print& print) override;
    void on_touch(u32, i64, const Touch&, const Touch&) override {}
    void on_frame_end() override {}

    void add(Bar& bar, u32 instrument, i64 ts, const Print& print);
    bool is_full(const Bar& bar) const;
    void close(Bar& bar);
    void close_all();

    BarConfig config_;
    MarketPass pass_;
    std::vector<Column> columns_;
    std::vector<Bar> open_;   // by instrument; without trades: none is open
    std::vector<u32> dirty_;  // Time: instruments with an open bar
    std::vector<Bar> done_;
    i64 interval_ns_ = std::numeric_limits<i64>::min();  // Time: where the current one begins
    bool is_over_ = false;
};

}  // namespace openbell
