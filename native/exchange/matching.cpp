#include "exchange/matching.h"

#include <algorithm>

#include "exchange/refusal.h"

namespace openbell::exchange {
namespace {

constexpr std::size_t kLevelsReserved = 1024;  // per side; a book deeper than this grows once
constexpr i64 kAnyKey = std::numeric_limits<i64>::min();

constexpr i64 limit_of(const Terms& terms) { return has_limit(terms) ? terms.px : kMarketPx; }
constexpr Side opposite(Side side) { return side == Side::Buy ? Side::Sell : Side::Buy; }
constexpr i64 key_of(Side side, i64 px) { return side == Side::Buy ? px : -px; }
constexpr i64 px_of(Side side, i64 key) { return side == Side::Buy ? key : -key; }
// The worst key of the opposite side that an order of `side` at `px` still trades with.
constexpr i64 worst_key_of(Side side, i64 px) { return px == kMarketPx ? kAnyKey : key_of(opposite(side), px); }

auto find_level(auto& levels, i64 key) {
    return std::lower_bound(levels.begin(), levels.end(), key, [](const auto& level, i64 k) { return level.key < k; });
}

}  // namespace

MatchingEngine::MatchingEngine(std::vector<InstrumentRules> rules, std::size_t orders_max, MatchSink& sink,
                               bool matches)
    : books_(rules.size()), sink_(sink), matches_(matches) {
    if (orders_max == 0 || orders_max > kOrdersMax)
        throw Error(ErrorKind::Config, "orders_max: expected 1 to " + std::to_string(kOrdersMax) + ", found " +
                                           std::to_string(orders_max) + "; set [limits] orders_max");
    slab_.resize(orders_max + 1);
    free_.reserve(orders_max);
    for (std::size_t slot = orders_max; slot > 0; --slot) free_.push_back(u32(slot));
    for (std::size_t i = 0; i < rules.size(); ++i) {
        books_[i].rules = std::move(rules[i]);
        for (Levels& side : books_[i].levels) side.reserve(kLevelsReserved);
    }
}

Submitted MatchingEngine::submit(u32 instrument, u32 account, Side side, const Terms& terms, u64 tag) {
    Refusal why = refuse(instrument, side, terms);
    if (why != Refusal::None) return {0, why};
    u64 ref = take_slot();
    Resting& order = at(ref);
    order = {ref, tag, limit_of(terms), terms.qty, instrument, account, 0, 0, side};
    emit(MatchEventType::Accepted, order, terms.qty);
    enter(order, terms);
    return {ref, Refusal::None};
}

Refusal MatchingEngine::refuse(u32 instrument, Side side, const Terms& terms) const {
    Refusal why = refuse_terms(instrument, side, terms);
    return why == Refusal::None && full() ? Refusal::Full : why;
}

Refusal MatchingEngine::refuse_terms(u32 instrument, Side side, const Terms& terms) const {
    const bool is_plain = (terms.type == OrderType::Limit || terms.type == OrderType::Market) &&
                          terms.display == kWholeQty && terms.post_only != PostOnly::Slide && terms.group == 0 &&
                          terms.tif != Tif::AtOpen && terms.tif != Tif::AtClose;
    if (!is_plain || is_call(phase(instrument))) return Refusal::Type;
    return refuse_order(rules(instrument), {phase(instrument), false, reference_px(instrument)}, side, terms);
}

i64 MatchingEngine::reference_px(u32 instrument) const {
    const Book& book = books_[instrument];
    return book.last_px != 0 ? book.last_px : book.rules.listed_px;
}

void MatchingEngine::set_phase(u32 instrument, Phase phase) {
    if (books_[instrument].phase == phase) return;
    books_[instrument].phase = phase;
    sink_.on_match_event({.type = MatchEventType::PhaseChanged, .phase = phase, .instrument = instrument});
}

u32 MatchingEngine::mass_cancel(u32 account, std::optional<u32> instrument, std::optional<Side> side, Cause cause) {
    std::vector<u64> refs;
    for (const Resting& order : slab_)
        if (order.ref != 0 && order.account == account && order.instrument == instrument.value_or(order.instrument) &&
            order.side == side.value_or(order.side))
            refs.push_back(order.ref);
    std::sort(refs.begin(), refs.end());
    for (u64 ref : refs) reduce(ref, 0, cause);
    return u32(refs.size());
}

bool MatchingEngine::reduce(u64 ref, i64 leaves, Cause cause) {
    const Resting* found = find(ref);
    if (!found || leaves < 0 || leaves >= found->leaves) return false;
    Resting& order = at(ref);
    i64 taken = order.leaves - leaves;
    if (leaves == 0)
        leave_level(order);
    else
        find_level(levels(order.instrument, order.side), key_of(order.side, order.px))->qty -= taken;
    order.leaves = leaves;
    emit(MatchEventType::Reduced, order, taken, cause);
    if (leaves == 0) free_slot(ref);
    return true;
}

Submitted MatchingEngine::replace(u64 ref, const Terms& terms, u64 tag) {
    if (!find(ref)) return {0, Refusal::NotLive};
    Resting& order = at(ref);
    Refusal why = refuse_terms(order.instrument, order.side, terms);
    if (why != Refusal::None) return {0, why};
    i64 px = limit_of(terms);
    MatchEvent event{.type = MatchEventType::Replaced,
                     .side = order.side,
                     .instrument = order.instrument,
                     .account = order.account,
                     .ref = ref,
                     .tag = tag,
                     .shown_ref = ref,
                     .prev_ref = ref,
                     .prev_shown_ref = ref,
                     .px = px,
                     .qty = order.leaves - terms.qty,
                     .leaves = terms.qty};
    bool rests = px != kMarketPx && may_rest(terms.tif);
    order.tag = tag;
    if (rests && terms.keeps_place && px == order.px && terms.qty <= order.leaves) {
        find_level(levels(order.instrument, order.side), key_of(order.side, order.px))->qty -= event.qty;
        order.leaves = terms.qty;
        event.priority = Priority::Kept;
        event.shown_qty = event.qty;
        sink_.on_match_event(event);
        return {ref, Refusal::None};
    }
    leave_level(order);
    order.ref = ref = ++serial_ << kSlotBits | (ref & kOrdersMax);
    order.px = px;
    order.leaves = terms.qty;
    rests = rests && !crosses(order.instrument, order.side, px);
    event.ref = ref;
    event.priority = rests ? Priority::Lost : Priority::Reentered;
    event.shown_ref = rests ? ref : 0;
    event.qty = 0;
    sink_.on_match_event(event);
    if (rests)
        join_level(order);
    else
        enter(order, terms);
    return {ref, Refusal::None};
}

const Resting* MatchingEngine::find(u64 ref) const {
    std::size_t slot = ref & kOrdersMax;
    if (slot >= slab_.size() || ref == 0 || slab_[slot].ref != ref) return nullptr;
    return &slab_[slot];
}

Touch MatchingEngine::touch(u32 instrument, Side side) const {
    const Levels& book = levels(instrument, side);
    if (book.empty()) return {};
    return {px_of(side, book.back().key), book.back().qty};
}

i64 MatchingEngine::depth_qty(u32 instrument, Side side, i64 px) const {
    const Levels& book = levels(instrument, side);
    auto level = find_level(book, key_of(side, px));
    return level == book.end() || level->key != key_of(side, px) ? 0 : level->qty;
}

u64 MatchingEngine::take_slot() {
    if (free_.empty()) return 0;
    u32 slot = free_.back();
    free_.pop_back();
    return ++serial_ << kSlotBits | slot;
}

void MatchingEngine::free_slot(u64 ref) {
    at(ref).ref = 0;
    free_.push_back(u32(ref & kOrdersMax));
}

// An order that is in the slab and in no level: trades what it may, then rests or goes.
void MatchingEngine::enter(Resting& order, const Terms& terms) {
    i64 worst_key = worst_key_of(order.side, order.px);
    if (terms.post_only != PostOnly::No && crosses(order.instrument, order.side, order.px))
        return discard(order, Cause::PostOnly);
    if (may_trade(order, terms, worst_key)) trade(order, worst_key);
    if (order.leaves == 0) return free_slot(order.ref);
    if (order.px == kMarketPx || !may_rest(terms.tif)) return discard(order, Cause::ImmediateOrCancel);
    rest(order);
}

void MatchingEngine::trade(Resting& aggressor, i64 worst_key) {
    Levels& book = levels(aggressor.instrument, opposite(aggressor.side));
    while (aggressor.leaves > 0 && !book.empty() && book.back().key >= worst_key) {
        Resting& resting = slab_[book.back().head];
        execute(resting, aggressor, std::min(resting.leaves, aggressor.leaves));
    }
}

void MatchingEngine::execute(Resting& resting, Resting& aggressor, i64 qty) {
    resting.leaves -= qty;
    aggressor.leaves -= qty;
    levels(resting.instrument, resting.side).back().qty -= qty;
    books_[resting.instrument].last_px = resting.px;
    if (resting.leaves == 0) leave_level(resting);
    MatchEvent event{.type = MatchEventType::Executed,
                     .side = resting.side,
                     .instrument = resting.instrument,
                     .account = resting.account,
                     .aggressor_account = aggressor.account,
                     .ref = resting.ref,
                     .tag = resting.tag,
                     .shown_ref = resting.ref,
                     .aggressor_ref = aggressor.ref,
                     .aggressor_tag = aggressor.tag,
                     .match_number = ++match_number_,
                     .px = resting.px,
                     .qty = qty,
                     .leaves = resting.leaves,
                     .aggressor_leaves = aggressor.leaves};
    sink_.on_match_event(event);
    if (resting.leaves == 0) free_slot(resting.ref);
}

// False for a minimum quantity that the book cannot fill now; FOK is a minimum of everything.
bool MatchingEngine::may_trade(const Resting& order, const Terms& terms, i64 worst_key) const {
    if (!matches_) return false;
    i64 wanted = terms.tif == Tif::Fok ? order.leaves : terms.min_qty;
    const Levels& book = levels(order.instrument, opposite(order.side));
    for (auto level = book.rbegin(); wanted > 0 && level != book.rend() && level->key >= worst_key; ++level)
        wanted -= level->qty;
    return wanted <= 0;
}

bool MatchingEngine::crosses(u32 instrument, Side side, i64 px) const {
    const Levels& book = levels(instrument, opposite(side));
    return matches_ && !book.empty() && book.back().key >= worst_key_of(side, px);
}

void MatchingEngine::rest(Resting& order) {
    join_level(order);
    emit(MatchEventType::Rested, order, order.leaves);
}

void MatchingEngine::join_level(Resting& order) {
    Levels& book = levels(order.instrument, order.side);
    i64 key = key_of(order.side, order.px);
    auto level = find_level(book, key);
    if (level == book.end() || level->key != key) level = book.insert(level, Level{key, 0, 0, 0});
    u32 slot = u32(order.ref & kOrdersMax);
    order.prev = level->tail;
    order.next = 0;
    (level->tail ? slab_[level->tail].next : level->head) = slot;
    level->tail = slot;
    level->qty += order.leaves;
    ++open_;
}

// Takes the order, with whatever it still has, out of its level; an empty level goes.
void MatchingEngine::leave_level(Resting& order) {
    Levels& book = levels(order.instrument, order.side);
    auto level = find_level(book, key_of(order.side, order.px));
    level->qty -= order.leaves;
    (order.prev ? slab_[order.prev].next : level->head) = order.next;
    (order.next ? slab_[order.next].prev : level->tail) = order.prev;
    if (level->head == 0) book.erase(level);
    --open_;
}

void MatchingEngine::discard(Resting& order, Cause cause) {
    i64 qty = order.leaves;
    order.leaves = 0;
    emit(MatchEventType::Discarded, order, qty, cause);
    free_slot(order.ref);
}

void MatchingEngine::emit(MatchEventType type, const Resting& order, i64 qty, Cause cause) {
    const bool is_shown = type == MatchEventType::Rested || type == MatchEventType::Reduced;
    sink_.on_match_event({.type = type,
                          .side = order.side,
                          .cause = cause,
                          .instrument = order.instrument,
                          .account = order.account,
                          .ref = order.ref,
                          .tag = order.tag,
                          .shown_ref = is_shown ? order.ref : 0,
                          .px = order.px,
                          .qty = qty,
                          .shown_qty = type == MatchEventType::Reduced ? qty : 0,
                          .leaves = order.leaves});
}

}  // namespace openbell::exchange
