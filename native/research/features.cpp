#include "research/features.h"

#include <algorithm>
#include <array>

#include "math/functions.h"
#include "research/intervals.h"

namespace openbell {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

const std::vector<Member>& members() {
    static const std::vector<Member> kMembers = {
        {{"ts", Kind::I64}, offsetof(FeatureRow, ts)},
        {{"instrument", Kind::U32}, offsetof(FeatureRow, instrument)},
        {{"bid_px", Kind::I64}, offsetof(FeatureRow, bid_px)},
        {{"bid_qty", Kind::I64}, offsetof(FeatureRow, bid_qty)},
        {{"ask_px", Kind::I64}, offsetof(FeatureRow, ask_px)},
        {{"ask_qty", Kind::I64}, offsetof(FeatureRow, ask_qty)},
        {{"mid", Kind::F64}, offsetof(FeatureRow, mid)},
        {{"microprice", Kind::F64}, offsetof(FeatureRow, microprice)},
        {{"imbalance", Kind::F64}, offsetof(FeatureRow, imbalance)},
        {{"order_flow_imbalance", Kind::I64}, offsetof(FeatureRow, order_flow_imbalance)},
        {{"realised_volatility", Kind::F64}, offsetof(FeatureRow, realised_volatility)},
        {{"trades", Kind::I64}, offsetof(FeatureRow, trades)},
        {{"volume", Kind::I64}, offsetof(FeatureRow, volume)},
        {{"signed_volume", Kind::I64}, offsetof(FeatureRow, signed_volume)},
        {{"trade_sign", Kind::I64}, offsetof(FeatureRow, trade_sign)},
    };
    return kMembers;
}

bool has_both(const Touch& t) { return t.bid_qty > 0 && t.ask_qty > 0; }
i128 twice_mid(const Touch& t) { return i128(t.bid_px) + t.ask_px; }

double microprice(const Touch& t) {
    const i128 weighted = i128(t.bid_px) * t.ask_qty + i128(t.ask_px) * t.bid_qty;
    return double(weighted) / double(i128(t.bid_qty) + t.ask_qty);
}

// Of the change from one mid to the next; without both mids, or with one that has no logarithm, it is none.
double squared_return(const Touch& before, const Touch& after) {
    if (!has_both(before) || !has_both(after)) return 0.0;
    const i128 from = twice_mid(before), to = twice_mid(after);
    if (from <= 0 || to <= 0 || from == to) return 0.0;
    const double change = ob_log(double(to) / double(from));
    return change * change;
}

// Of the best levels of a side.
i128 qty_of(const Books& books, u32 instrument, Side side, u32 levels_max) {
    std::array<Level, Features::kLevelsMax> levels;
    const std::size_t n = books.depth(instrument, side, {levels.data(), levels_max});
    i128 total = 0;
    for (std::size_t i = 0; i < n; ++i) total += levels[i].qty;
    return total;
}

// +1: the bid is better than before, or appeared. An empty side is worse than any price.
int better_bid(const Touch& before, const Touch& after) {
    if (before.bid_qty == 0 || after.bid_qty == 0) return int(after.bid_qty > 0) - int(before.bid_qty > 0);
    return int(after.bid_px > before.bid_px) - int(after.bid_px < before.bid_px);
}
int better_ask(const Touch& before, const Touch& after) {
    if (before.ask_qty == 0 || after.ask_qty == 0) return int(after.ask_qty > 0) - int(before.ask_qty > 0);
    return int(after.ask_px < before.ask_px) - int(after.ask_px > before.ask_px);
}

}  // namespace

i64 order_flow(const Touch& before, const Touch& after) {
    const int bid = better_bid(before, after);
    const int ask = better_ask(before, after);
    u64 flow = 0;  // wraps
    if (bid >= 0) flow += u64(after.bid_qty);
    if (bid <= 0) flow -= u64(before.bid_qty);
    if (ask >= 0) flow -= u64(after.ask_qty);
    if (ask <= 0) flow += u64(before.ask_qty);
    return i64(flow);
}

