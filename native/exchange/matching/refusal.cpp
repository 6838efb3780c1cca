#include "exchange/matching/refusal.h"

#include <algorithm>

#include "exchange/matching/tick_rule.h"

namespace openbell::exchange {
namespace {

bool is_stop(OrderType type) { return type == OrderType::Stop || type == OrderType::StopLimit; }
bool is_immediate(Tif tif) { return tif == Tif::Ioc || tif == Tif::Fok; }
bool is_off_tick(const EntryRules& rules, i64 px) { return px % tick_at(rules.ticks(), px) != 0; }
bool is_displayed(const Terms& t) { return t.type != OrderType::Pegged && t.display != 0; }

Refusal refuse_phase(const Moment& now, const Terms& t) {
    if (now.phase == Phase::Closed) return Refusal::Closed;
    if (now.phase == Phase::Halted) return Refusal::Halted;
    const bool needs_a_book = is_immediate(t.tif) || t.type == OrderType::MarketToLimit;
    if (needs_a_book && is_call(now.phase)) return Refusal::PhaseNotAllowed;
    if (t.tif == Tif::AtOpen && now.phase != Phase::OpeningCall) return Refusal::PhaseNotAllowed;
    if (t.tif == Tif::AtClose && now.closing_is_over) return Refusal::PhaseNotAllowed;
    return Refusal::None;
}

Refusal refuse_type(const Terms& t) {
    if ((t.type == OrderType::Pegged) != (t.peg != Peg::None)) return Refusal::Type;
    if (t.tif != Tif::AtOpen && t.tif != Tif::AtClose) return Refusal::None;
    const bool is_simple = t.type == OrderType::Market || t.type == OrderType::Limit;
    return is_simple && t.min_qty == 0 && t.display == kWholeQty ? Refusal::None : Refusal::TimeInForce;
}

Refusal refuse_px(const EntryRules& rules, i64 reference_px, Side side, const Terms& t) {
    if (!has_limit(t)) return Refusal::None;
    if (t.px <= 0 || t.px > kPxMax) return Refusal::Price;
    if (is_off_tick(rules, t.px)) return Refusal::Tick;
    if (rules.limit_collar_bps == 0 || reference_px == 0) return Refusal::None;
    const i64 through = side == Side::Buy ? t.px - reference_px : reference_px - t.px;
    return i128(through) * kBps > i128(reference_px) * rules.limit_collar_bps ? Refusal::PriceCollar : Refusal::None;
}

Refusal refuse_qty(const EntryRules& rules, const Terms& t) {
    if (t.qty <= 0 || t.qty % rules.lot != 0) return Refusal::Qty;
    if (t.qty > rules.qty_max) return Refusal::QtyMax;
    const bool shows_part = is_displayed(t) && t.display != kWholeQty;
    if (shows_part && (t.display < 0 || t.display > t.qty)) return Refusal::Display;
    if (t.min_qty == 0) return Refusal::None;
    const bool never_rests = t.type == OrderType::Market || t.type == OrderType::Stop || is_immediate(t.tif);
    if (t.min_qty < 0 || t.min_qty > t.qty || (is_displayed(t) && !never_rests)) return Refusal::MinQty;
    return Refusal::None;
}

Refusal refuse_post_only(const Terms& t) {
    if (t.post_only == PostOnly::No) return Refusal::None;
    const bool takes = is_immediate(t.tif) || t.type == OrderType::Market || t.type == OrderType::Stop ||
                       t.type == OrderType::MarketToLimit;
    const bool slides_on_its_own = t.type == OrderType::Pegged && t.post_only == PostOnly::Slide;
    return takes || slides_on_its_own ? Refusal::PostOnly : Refusal::None;
}

Refusal refuse_stop_and_peg(const EntryRules& rules, const Terms& t) {
    const bool is_bad_stop = t.stop_px <= 0 || t.stop_px > kPxMax || is_off_tick(rules, t.stop_px);
    if (is_stop(t.type) && is_bad_stop) return Refusal::StopPrice;
    if (t.type != OrderType::Pegged) return Refusal::None;
    const bool is_bad_offset = t.peg_offset > kPxMax || t.peg_offset < -kPxMax;
    return is_bad_offset || (t.peg == Peg::Mid && t.peg_offset > 0) ? Refusal::Peg : Refusal::None;
}

}  // namespace

EntryRules::EntryRules(const InstrumentRules& rules)
    : lot(rules.lot),
      qty_max(rules.qty_max),
      limit_collar_bps(rules.limit_collar_bps),
      market_collar_bps(rules.market_collar_bps),
      steps(u32(rules.ticks.size())) {
    std::copy(rules.ticks.begin(), rules.ticks.end(), table);
}

Refusal refuse_order(const EntryRules& rules, const Moment& now, Side side, const Terms& terms) {
    Refusal why = refuse_phase(now, terms);
    if (why == Refusal::None) why = refuse_type(terms);
    if (why == Refusal::None) why = refuse_px(rules, now.reference_px, side, terms);
    if (why == Refusal::None) why = refuse_qty(rules, terms);
    if (why == Refusal::None) why = refuse_post_only(terms);
    if (why == Refusal::None) why = refuse_stop_and_peg(rules, terms);
    return why;
}

}  // namespace openbell::exchange
