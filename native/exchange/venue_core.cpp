#include "exchange/venue_core.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "exchange/ouch42_words.h"

namespace openbell::exchange {
namespace {

constexpr i64 kSecondNs = 1'000'000'000;
constexpr u32 kSecondsToLiveMax = 86'399;
constexpr std::size_t kInstrumentsMax = 0xFFFF;  // ITCH stock locate

char side_letter(Side side) { return side == Side::Buy ? 'B' : 'S'; }

std::vector<InstrumentRules> rules_of(const std::vector<ListedInstrument>& instruments) {
    std::vector<InstrumentRules> rules;
    for (const ListedInstrument& i : instruments) {
        rules.emplace_back();
        rules.back().symbol = i.symbol;
        rules.back().ticks = {{0, i.tick}};
        rules.back().round_lot = i.round_lot;
    }
    return rules;
}

ouch42::OrderTerms entered(const ouch42::EnterOrder& m) {
    return {.token = m.token,
            .side = m.side,
            .qty = m.qty,
            .symbol = m.symbol,
            .px = m.px,
            .tif = m.tif,
            .firm = m.firm,
            .display = m.display,
            .capacity = m.capacity,
            .iso = m.iso,
            .qty_min = m.qty_min,
            .cross = m.cross};
}

}  // namespace

std::size_t VenueCore::TokenHash::operator()(const ouch42::Token& token) const {
    return std::hash<std::string_view>{}(token.raw());
}

VenueCore::VenueCore(std::vector<ListedInstrument> instruments, i64 midnight_ns, const VenueLimits& limits,
                     bool matches)
    : instruments_(std::move(instruments)),
      states_(instruments_.size(), 'T'),
      engine_(rules_of(instruments_), limits.orders_max, *this, matches),
      store_(limits.memory_dir),
      itch_(store_, limits.messages_max),
      limits_(limits),
      midnight_ns_(midnight_ns),
      now_ns_(midnight_ns),
      matches_(matches) {
    if (instruments_.empty() || instruments_.size() > kInstrumentsMax)
        throw Error(ErrorKind::Config,
                    "instruments: expected 1 to 65535, found " + std::to_string(instruments_.size()));
    for (u32 i = 0; i < instruments_.size(); ++i) engine_.set_phase(i, Phase::Continuous);
}

u32 VenueCore::add_account(bool internal) {
    Account& account = accounts_.emplace_back(store_, limits_.messages_max);
    account.internal = internal;
    account.holdings.resize(instruments_.size());
    return u32(accounts_.size() - 1);
}

// ---- the day -------------------------------------------------------------------------------------

u32 VenueCore::add_drop_copy(const std::vector<std::pair<u32, std::string>>& accounts) {
    MessageLog& copy = drop_copies_.emplace_back(store_, limits_.messages_max);
    for (const auto& [account, name] : accounts) accounts_.at(account).reports.copy_to(copy, name);
    return u32(drop_copies_.size() - 1);
}

void VenueCore::note_changed(u32 account) {
    if (std::exchange(accounts_[account].has_changed, true)) return;
    changed_.push_back(account);
}

std::vector<u32> VenueCore::take_changed_accounts() {
    for (u32 account : changed_) accounts_[account].has_changed = false;
    return std::exchange(changed_, {});
}

void VenueCore::divert(std::optional<u32> account, bool on) {
    log_of(account).divert(on);
    if (account) note_changed(*account);
}

void VenueCore::settle(std::optional<u32> account, const std::vector<Bytes>& messages) {
    log_of(account).settle(messages);
    if (account) note_changed(*account);
}

void VenueCore::open_day(i64 now_ns) {
    advance_clock(now_ns);
    system_event('O');
    for (u32 i = 0; i < instruments_.size(); ++i) {
        itch50::StockDirectory directory;
        static_cast<itch50::Head&>(directory) = head(i);
        directory.symbol = itch50::Symbol(instruments_[i].symbol);
        directory.round_lot = instruments_[i].round_lot;
        publish_message(directory);
    }
    open_ = true;
    for (u32 i = 0; i < instruments_.size(); ++i) set_state(i, states_[i], now_ns);
    system_event('S');
    system_event('Q');
    report_to_all('S');
}

void VenueCore::close_day(i64 now_ns) {
    if (!open_) return;
    advance_clock(now_ns);
    for (LedgerOrder& order : orders_)
        if (order.leaves_qty > 0) engine_.reduce(order.order_id, 0, Cause::Close);
    open_ = false;
    system_event('M');
    system_event('E');
    system_event('C');
    report_to_all('E');
}

void VenueCore::set_state(u32 instrument, char state, i64 now_ns) {
    advance_clock(now_ns);
    states_.at(instrument) = state;
    itch50::TradingAction action;
    static_cast<itch50::Head&>(action) = head(instrument);
    action.symbol = itch50::Symbol(instruments_[instrument].symbol);
    action.state = state;
    publish_message(action);
}

void VenueCore::advance(i64 now_ns) {
    advance_clock(now_ns);
    while (!expiries_.empty() && expiries_.begin()->first <= now_ns_) {
        LedgerOrder& order = orders_[expiries_.begin()->second];
        expiries_.erase(expiries_.begin());
        if (order.leaves_qty > 0) engine_.reduce(order.order_id, 0, Cause::Timeout);
    }
}

// ---- what clients ask ----------------------------------------------------------------------------

bool VenueCore::receive(u32 account, Bytes message, i64 now_ns) {
    advance(now_ns);
    auto why = ouch42::Inbound::visit(message, [&](const auto& m) { on_message(account, m); });
    if (why != Undecoded::None) ++counters_.malformed;
    return why == Undecoded::None;
}

void VenueCore::on_message(u32 account, const ouch42::EnterOrder& m) {
    if (accounts_.at(account).tokens.contains(m.token)) return void(++counters_.duplicate_tokens);
    LedgerOrder order{.token = m.token, .account = account, .qty = m.qty, .leaves_qty = m.qty, .terms = entered(m)};
    auto listed = std::find_if(instruments_.begin(), instruments_.end(),
                               [&](const auto& i) { return i.symbol == m.symbol.trimmed(); });
    if (listed == instruments_.end()) return reject(account, order, 'S');
    order.instrument = u32(listed - instruments_.begin());
    order.px = px_of(m.px);
    char reason = refusal_of_state(order.instrument);
    if (reason == '\0') reason = refusal(order.terms, order.instrument);
    const Terms terms = terms_of(order.terms, m.qty);
    const Refusal why = engine_.refuse(order.instrument, side_of(m.side), terms);
    if (reason == '\0' && why != Refusal::None) reason = letter_of(why);
    if (reason != '\0') return reject(account, order, reason);
    u32 index = u32(orders_.size());
    orders_.push_back(order);
    if (!remember_token(accounts_[account], index)) return;
    accounts_[account].open.insert(index);
    arm_expiry(order, index);
    engine_.submit(order.instrument, account, side_of(m.side), terms, index + 1);
}

void VenueCore::on_message(u32 account, const ouch42::ReplaceOrder& m) {
    LedgerOrder* prev = live(account, m.prev_token);
    if (!prev || accounts_[account].tokens.contains(m.token)) return void(++counters_.dead_orders);
    LedgerOrder order = *prev;
    order.token = order.terms.token = m.token;
    order.prev_token = m.prev_token;
    order.px = px_of(m.px);
    order.qty = m.qty;
    order.leaves_qty = order.qty - order.cum_qty;
    order.terms.qty = m.qty;
    order.terms.px = m.px;
    order.terms.tif = m.tif;
    order.terms.display = m.display;
    order.terms.iso = m.iso;
    order.terms.qty_min = m.qty_min;
    if (char reason = refusal_of_state(order.instrument)) return reject(account, order, reason);
    // Details that cannot be: the order is taken out of the book and the new token stays unused.
    const Terms terms = terms_of(order.terms, order.leaves_qty);
    const Refusal why = engine_.refuse(order.instrument, side_of(order.terms.side), terms);
    const bool is_refused = why != Refusal::None && why != Refusal::Full;
    if (order.leaves_qty <= 0 || refusal(order.terms, order.instrument) || is_refused)
        return void(engine_.reduce(prev->order_id, 0, Cause::User));
    u32 index = u32(orders_.size());
    orders_.push_back(order);
    if (!remember_token(accounts_[account], index)) return;
    accounts_[account].open.insert(index);
    arm_expiry(order, index);
    engine_.replace(prev->order_id, terms, index + 1);
}

void VenueCore::on_message(u32 account, const ouch42::CancelOrder& m) {
    LedgerOrder* order = live(account, m.token);
    if (!order) return void(++counters_.dead_orders);
    i64 leaves = std::max<i64>(0, i64(m.qty) - order->cum_qty);
    if (engine_.reduce(order->order_id, leaves, Cause::User) && leaves > 0) order->qty = m.qty;
}

void VenueCore::cancel_all(u32 account, i64 now_ns) {
    advance(now_ns);
    const std::vector<u32> open(accounts_.at(account).open.begin(), accounts_.at(account).open.end());
    for (u32 index : open) engine_.reduce(orders_[index].order_id, 0, Cause::Disconnect);
}

char VenueCore::refusal_of_state(u32 instrument) const {
    if (!open_) return 'C';
    return states_[instrument] == 'T' ? '\0' : 'H';
}

// OUCH 4.2, reject reasons; NUL: nothing is wrong.
char VenueCore::refusal(const ouch42::OrderTerms& t, u32 instrument) const {
    bool market = t.px == ouch42::kMarketPx;
    if (std::string_view("BSTE").find(t.side) == std::string_view::npos) return 'O';
    if (t.qty == 0 || t.qty >= ouch42::kQtyLimit) return 'Z';
    if (!market && (t.px == 0 || t.px > ouch42::kPxMax || t.px % instruments_[instrument].tick != 0)) return 'X';
    if (std::string_view("AYP").find(t.display) == std::string_view::npos) return 'D';
    if (t.cross != 'N') return 'R';
    if (t.qty_min > t.qty || (t.qty_min > 0 && t.tif != ouch42::kTifImmediate)) return 'N';
    bool known_tif = t.tif <= kSecondsToLiveMax || t.tif == ouch42::kTifMarketHours || t.tif == ouch42::kTifSystemHours;
    return known_tif ? '\0' : 'O';
}

void VenueCore::reject(u32 account, LedgerOrder order, char reason) {
    order.state = TokenState::Rejected;
    order.leaves_qty = 0;
    u32 index = u32(orders_.size());
    orders_.push_back(order);
    if (!remember_token(accounts_[account], index)) return;
    report(account, ouch42::Rejected{since_midnight(), order.token, reason});
}

// The last order entered is put under its token; without room for it, it is as if it had never arrived.
bool VenueCore::remember_token(Account& account, u32 index) {
    if (orders_.size() > limits_.tokens_max) {
        orders_.pop_back();
        ++counters_.tokens_full;
        return false;
    }
    account.tokens.emplace(orders_[index].token, index);
    account.orders.push_back(index);
    return true;
}

LedgerOrder* VenueCore::live(u32 account, const ouch42::Token& token) {
    const auto& tokens = accounts_.at(account).tokens;
    auto found = tokens.find(token);
    if (found == tokens.end() || orders_[found->second].leaves_qty == 0) return nullptr;
    return &orders_[found->second];
}

void VenueCore::arm_expiry(const LedgerOrder& order, u32 index) {
    if (order.terms.tif == 0 || order.terms.tif > kSecondsToLiveMax) return;
    expiries_.emplace(now_ns_ + i64(order.terms.tif) * kSecondNs, index);
}

u64 VenueCore::submit(u32 account, u32 instrument, Side side, const Terms& terms, i64 now_ns) {
    advance(now_ns);
    if (refusal_of_state(instrument) != '\0') return 0;
    Terms typed = terms;
    typed.type = terms.px == kMarketPx ? OrderType::Market : OrderType::Limit;
    u64 order_id = engine_.submit(instrument, account, side, typed, 0).ref;
    return engine_.find(order_id) ? order_id : 0;
}

bool VenueCore::reduce(u64 order_id, i64 leaves, i64 now_ns) {
    advance(now_ns);
    const Resting* order = engine_.find(order_id);
    return order && order->tag == 0 && engine_.reduce(order_id, leaves, Cause::User);
}

i64 VenueCore::leaves(u64 order_id) const {
    const Resting* order = engine_.find(order_id);
    return order ? order->leaves : 0;
}

// ---- what the engine says ------------------------------------------------------------------------

void VenueCore::on_match_event(const MatchEvent& e) {
    switch (e.type) {
        case MatchEventType::Accepted: return on_accepted(e);
        case MatchEventType::Executed: return on_executed(e);
        case MatchEventType::Replaced: return on_replaced(e);
        case MatchEventType::Discarded: return on_withdrawn(e);
        case MatchEventType::Reduced:
            if (e.leaves == 0)
                publish_message(itch50::OrderDelete{head(e.instrument), e.ref});
            else
                publish_message(itch50::OrderCancel{head(e.instrument), e.ref, u32(e.qty)});
            return on_withdrawn(e);
        case MatchEventType::Rested:
            publish_message(itch50::AddOrder{head(e.instrument), e.ref, side_letter(e.side), u32(e.qty),
                                             itch50::Symbol(instruments_[e.instrument].symbol), u32(e.px)});
            return;
        case MatchEventType::Refreshed:
        case MatchEventType::Repriced:
        case MatchEventType::Triggered:
        case MatchEventType::Crossed:
        case MatchEventType::PhaseChanged: return;
    }
}

void VenueCore::on_accepted(const MatchEvent& e) {
    if (e.tag == 0) return;
    LedgerOrder& order = orders_[e.tag - 1];
    order.order_id = e.ref;
    ouch42::Accepted accepted;
    static_cast<ouch42::OrderTerms&>(accepted) = order.terms;
    accepted.ts = since_midnight();
    accepted.order_id = e.ref;
    report(e.account, accepted);
}

void VenueCore::on_executed(const MatchEvent& e) {
    publish_message(itch50::OrderExecuted{head(e.instrument), e.ref, u32(e.qty), e.match_number});
    Side aggressor_side = e.side == Side::Buy ? Side::Sell : Side::Buy;
    hold(e.account, e.instrument, e.side, e.px, e.qty);
    hold(e.aggressor_account, e.instrument, aggressor_side, e.px, e.qty);
    fill(e.tag, e, 'A');
    fill(e.aggressor_tag, e, 'R');
}

void VenueCore::fill(u64 tag, const MatchEvent& e, char liquidity) {
    if (tag == 0) return;
    u32 index = u32(tag - 1);
    LedgerOrder& order = orders_[index];
    order.cum_qty += e.qty;
    order.leaves_qty -= e.qty;
    order.state = TokenState::PartiallyFilled;
    accounts_[order.account].fills.push_back({e.match_number, index, e.px, e.qty});
    ouch42::Executed executed;
    static_cast<ouch42::Execution&>(executed) = {since_midnight(), order.token, u32(e.qty),
                                                 u32(e.px),        liquidity,   e.match_number};
    report(order.account, executed);
    if (order.leaves_qty == 0) finish(order, TokenState::Filled, index);
}

// Quantity that was canceled, of a resting order or of one that could not rest.
void VenueCore::on_withdrawn(const MatchEvent& e) {
    if (e.tag == 0) return;
    u32 index = u32(e.tag - 1);
    LedgerOrder& order = orders_[index];
    order.leaves_qty -= e.qty;
    report(order.account, ouch42::Canceled{since_midnight(), order.token, u32(e.qty), reason_letter(e.cause)});
    if (order.leaves_qty == 0)
        finish(order, e.cause == Cause::Timeout ? TokenState::Expired : TokenState::Canceled, index);
}

void VenueCore::on_replaced(const MatchEvent& e) {
    if (e.priority == Priority::Lost)
        publish_message(itch50::OrderReplace{head(e.instrument), e.prev_ref, e.ref, u32(e.leaves), u32(e.px)});
    else if (e.priority == Priority::Reentered)
        publish_message(itch50::OrderDelete{head(e.instrument), e.prev_ref});
    else if (e.qty > 0)
        publish_message(itch50::OrderCancel{head(e.instrument), e.ref, u32(e.qty)});
    if (e.tag == 0) return;
    LedgerOrder& order = orders_[e.tag - 1];
    u32 prev = accounts_[order.account].tokens.at(order.prev_token);
    order.order_id = e.ref;
    order.state = order.cum_qty > 0 ? TokenState::PartiallyFilled : TokenState::New;
    orders_[prev].leaves_qty = 0;
    finish(orders_[prev], TokenState::Replaced, prev);
    ouch42::Replaced replaced;
    static_cast<ouch42::OrderTerms&>(replaced) = order.terms;
    replaced.ts = since_midnight();
    replaced.qty = u32(e.leaves);
    replaced.order_id = e.ref;
    replaced.prev_token = order.prev_token;
    report(order.account, replaced);
}

void VenueCore::finish(LedgerOrder& order, TokenState state, u32 index) {
    order.state = state;
    accounts_[order.account].open.erase(index);
}

void VenueCore::hold(u32 account, u32 instrument, Side side, i64 px, i64 qty) {
    Holding& holding = accounts_.at(account).holdings[instrument];
    i64 notional = 0;
    i64 sign = side == Side::Buy ? 1 : -1;
    bool overflow = __builtin_mul_overflow(px, qty, &notional);
    overflow |= __builtin_sub_overflow(holding.cash, sign * notional, &holding.cash);
    overflow |= __builtin_add_overflow(holding.position, sign * qty, &holding.position);
    if (overflow) throw Error(ErrorKind::Invariant, "ledger: cash or position of an account left 64 bits");
}

template <class Message>
void VenueCore::publish_message(const Message& message) {
    if (!matches_) return;  // a tape that is passed through is all that is published
    u8 buffer[itch50::kMessageBytesMax];
    ByteWriter out(buffer);
    encode(message, out);
    itch_.append(out.written());
}

template <class Message>
void VenueCore::report(u32 account, const Message& message) {
    if (accounts_.at(account).internal) return;
    u8 buffer[ouch42::kMessageBytesMax];
    ByteWriter out(buffer);
    encode(message, out);
    accounts_[account].reports.append(out.written());
    note_changed(account);
}

void VenueCore::system_event(char event) {
    itch50::SystemEvent message;
    message.ts = since_midnight();
    message.event = event;
    publish_message(message);
}

void VenueCore::report_to_all(char event) {
    for (u32 account = 0; account < accounts_.size(); ++account)
        report(account, ouch42::SystemEvent{since_midnight(), event});
}

}  // namespace openbell::exchange
