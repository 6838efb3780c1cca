#include "exchange/matching/engine.h"

#include <algorithm>

namespace openbell::exchange {
namespace {

i64 limit_of(const Terms& terms) { return has_limit(terms) ? terms.px : kMarketPx; }

bool is_plain(const Terms& t) {
    return t.type == OrderType::Limit && t.display == kWholeQty && t.min_qty == 0 && t.group == 0;
}

u8 traits_of(const Terms& t) {
    u8 traits = kSpecial;
    if (t.type == OrderType::Pegged) traits |= kPegged;
    if (t.type == OrderType::Pegged || t.display == 0)
        traits |= kHidden;
    else if (t.display > 0)
        traits |= kIceberg;
    if (t.min_qty > 0) traits |= kHasMinimum;
    if (t.group != 0) traits |= kGrouped;
    return traits;
}

}  // namespace

MatchingEngine::MatchingEngine(std::vector<InstrumentRules> rules, std::size_t orders_max, MatchSink& sink,
                               bool matches)
    : rules_(std::move(rules)),
      books_(rules_.size()),
      outsides_(rules_.size()),
      orders_(std::min(orders_max, kOrdersMax)),
      particulars_(std::min(orders_max, kOrdersMax) + 1),
      levels_(4 * rules_.size(), std::min(orders_max, kOrdersMax)),
      sink_(sink),
      matches_(matches) {
    if (orders_max == 0 || orders_max > kOrdersMax)
        throw Error(ErrorKind::Config, "orders_max: expected 1 to " + std::to_string(kOrdersMax) + ", found " +
                                           std::to_string(orders_max) + "; set [limits] orders_max");
    if (rules_.size() > kInstrumentsMax)
        throw Error(ErrorKind::Config, "instruments: expected at most " + std::to_string(kInstrumentsMax) + ", found " +
                                           std::to_string(rules_.size()));
    for (u32 i = 0; i < rules_.size(); ++i) {
        check(rules_[i]);
        books_[i].instrument = i;
        books_[i].is_pro_rata = rules_[i].allocation == Allocation::ProRata;
        const EntryRules entry(rules_[i]);
        const auto same = std::find(entry_rules_.begin(), entry_rules_.end(), entry);
        books_[i].rules = u32(same - entry_rules_.begin());
        if (same == entry_rules_.end()) entry_rules_.push_back(entry);
    }
    trade_.type = MatchEventType::Executed;
}

// ---- submit --------------------------------------------------------------------------------------

Submitted MatchingEngine::submit(u32 instrument, u32 account, Side side, const Terms& terms, u64 tag) {
    const Refusal why = refuse(instrument, side, terms);
    if (why != Refusal::None) return {0, why};
    const u32 slot = orders_.take();
    const u64 ref = next_ref(slot);
    OpenOrder& order = orders_[slot];
    order = {.ref = ref,
             .px = 0,
             .tag = tag,
             .leaves = 0,
             .joined = 0,
             .account = account,
             .level = 0,
             .prev = 0,
             .next = 0,
             .instrument = u16(instrument),
             .side = side,
             .tif = Tif::Day,
             .where = Where::Nowhere,
             .traits = 0,
             .pad = 0};
    put_terms(order, terms);
    count_in(account);
    tell(MatchEventType::Accepted, order, order.leaves);
    enter(order, terms.post_only);
    settle(books_[instrument]);
    return {ref, Refusal::None};
}

Refusal MatchingEngine::refuse(u32 instrument, Side side, const Terms& terms) const {
    const Refusal why = refuse_terms(instrument, side, terms);
    return why == Refusal::None && full() ? Refusal::Full : why;
}

Refusal MatchingEngine::refuse_terms(u32 instrument, Side side, const Terms& terms) const {
    const Book& book = books_[instrument];
    return refuse_order(entry_rules(book), {book.phase, book.closing_is_over, reference_px(instrument)}, side, terms);
}

void MatchingEngine::put_terms(OpenOrder& order, const Terms& terms) {
    order.px = limit_of(terms);
    order.leaves = terms.qty;
    order.tif = terms.tif;
    order.traits = 0;
    books_[order.instrument].open_qty += terms.qty;
    if (is_plain(terms)) return;
    order.traits = traits_of(terms);
    particulars_[slot_of(order.ref)] = {.limit = order.px,
                                        .display = terms.display,
                                        .shown = 0,
                                        .shown_ref = 0,
                                        .min_qty = terms.min_qty,
                                        .stop_px = terms.stop_px,
                                        .peg_offset = terms.peg_offset,
                                        .group = terms.group,
                                        .type = terms.type,
                                        .peg = terms.peg,
                                        .post_only = terms.post_only,
                                        .self_trade = terms.self_trade};
}

// ---- cancel --------------------------------------------------------------------------------------

bool MatchingEngine::reduce(u64 ref, i64 leaves, Cause cause) {
    const OpenOrder* found = find(ref);
    if (!found || leaves < 0 || leaves >= found->leaves) return false;
    OpenOrder& order = orders_[slot_of(ref)];
    Book& book = books_[order.instrument];
    if (leaves == 0) {
        cancel(book, order, cause);
    } else {
        const i64 qty = order.leaves - leaves;
        const i64 shown = shrink(book, order, qty);
        tell_reduced(order, qty, shown, cause);
    }
    settle(book);
    return true;
}

void MatchingEngine::cancel(Book& book, OpenOrder& order, Cause cause) {
    const i64 qty = order.leaves;
    const i64 shown = order.has(kUnseen) ? 0 : displayed_qty(order);
    leave(book, order);
    order.leaves = 0;
    book.open_qty -= qty;
    tell_reduced(order, qty, shown, cause);
    retire(book, order);
}

u32 MatchingEngine::mass_cancel(u32 account, std::optional<u32> instrument, std::optional<Side> side, Cause cause) {
    if (account >= open_of_.size()) return 0;
    std::vector<u64> refs;
    u32 left = open_of_[account];
    for (u32 slot = 1; slot <= orders_.used() && left > 0; ++slot) {
        const OpenOrder& order = orders_[slot];
        if (order.ref == 0 || order.account != account) continue;
        --left;
        if (order.instrument == instrument.value_or(order.instrument) && order.side == side.value_or(order.side))
            refs.push_back(order.ref);
    }
    std::sort(refs.begin(), refs.end());
    std::vector<u32> touched;
    for (u64 ref : refs) {
        OpenOrder& order = orders_[slot_of(ref)];
        touched.push_back(order.instrument);
        cancel(books_[order.instrument], order, cause);
    }
    std::sort(touched.begin(), touched.end());
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    for (u32 i : touched) settle(books_[i]);
    return u32(refs.size());
}

// ---- replace -------------------------------------------------------------------------------------

Submitted MatchingEngine::replace(u64 ref, const Terms& wanted, u64 tag) {
    const Refusal why = refuse_replace(ref, wanted);
    if (why != Refusal::None) return {0, why};
    OpenOrder& order = orders_[slot_of(ref)];
    const Terms terms = with_what_stays(order, wanted);
    order.tag = tag;
    u64 now = ref;
    if (keeps_place(order, terms))
        keep_place(order, terms);
    else
        now = give_up_place(order, terms);
    settle(books_[order.instrument]);
    return {now, Refusal::None};
}

Refusal MatchingEngine::refuse_replace(u64 ref, const Terms& wanted) const {
    const OpenOrder* order = find(ref);
    if (!order) return Refusal::NotLive;
    return refuse_terms(order->instrument, order->side, with_what_stays(*order, wanted));
}

// A replace cannot change the type, the peg and the group.
Terms MatchingEngine::with_what_stays(const OpenOrder& order, const Terms& wanted) const {
    Terms terms = wanted;
    const bool is_special = order.has(kSpecial);
    const Particulars& p = particulars_of(order);
    terms.type = is_special ? p.type : OrderType::Limit;
    terms.peg = is_special ? p.peg : Peg::None;
    terms.group = is_special ? p.group : 0;
    terms.self_trade = is_special ? p.self_trade : SelfTrade::Allow;
    return terms;
}

bool MatchingEngine::keeps_place(const OpenOrder& order, const Terms& terms) const {
    if (!terms.keeps_place || order.where != Where::Book || !may_rest(terms.tif) || terms.qty > order.leaves)
        return false;
    if (!order.has(kSpecial)) return terms.px == order.px && terms.display == kWholeQty && terms.min_qty == 0;
    const Particulars& p = particulars_of(order);
    if (terms.min_qty != p.min_qty) return false;
    if (order.has(kPegged)) return terms.px == p.limit && terms.peg_offset == p.peg_offset;
    return terms.px == order.px && terms.display == p.display;
}

void MatchingEngine::keep_place(OpenOrder& order, const Terms& terms) {
    const i64 qty = order.leaves - terms.qty;
    const i64 shown = shrink(books_[order.instrument], order, qty);
    const u64 ref = shown_ref(order);
    order.tif = terms.tif;
    if (order.has(kSpecial)) particulars_of(order).post_only = terms.post_only;
    tell_replaced(order, {.priority = Priority::Kept,
                          .shown_ref = ref,
                          .prev_ref = order.ref,
                          .prev_shown_ref = ref,
                          .qty = qty,
                          .shown_qty = shown});
}

// The order leaves the book, and in its slot a new one takes what the replace asks for. Its reference.
u64 MatchingEngine::give_up_place(OpenOrder& order, const Terms& terms) {
    Book& book = books_[order.instrument];
    const bool is_lost = is_only_later(order, terms);
    const u64 prev_ref = order.ref;
    const u64 prev_shown_ref = shown_ref(order);
    leave(book, order);
    if (order.has(kPegged)) forget_peg(book, prev_ref);
    book.open_qty -= order.leaves;
    const u64 ref = order.ref = next_ref(slot_of(prev_ref));
    put_terms(order, terms);
    tell_replaced(order, {.priority = is_lost ? Priority::Lost : Priority::Reentered,
                          .shown_ref = is_lost ? ref : 0,
                          .prev_ref = prev_ref,
                          .prev_shown_ref = prev_shown_ref});
    if (is_lost)
        rest(book, order, false);
    else
        enter(order, terms.post_only);
    return ref;
}

// Whether all that a replace does is that a displayed order joins the back of a level.
bool MatchingEngine::is_only_later(const OpenOrder& order, const Terms& terms) const {
    const Book& book = books_[order.instrument];
    return book.phase == Phase::Continuous && order.where == Where::Book && !order.has(kIceberg | kHidden | kUnseen) &&
           terms.type == OrderType::Limit && terms.display == kWholeQty && may_rest(terms.tif) &&
           within_bands(book, order.side, terms.px) == terms.px &&
           !reaches(book, order.side, ladder::key_of(opposite(order.side), terms.px));
}

// ---- what can be seen ----------------------------------------------------------------------------

Touch MatchingEngine::touch(u32 instrument, Side side) const { return displayed_best(books_[instrument], side); }

i64 MatchingEngine::depth_qty(u32 instrument, Side side, i64 px) const {
    const u32 level = levels_.find(books_[instrument].side(side), ladder::key_of(side, px));
    return level == 0 ? 0 : levels_[level].open_qty;
}

}  // namespace openbell::exchange
