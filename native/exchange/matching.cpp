#include "exchange/matching.h"

#include <algorithm>

namespace openbell::exchange {
namespace {

constexpr std::size_t kLevelsReserved = 1024;  // per side; a book deeper than this grows once
constexpr i64 kAnyKey = std::numeric_limits<i64>::min();

constexpr Side opposite(Side side) { return side == Side::Buy ? Side::Sell : Side::Buy; }
constexpr i64 key_of(Side side, i64 px) { return side == Side::Buy ? px : -px; }
constexpr i64 px_of(Side side, i64 key) { return side == Side::Buy ? key : -key; }
// The worst key of the opposite side that an order of `side` at `px` still trades with.
constexpr i64 worst_key_of(Side side, i64 px) { return px == kMarketPx ? kAnyKey : key_of(opposite(side), px); }

auto find_level(auto& levels, i64 key) {
    return std::lower_bound(levels.begin(), levels.end(), key, [](const auto& level, i64 k) { return level.key < k; });
}

}  // namespace

MatchingEngine::MatchingEngine(u32 instruments, std::size_t orders_max, MatchSink& sink, bool matches)
    : books_(instruments), sink_(sink), matches_(matches) {
    if (orders_max == 0 || orders_max > kOrdersMax)
        throw Error(ErrorKind::Config, "orders_max: expected 1 to " + std::to_string(kOrdersMax) + ", found " +
                                           std::to_string(orders_max) + "; set [limits] orders_max");
    slab_.resize(orders_max + 1);
    free_.reserve(orders_max);
    for (std::size_t slot = orders_max; slot > 0; --slot) free_.push_back(u32(slot));
    for (Book& book : books_)
        for (Levels& side : book.levels) side.reserve(kLevelsReserved);
}

u64 MatchingEngine::submit(u32 instrument, u32 account, Side side, const Terms& terms, u64 tag) {
    u64 ref = take_slot();
    if (ref == 0) return 0;
    Resting& order = at(ref);
    order = {ref, tag, terms.px, terms.qty, instrument, account, 0, 0, side};
    emit(MatchEventType::Accepted, order, terms.qty);
    enter(order, terms);
    return ref;
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

u64 MatchingEngine::replace(u64 ref, const Terms& terms, u64 tag) {
    if (!find(ref)) return 0;
    Resting& order = at(ref);
    MatchEvent event{.type = MatchEventType::Replaced,
                     .side = order.side,
                     .instrument = order.instrument,
                     .account = order.account,
                     .ref = ref,
                     .tag = tag,
                     .prev_ref = ref,
                     .px = terms.px,
                     .qty = order.leaves - terms.qty,
                     .leaves = terms.qty};
    bool may_rest = terms.px != kMarketPx && (terms.tif == Tif::Day || terms.tif == Tif::Gtc);
    order.tag = tag;
    if (may_rest && terms.px == order.px && terms.qty <= order.leaves) {
        find_level(levels(order.instrument, order.side), key_of(order.side, order.px))->qty -= event.qty;
        order.leaves = terms.qty;
        event.priority = Priority::Kept;
        sink_.on_match_event(event);
        return ref;
    }
    leave_level(order);
    order.ref = ref = ++serial_ << kSlotBits | (ref & kOrdersMax);
    order.px = terms.px;
    order.leaves = terms.qty;
    bool rests = may_rest && !crosses(order.instrument, order.side, terms.px);
    event.ref = ref;
    event.priority = rests ? Priority::Lost : Priority::Reentered;
    sink_.on_match_event(event);
    if (rests)
        join_level(order);
    else
        enter(order, terms);
    return ref;
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
    i64 worst_key = worst_key_of(order.side, terms.px);
    if (terms.post_only && crosses(order.instrument, order.side, terms.px)) return discard(order, Cause::PostOnly);
    if (may_trade(order, terms, worst_key)) trade(order, worst_key);
    if (order.leaves == 0) return free_slot(order.ref);
    if (terms.px == kMarketPx || terms.tif == Tif::Ioc || terms.tif == Tif::Fok)
        return discard(order, Cause::ImmediateOrCancel);
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
    if (resting.leaves == 0) leave_level(resting);
    MatchEvent event{.type = MatchEventType::Executed,
                     .side = resting.side,
                     .instrument = resting.instrument,
                     .account = resting.account,
                     .aggressor_account = aggressor.account,
                     .ref = resting.ref,
                     .tag = resting.tag,
                     .aggressor_ref = aggressor.ref,
                     .aggressor_tag = aggressor.tag,
                     .match_number = ++match_number_,
                     .px = resting.px,
                     .qty = qty,
                     .leaves = resting.leaves};
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
    sink_.on_match_event({.type = type,
                          .side = order.side,
                          .cause = cause,
                          .instrument = order.instrument,
                          .account = order.account,
                          .ref = order.ref,
                          .tag = order.tag,
                          .px = order.px,
                          .qty = qty,
                          .leaves = order.leaves});
}

}  // namespace openbell::exchange