Features::Features(const FeatureConfig& config)
    : config_(config), pass_(config.pass), sums_(config.pass.instruments_max) {
    if (config.every_ns < 0)
        throw Error(ErrorKind::Config, "every: expected 0 or more ns, found " + std::to_string(config.every_ns));
    if (config.levels < 1 || config.levels > kLevelsMax)
        throw Error(ErrorKind::Config, "levels: expected 1 to 64, found " + std::to_string(config.levels));
    for (const Member& member : members()) columns_.push_back(member.column);
}

Batch Features::next() {
    rows_.clear();
    while (!is_over_ && rows_.size() < config_.rows_max) {
        if (pass_.step(*this)) continue;
        is_over_ = true;
        if (config_.every_ns > 0) write_dirty(std::min(interval_ns_ + config_.every_ns, config_.end_ns));
    }
    return transpose(rows_.data(), sizeof(FeatureRow), rows_.size(), members());
}

void Features::on_print(u32 instrument, i64 ts, const Print& print) {
    if (!is_inside(ts)) return;
    Sums& sums = sums_at(instrument, ts);
    ++sums.trades;
    sums.volume = wrapping_add(sums.volume, print.qty);
    sums.signed_volume = wrapping_add(sums.signed_volume, print.sign * print.qty);
    sums.trade_sign = print.sign;
}

void Features::on_touch(u32 instrument, i64 ts, const Touch& before, const Touch& after) {
    if (!is_inside(ts)) return;
    Sums& sums = sums_at(instrument, ts);
    sums.order_flow = wrapping_add(sums.order_flow, order_flow(before, after));
    sums.variance += squared_return(before, after);
}

void Features::on_frame_end() {
    if (config_.every_ns > 0) return;
    for (u32 instrument : dirty_) write(instrument, sums_[instrument].ts);
    dirty_.clear();
}

Features::Sums& Features::sums_at(u32 instrument, i64 ts) {
    Sums& sums = sums_[instrument];
    if (!sums.is_dirty) dirty_.push_back(instrument);
    sums.is_dirty = true;
    sums.ts = ts;
    return sums;
}

// Before the record at `ts` moves the book: what lies before it is complete. A time that goes back belongs to the
// interval that is open.
void Features::on_time(i64 ts) {
    if (config_.every_ns == 0 || ts < config_.start_ns) return;
    if (ts >= config_.end_ns) return write_dirty(std::min(interval_ns_ + config_.every_ns, config_.end_ns));
    const i64 begin = interval_of(ts, config_.every_ns);
    if (begin <= interval_ns_) return;
    write_dirty(interval_ns_ + config_.every_ns);
    interval_ns_ = begin;
}

// In the order of their ids.
void Features::write_dirty(i64 ts) {
    if (dirty_.empty()) return;
    std::sort(dirty_.begin(), dirty_.end());
    for (u32 instrument : dirty_) write(instrument, ts);
    dirty_.clear();
}

// While the book is not valid there is no row; what was counted waits for the next one.
void Features::write(u32 instrument, i64 ts) {
    Sums& sums = sums_[instrument];
    sums.is_dirty = false;
    if (!pass_.books().is_valid(instrument)) return;
    const Touch& touch = pass_.books().touch(instrument);
    const bool is_two_sided = has_both(touch);
    rows_.push_back({.ts = ts,
                     .instrument = instrument,
                     .pad = 0,
                     .bid_px = touch.bid_px,
                     .bid_qty = touch.bid_qty,
                     .ask_px = touch.ask_px,
                     .ask_qty = touch.ask_qty,
                     .mid = is_two_sided ? double(twice_mid(touch)) / 2 : kNone,
                     .microprice = is_two_sided ? microprice(touch) : kNone,
                     .imbalance = imbalance(instrument, touch),
                     .order_flow_imbalance = sums.order_flow,
                     .realised_volatility = ob_sqrt(sums.variance),
                     .trades = sums.trades,
                     .volume = sums.volume,
                     .signed_volume = sums.signed_volume,
                     .trade_sign = sums.trade_sign});
    sums = {};
}

double Features::imbalance(u32 instrument, const Touch& touch) const {
    i128 bids = touch.bid_qty, asks = touch.ask_qty;
    if (config_.levels > 1) {
        bids = qty_of(pass_.books(), instrument, Side::Buy, config_.levels);
        asks = qty_of(pass_.books(), instrument, Side::Sell, config_.levels);
    }
    return bids + asks > 0 ? double(bids - asks) / double(bids + asks) : kNone;
}

}  // namespace openbell
