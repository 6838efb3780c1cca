#include "research/bars.h"

#include <algorithm>

#include "research/intervals.h"

namespace openbell {
namespace {

const std::vector<Member>& members() {
    static const std::vector<Member> kMembers = {
        {{"start", Kind::I64}, offsetof(Bar, start_ns)},
        {{"end", Kind::I64}, offsetof(Bar, end_ns)},
        {{"instrument", Kind::U32}, offsetof(Bar, instrument)},
        {{"open", Kind::I64}, offsetof(Bar, open)},
        {{"high", Kind::I64}, offsetof(Bar, high)},
        {{"low", Kind::I64}, offsetof(Bar, low)},
        {{"close", Kind::I64}, offsetof(Bar, close)},
        {{"volume", Kind::I64}, offsetof(Bar, volume)},
        {{"buy_volume", Kind::I64}, offsetof(Bar, buy_volume)},
        {{"sell_volume", Kind::I64}, offsetof(Bar, sell_volume)},
        {{"trades", Kind::I64}, offsetof(Bar, trades)},
        {{"notional", Kind::F64}, offsetof(Bar, notional)},
        {{"vwap", Kind::F64}, offsetof(Bar, vwap)},
    };
    return kMembers;
}

constexpr u32 kUnitDecimalsMax = 18;

i128 power_of_ten(u32 exponent) {
    i128 power = 1;
    while (exponent-- > 0) power *= 10;
    return power;
}

}  // namespace

Bars::Bars(const BarConfig& config) : config_(config), pass_(config.pass), open_(config.pass.instruments_max) {
    if (config.size <= 0)
        throw Error(ErrorKind::Config, "bars: expected a size above 0, found " + std::to_string(config.size));
    config_.unit_decimals.resize(open_.size());
    for (u32& decimals : config_.unit_decimals) decimals = std::min(decimals, kUnitDecimalsMax);
    for (const Member& member : members()) columns_.push_back(member.column);
    done_.reserve(config.rows_max);
}

Batch Bars::next() {
    done_.clear();
    while (!is_over_ && done_.size() < config_.rows_max) {
        if (pass_.step(*this)) continue;
        is_over_ = true;
        if (config_.kind == BarKind::Time) close_all();
    }
    return transpose(done_.data(), sizeof(Bar), done_.size(), members());
}

void Bars::on_print(u32 instrument, i64 ts, const Print& print) {
    if (ts < config_.start_ns || ts >= config_.end_ns) return;
    Bar& bar = open_[instrument];
    add(bar, instrument, ts, print);
    if (is_full(bar)) close(bar);
}

// A time that goes back belongs to the interval that is open.
void Bars::on_time(i64 ts) {
    if (config_.kind != BarKind::Time) return;
    const i64 begin = interval_of(ts, config_.size);
    if (begin <= interval_ns_) return;
    close_all();
    interval_ns_ = begin;
}

void Bars::add(Bar& bar, u32 instrument, i64 ts, const Print& print) {
    if (bar.trades == 0) {
        bar = {};
        bar.instrument = instrument;
        bar.start_ns = ts;
        bar.open = bar.high = bar.low = print.px;
        if (config_.kind == BarKind::Time) dirty_.push_back(instrument);
    }
    bar.end_ns = ts;
    bar.high = std::max(bar.high, print.px);
    bar.low = std::min(bar.low, print.px);
    bar.close = print.px;
    bar.volume = wrapping_add(bar.volume, print.qty);
    if (print.sign > 0) bar.buy_volume = wrapping_add(bar.buy_volume, print.qty);
    if (print.sign < 0) bar.sell_volume = wrapping_add(bar.sell_volume, print.qty);
    bar.exact_notional = i128(u128(bar.exact_notional) + u128(i128(print.px) * print.qty));
    ++bar.trades;
}

bool Bars::is_full(const Bar& bar) const {
    switch (config_.kind) {
        case BarKind::Time: return false;
        case BarKind::Tick: return bar.trades >= config_.size;
        case BarKind::Volume: return bar.volume >= config_.size;
        case BarKind::Dollar:
            return bar.exact_notional >= config_.size * power_of_ten(config_.unit_decimals[bar.instrument]);
    }
    return false;
}

void Bars::close(Bar& bar) {
    if (config_.kind == BarKind::Time) {
        bar.start_ns = interval_ns_;
        bar.end_ns = interval_ns_ + config_.size;
    }
    bar.notional = double(bar.exact_notional);
    bar.vwap = bar.volume ? bar.notional / double(bar.volume) : 0.0;
    done_.push_back(bar);
    bar.trades = 0;
}

// In the order of their ids.
void Bars::close_all() {
    std::sort(dirty_.begin(), dirty_.end());
    for (u32 instrument : dirty_) close(open_[instrument]);
    dirty_.clear();
}

}  // namespace openbell
