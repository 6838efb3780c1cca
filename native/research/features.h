// Features of the book and of the trades, one row an instrument: after every frame that changed its touch or
// traded, or for every interval in which that happened. Definitions and sources: openbell/research/features.py.
#pragma once

#include "research/columns.h"
#include "research/market_pass.h"

namespace openbell {

struct FeatureConfig {
    PassConfig pass;
    i64 every_ns = 0;  // 0: after every frame
    u32 levels = 1;    // of the imbalance
    i64 start_ns = std::numeric_limits<i64>::min();
    i64 end_ns = std::numeric_limits<i64>::max();
    std::size_t rows_max = 1 << 18;  // of a batch
};

struct FeatureRow {
    i64 ts;  // of the last record; of intervals: where it ends, and not part of it
    u32 instrument;
    u32 pad;
    i64 bid_px;
    i64 bid_qty;
    i64 ask_px;
    i64 ask_qty;
    double mid;
    double microprice;
    double imbalance;
    i64 order_flow_imbalance;
    double realised_volatility;
    i64 trades;
    i64 volume;
    i64 signed_volume;
    i64 trade_sign;  // of the last trade
};

// What a change of the touch says of the order flow. Cont, Kukanov and Stoikov (2014), equation (4).
i64 order_flow(const Touch& before, const Touch& after);

class Features final : public BatchSource, private MarketSink {
  public:
    static constexpr u32 kLevelsMax = 64;

    explicit Features(const FeatureConfig& config);

    const std::vector<Column>& columns() const override { return columns_; }
    Batch next() override;
    const MarketPass& pass() const { return pass_; }

  private:
    // Since the instrument's last row.
    struct Sums {
        i64 ts = 0;
        i64 order_flow = 0;
        i64 trades = 0;
        i64 volume = 0;
        i64 signed_volume = 0;
        i64 trade_sign = 0;
        double variance = 0;
        bool is_dirty = false;
    };

    void on_time(i64 ts) override;
    void on_print(u32 instrument, i64 ts, const Print& print) override;
    void on_touch(u32 instrument, i64 ts, const Touch& before, const Touch& after) override;
    void on_frame_end() override;

    Sums& sums_at(u32 instrument, i64 ts);
    void write_dirty(i64 ts);
    void write(u32 instrument, i64 ts);
    double imbalance(u32 instrument, const Touch& touch) const;
    bool is_inside(i64 ts) const { return ts >= config_.start_ns && ts < config_.end_ns; }

    FeatureConfig config_;
    MarketPass pass_;
    std::vector<Column> columns_;
    std::vector<Sums> sums_;  // by instrument
    std::vector<u32> dirty_;
    std::vector<FeatureRow> rows_;
    i64 interval_ns_ = std::numeric_limits<i64>::min();
    bool is_over_ = false;
};

}  // namespace openbell
