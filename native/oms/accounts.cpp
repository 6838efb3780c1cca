#include "oms/accounts.h"

#include <algorithm>

namespace openbell {
namespace {

i64 margin_of(i64 gross, i64 bps) {
    return bps == kWholeBps ? gross : clamp_money((i128(gross) * bps + kWholeBps - 1) / kWholeBps);
}

bool is_traded(const Position& p, const OpenValue& open) {
    return p.qty != 0 || p.realized != 0 || p.fees != 0 || open.buy != 0 || open.sell != 0;
}

}  // namespace

Accounts::Accounts(const Oms& oms)
    : oms_(oms),
      strategies_max_(oms.capacity().strategies_max),
      instruments_max_(oms.capacity().instruments_max),
      rows_(strategies_max_ + 1),
      shares_(rows_.size() * instruments_max_),
      first_(instruments_max_, kNone),
      marks_(instruments_max_),
      scales_(instruments_max_),
      fee_scales_(instruments_max_) {
    dirty_.reserve(rows_.size());
}

// ---- what changes ----------------------------------------------------------------------------------

void Accounts::refresh(u16 strategy, u32 instrument) {
    update(row_of(strategy), instrument);
    update(strategies_max_, instrument);
}

void Accounts::mark(u32 instrument, i64 bid_px, i64 ask_px) {
    Mark& m = marks_[instrument];
    const Mark before = m;
    m.has_bid = bid_px > 0 && bid_px <= kPxMax;
    m.has_ask = ask_px > 0 && ask_px <= kPxMax;
    if (m.has_bid) m.bid_px = bid_px;
    if (m.has_ask) m.ask_px = ask_px;
    if (std::memcmp(&m, &before, sizeof m) != 0) update_all(instrument);  // it has no gaps
}

void Accounts::set_scale(u32 instrument, const MoneyScale& scale, const MoneyScale& fee_scale) {
    scales_[instrument] = scale;
    fee_scales_[instrument] = fee_scale;
    update_all(instrument);
}

void Accounts::set_margin_bps(u32 instrument, i64 bps) {
    marks_[instrument].margin_bps = bps;
    update_all(instrument);
}

void Accounts::clear_margins() {
    for (u32 instrument = 0; instrument < instruments_max_; ++instrument)
        if (marks_[instrument].margin_bps != kWholeBps) set_margin_bps(instrument, kWholeBps);
}

void Accounts::start_day(i64 yyyymmdd) {
    if (yyyymmdd <= day_) return;
    day_ = yyyymmdd;
    for (std::size_t at = 0; at < rows_.size(); ++at) {
        Row& row = rows_[at];
        row.day_base = row.realized + row.unrealized - row.fees;
        row.result = result_of(row);
        row.peak = 0;
        set_dirty(at);
    }
}

bool Accounts::settle() {
    if (dirty_.empty()) return false;
    for (const u32 at : dirty_) {
        Row& row = rows_[at];
        row.peak = std::max(row.peak, row.result);
        row.is_dirty = false;
    }
    dirty_.clear();
    return true;
}

// ---- answers ---------------------------------------------------------------------------------------

Totals Accounts::totals(u16 strategy) const {
    const Row& row = rows_[row_of(strategy)];
    return {clamp_money(row.realized),
            clamp_money(row.unrealized),
            clamp_money(row.fees),
            row.result,
            row.peak,
            drawdown(strategy),
            clamp_money(row.gross),
            clamp_money(std::max(row.if_bought, row.if_sold)),
            clamp_money(row.margin),
            row.doubtful,
            row.unpriced};
}

Earned Accounts::earned(u16 strategy, u32 instrument) const {
    const Share& s = share(row_of(strategy), instrument);
    return {s.realized, s.unrealized, s.fees};
}

i64 Accounts::drawdown(u16 strategy) const {
    const Row& row = rows_[row_of(strategy)];
    return clamp_money(std::max<i128>(0, i128(row.peak) - row.result));
}

Worst Accounts::worst(u16 strategy, u32 instrument, Side side, i128 value) const {
    const std::size_t at = row_of(strategy);
    const Row& row = rows_[at];
    const Bound& now = share(at, instrument).bound;
    const Bound then = bound_of(at, instrument, side, value);
    const i128 net =
        side == Side::Buy ? row.if_bought - now.if_bought + then.if_bought : row.if_sold - now.if_sold + then.if_sold;
    return {clamp_money(row.gross - now.gross + then.gross), clamp_money(net),
            clamp_money(row.margin - now.margin + then.margin), then.gross > now.gross};
}

Worst Accounts::worst_of_instrument(u16 strategy, u32 instrument, Side side, i128 value) const {
    const std::size_t at = row_of(strategy);
    const Bound then = bound_of(at, instrument, side, value);
    return {then.gross, side == Side::Buy ? then.if_bought : then.if_sold, then.margin,
            then.gross > share(at, instrument).bound.gross};
}

// What rounds each part up makes a sum that is no smaller, and an instrument that binds no more margin than its worth
// no more of it.
bool Accounts::has_room(u16 strategy, u32 instrument, Side side, i128 value, const MoneyScale& scale,
                        const MoneyBounds& most) const {
    const Row& row = rows_[row_of(strategy)];
    if (row.result < -most.loss || i128(row.peak) - row.result > most.drawdown) return false;
    i128 room = std::min(most.gross - row.gross, most.net - (side == Side::Buy ? row.if_bought : row.if_sold));
    if (most.margin != kMoneyMax) {
        if (marks_[instrument].margin_bps > kWholeBps) return false;
        room = std::min(room, most.margin - row.margin);
    }
    return scale.units_fit(value, clamp_money(std::min<i128>(room, kMoneyMax - 1)));
}

// ---- from integers to money ------------------------------------------------------------------------

void Accounts::update(std::size_t at, u32 instrument) {
    Row& row = rows_[at];
    Share& known = share(at, instrument);
    if (!known.is_listed) {
        known.is_listed = 1;
        known.next = first_[instrument];
        first_[instrument] = u32(at);
    }
    add(row, known, -1);
    known = share_of(at, instrument);
    add(row, known, +1);
    row.result = result_of(row);
    set_dirty(at);
}

void Accounts::set_dirty(std::size_t at) {
    if (!rows_[at].is_dirty) dirty_.push_back(u32(at));
    rows_[at].is_dirty = true;
}

void Accounts::update_all(u32 instrument) {
    for (u32 at = first_[instrument]; at != kNone; at = share(at, instrument).next) update(at, instrument);
}

Accounts::Share Accounts::share_of(std::size_t at, u32 instrument) const {
    const Position& p = oms_.position(strategy_of(at), instrument);
    const Mark& mark = marks_[instrument];
    const MoneyScale& scale = scales_[instrument];
    Share out{};
    out.next = share(at, instrument).next;
    out.is_listed = 1;
    out.is_doubtful = p.qty != 0 && !(p.qty > 0 ? mark.has_bid : mark.has_ask);
    if (!scale.is_known()) {
        out.is_unpriced = is_traded(p, oms_.open_value(strategy_of(at), instrument));
        return out;
    }
    out.realized = scale.down(p.realized);
    out.unrealized = scale.down(value_held(p, mark) - p.cost);
    out.fees = fee_scales_[instrument].up(p.fees);
    out.bound = bound_of(at, instrument, Side::Buy, 0);
    return out;
}

// The larger side counts: both cannot be filled without each taking back what the other has bound.
Accounts::Bound Accounts::bound_of(std::size_t at, u32 instrument, Side side, i128 value) const {
    const MoneyScale& scale = scales_[instrument];
    if (!scale.is_known()) return {};
    const i128 held = value_held(oms_.position(strategy_of(at), instrument), marks_[instrument]);
    const OpenValue open = oms_.open_value(strategy_of(at), instrument);
    const i64 if_bought = scale.up(held + open.buy + (side == Side::Buy ? value : 0));
    const i64 if_sold = scale.up(open.sell - held + (side == Side::Sell ? value : 0));
    const i64 gross = std::max({if_bought, if_sold, i64(0)});
    return {gross, margin_of(gross, marks_[instrument].margin_bps), if_bought, if_sold};
}

// What closing would bring; at its cost as long as no price was ever known.
i128 Accounts::value_held(const Position& p, const Mark& mark) {
    const i64 px = p.qty > 0 ? mark.bid_px : mark.ask_px;
    return px > 0 ? i128(p.qty) * px : p.cost;
}

void Accounts::add(Row& row, const Share& share, int sign) {
    row.realized += i128(sign) * share.realized;
    row.unrealized += i128(sign) * share.unrealized;
    row.fees += i128(sign) * share.fees;
    row.gross += i128(sign) * share.bound.gross;
    row.margin += i128(sign) * share.bound.margin;
    row.if_bought += i128(sign) * share.bound.if_bought;
    row.if_sold += i128(sign) * share.bound.if_sold;
    row.doubtful += u32(sign * share.is_doubtful);
    row.unpriced += u32(sign * share.is_unpriced);
}

i64 Accounts::result_of(const Row& row) { return clamp_money(row.realized + row.unrealized - row.fees - row.day_base); }

// ---- state -----------------------------------------------------------------------------------------

void Accounts::save(StateWriter& out) const {
    out.put(day_);
    for (const Row& row : rows_) {
        out.put(row.day_base);
        out.put(row.peak);
    }
    for (const Mark& mark : marks_) out.put(mark);
}

void Accounts::load(StateReader& in) {
    day_ = in.get<i64>();
    std::fill(shares_.begin(), shares_.end(), Share{});
    std::fill(first_.begin(), first_.end(), kNone);
    dirty_.clear();
    for (Row& row : rows_) {
        row = Row{};
        row.day_base = in.get<i128>();
        row.peak = in.get<i64>();
    }
    for (Mark& mark : marks_) mark = in.get<Mark>();
    for (std::size_t at = 0; at < rows_.size(); ++at) {
        rows_[at].result = result_of(rows_[at]);
        for (u32 instrument = 0; instrument < instruments_max_; ++instrument) {
            const u16 strategy = strategy_of(at);
            if (is_traded(oms_.position(strategy, instrument), oms_.open_value(strategy, instrument)))
                update(at, instrument);
        }
    }
}

}  // namespace openbell
