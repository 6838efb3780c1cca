// Inputs: what each one is, and what it does.
#include "exchange/venue_core.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace openbell::exchange {
namespace {

constexpr std::size_t kInstrumentsMax = 0xFFFF;  // ITCH stock locate

Phase phase_of(char state) {
    if (state == 'T') return Phase::Continuous;
    return state == 'H' ? Phase::Halted : Phase::ReopeningCall;
}

u64 key_of(const Alpha<8>& symbol) {
    u64 key = 0;
    std::memcpy(&key, symbol.chars.data(), sizeof key);
    return key;
}

}  // namespace

VenueCore::VenueCore(std::vector<InstrumentRules> instruments, i64 midnight_ns, const VenueLimits& limits, bool matches)
    : rules_(std::move(instruments)),
      is_pause_(rules_.size()),
      limits_(limits),
      matches_(matches),
      clock_{midnight_ns, midnight_ns, 0},
      store_(limits.memory_dir),
      engine_(rules_, limits.orders_max, *this, matches),
      itch_(store_, limits.messages_max, clock_, !matches),
      ledger_(store_),
      orders_(limits.orders_max),
      names_(limits.tokens_max) {
    if (rules_.empty() || rules_.size() > kInstrumentsMax)
        throw Error(ErrorKind::Config, "instruments: expected 1 to 65535, found " + std::to_string(rules_.size()));
    for (u32 i = 0; i < rules_.size(); ++i) {
        itch_.add_instrument(rules_[i].symbol, rules_[i].round_lot);
        symbols_.emplace_back(key_of(itch_.symbol(i)), i);
    }
    std::sort(symbols_.begin(), symbols_.end());
}

u32 VenueCore::find_instrument(const Alpha<8>& symbol) const {
    const u64 key = key_of(symbol);
    const auto at = std::lower_bound(symbols_.begin(), symbols_.end(), std::pair<u64, u32>(key, 0));
    return at == symbols_.end() || at->first != key ? kNoInstrument : at->second;
}

// ---- configuration -------------------------------------------------------------------------------

u32 VenueCore::add_account(const AccountSettings& settings) {
    const Door* door = nullptr;
    if (settings.protocol == Protocol::Ouch42) door = &ouch42_;
    if (settings.protocol == Protocol::Ouch50) door = &ouch50_;
    accounts_.emplace_back(store_, limits_.messages_max, settings, door);
    return ledger_.add_account();
}

u32 VenueCore::add_drop_copy(const std::vector<std::pair<u32, std::string>>& accounts) {
    MessageLog& copy = drop_copies_.emplace_back(store_, limits_.messages_max);
    for (const auto& [account, name] : accounts) accounts_.at(account).reports.copy_to(copy, name);
    return u32(drop_copies_.size() - 1);
}

u64 VenueCore::open_journal(const InputJournalOptions& options, const std::string& session) {
    if (clock_.now_ns != clock_.midnight_ns || !matches_)
        throw Error(ErrorKind::Config,
                    "journal of the exchange: expected a venue that matches and has had no input yet, found another; "
                    "open the journal before the day, and without a tape that is passed through");
    auto journal = std::make_unique<InputJournal>(options);
    Beginning beginning{config_hash(), clock_.midnight_ns, {}};
    std::copy_n(session.begin(), std::min(session.size(), sizeof beginning.session - 1), beginning.session);
    u64 count = 0;
    InputJournal::read(options, [&](const Input& input) {
        if (count++ == 0) return check_beginning(input, beginning, options.journal_dir);
        apply(input);
    });
    if (count == 0) journal->append(std::array{Input{.verb = Verb::Begin, .bytes = bytes_of(beginning)}});
    journal_ = std::move(journal);
    return count == 0 ? 0 : count - 1;
}

// ---- verbs ---------------------------------------------------------------------------------------

u64 VenueCore::take(const Input& input) {
    if (journal_) journal_->append({&input, 1});
    return apply(input);
}

void VenueCore::open_day(i64 now_ns) { take({.verb = Verb::OpenDay, .now_ns = now_ns}); }

void VenueCore::close_day(i64 now_ns) {
    if (is_open_) take({.verb = Verb::CloseDay, .now_ns = now_ns});
}

void VenueCore::set_state(u32 instrument, char state, i64 now_ns) {
    const InputBytes values(phase_of(state), u8(state == 'P'));
    take({.verb = Verb::SetPhase, .instrument = instrument, .now_ns = now_ns, .bytes = values.bytes()});
}

void VenueCore::advance(i64 now_ns) {
    if (is_due(now_ns)) take({.verb = Verb::Advance, .now_ns = now_ns});
}

bool VenueCore::receive(u32 account, Bytes message, i64 now_ns) {
    return take({.verb = Verb::Message, .account = account, .now_ns = now_ns, .bytes = message});
}

void VenueCore::cancel_all(u32 account, i64 now_ns) {
    take({.verb = Verb::CancelAll, .account = account, .now_ns = now_ns});
}

u64 VenueCore::submit(u32 account, u32 instrument, Side side, const Terms& terms, i64 now_ns) {
    InputBytes values(side);
    values.put(terms);
    return take({.verb = Verb::Submit,
                 .account = account,
                 .instrument = instrument,
                 .now_ns = now_ns,
                 .bytes = values.bytes()});
}

bool VenueCore::reduce(u64 order_id, i64 leaves, i64 now_ns) {
    const InputBytes values(order_id, leaves);
    return take({.verb = Verb::Reduce, .now_ns = now_ns, .bytes = values.bytes()});
}

void VenueCore::divert(std::optional<u32> account, bool on, i64 now_ns) {
    const InputBytes values{u8(on)};
    take({.verb = Verb::Divert, .account = account.value_or(kFeed), .now_ns = now_ns, .bytes = values.bytes()});
}

void VenueCore::settle(std::optional<u32> account, const std::vector<Bytes>& messages, i64 now_ns) {
    std::vector<u8> bytes;
    for (Bytes message : messages) {
        if (message.size() > 0xFFFF)
            throw Error(ErrorKind::Decode,
                        "settle: expected messages of at most 65535 bytes, found " + std::to_string(message.size()));
        bytes.push_back(u8(message.size()));
        bytes.push_back(u8(message.size() >> 8));
        bytes.insert(bytes.end(), message.begin(), message.end());
    }
    take({.verb = Verb::Settle, .account = account.value_or(kFeed), .now_ns = now_ns, .bytes = bytes});
}

void VenueCore::publish(Bytes itch_message) {
    if (journal_)
        throw Error(ErrorKind::Config,
                    "expected no journal where a tape is passed through, found one; leave out [journal], or use "
                    "another [flow]");
    itch_.pass(itch_message);
}

// ---- what they do --------------------------------------------------------------------------------

u64 VenueCore::apply(const Input& input) {
    pass_time(input.now_ns);
    switch (input.verb) {
        case Verb::Begin:
        case Verb::Advance: return 0;
        case Verb::Message: return apply_message(input);
        case Verb::Submit: return apply_submit(input);
        case Verb::Reduce: return apply_reduce(input);
        case Verb::CancelAll: return apply_cancel_all(input.account), 0;
        case Verb::OpenDay: return apply_open_day(), 0;
        case Verb::CloseDay: return apply_close_day(), 0;
        case Verb::SetPhase: return apply_phase(input), 0;
        case Verb::Divert: return apply_divert(input), 0;
        case Verb::Settle: return apply_settle(input), 0;
    }
    throw Error(ErrorKind::Journal, "journal of the exchange: expected a verb of this version, found number " +
                                        std::to_string(int(input.verb)));
}

// What has become due happens at its own time, oldest first.
void VenueCore::pass_time(i64 now_ns) {
    while (is_due(now_ns)) {
        std::pop_heap(expiries_.begin(), expiries_.end(), std::greater<>{});
        const Expiry due = expiries_.back();
        expiries_.pop_back();
        clock_.now_ns = std::max(clock_.now_ns, due.at_ns);
        const LiveOrder& order = orders_.at(due.slot);
        if (order.number == due.number) engine_.reduce(order.ref, 0, Cause::Timeout);
    }
    clock_.now_ns = std::max(clock_.now_ns, now_ns);
}

void VenueCore::apply_open_day() {
    itch_.system_event('O');
    itch_.directory();
    is_open_ = true;
    for (u32 i = 0; i < rules_.size(); ++i) engine_.set_phase(i, Phase::Continuous);
    itch_.system_event('S');
    itch_.system_event('Q');
    report_to_all('S');
}

void VenueCore::apply_close_day() {
    std::vector<std::pair<u64, u64>> open;  // number, reference
    for (u32 account = 0; account < accounts_.size(); ++account)
        for (const LiveOrder* order : open_orders_of(account)) open.emplace_back(order->number, order->ref);
    std::sort(open.begin(), open.end());
    for (const auto& [number, ref] : open) engine_.reduce(ref, 0, Cause::Close);
    is_open_ = false;
    for (u32 i = 0; i < rules_.size(); ++i) engine_.set_phase(i, Phase::Closed);
    itch_.system_event('M');
    itch_.system_event('E');
    itch_.system_event('C');
    report_to_all('E');
}

void VenueCore::apply_phase(const Input& input) {
    ByteReader in(input.bytes);
    const auto phase = in.le<Phase>();
    const bool is_pause = in.le<u8>();
    check_done(input, in);
    if (!is_open_) return;
    is_pause_.at(input.instrument) = is_pause;
    engine_.set_phase(input.instrument, phase);
}

bool VenueCore::apply_message(const Input& input) {
    const Door* door = accounts_.at(input.account).door;
    const bool is_message = door && door->receive(*this, input.account, input.bytes);
    if (!is_message) ++counters_.malformed;
    return is_message;
}

u64 VenueCore::apply_submit(const Input& input) {
    ByteReader in(input.bytes);
    const auto side = in.le<Side>();
    const Terms terms = read_terms(in);
    check_done(input, in);
    if (!is_open_ || accounts_.at(input.account).door || input.instrument >= rules_.size()) return 0;
    LiveOrder& order = orders_.take(input.account);
    order.instrument = input.instrument;
    order.side = side;
    order.qty = terms.qty;
    order.terms = terms;
    order.words.side = side == Side::Buy ? 'B' : 'S';
    order.words.px = u32(std::clamp<i64>(terms.px, 0, ouch42::kMarketPx));
    const Submitted done = submit_to_engine(order);
    if (done.refusal != Refusal::None) orders_.free(order);
    return engine_.find(done.ref) ? done.ref : 0;
}

bool VenueCore::apply_reduce(const Input& input) {
    ByteReader in(input.bytes);
    const auto ref = in.le<u64>();
    const auto leaves = in.le<i64>();
    check_done(input, in);
    const Resting* resting = engine_.find(ref);
    if (!resting || accounts_[resting->account].door) return false;
    return engine_.reduce(ref, leaves, Cause::User);
}

void VenueCore::apply_cancel_all(u32 account) {
    engine_.mass_cancel(account, std::nullopt, std::nullopt, Cause::Disconnect);
}

void VenueCore::apply_divert(const Input& input) {
    ByteReader in(input.bytes);
    const bool on = in.le<u8>();
    check_done(input, in);
    log_of(input.account).divert(on);
    if (input.account != kFeed) note_changed(input.account);
}

void VenueCore::apply_settle(const Input& input) {
    ByteReader in(input.bytes);
    std::vector<Bytes> messages;
    while (in.remaining() > 0) messages.push_back(in.take(in.le<u16>()));
    check_done(input, in);
    log_of(input.account).settle(messages);
    if (input.account != kFeed) note_changed(input.account);
}

void VenueCore::note_changed(u32 account) {
    if (std::exchange(accounts_[account].has_changed, true)) return;
    changed_.push_back(account);
}

void VenueCore::report_to_all(char event) {
    for (u32 account = 0; account < accounts_.size(); ++account)
        if (const Door* door = accounts_[account].door) door->system_event(addressee(account), event);
}

// ---- answers -------------------------------------------------------------------------------------

std::vector<u32> VenueCore::take_changed_accounts() {
    for (u32 account : changed_) accounts_[account].has_changed = false;
    return std::exchange(changed_, {});
}

i64 VenueCore::leaves(u64 order_id) const {
    const Resting* order = engine_.find(order_id);
    return order ? order->leaves : 0;
}

std::vector<const LiveOrder*> VenueCore::open_orders_of(u32 account) const {
    std::vector<const LiveOrder*> open;
    for (u32 slot = accounts_.at(account).open.oldest; slot != 0; slot = orders_.at(slot).newer)
        open.push_back(&orders_.at(slot));
    return open;
}

u64 VenueCore::state_hash() const {
    StateWriter out;
    out.put(clock_.now_ns);
    out.put(clock_.shift_ns);
    out.put(u8(is_open_));
    for (u32 i = 0; i < rules_.size(); ++i) {
        out.put(engine_.phase(i));
        out.put(engine_.last_px(i));
        out.put(u8(is_pause_[i]));
    }
    for (u32 account = 0; account < accounts_.size(); ++account) {
        const Account& a = accounts_[account];
        a.reports.save(out);
        out.put(a.rate.saved_ns);
        out.put(a.rate.since_ns);
        for (u32 user_ref : a.last_user_refs) out.put(user_ref);
        out.put(a.rejects_ordered);
        out.put(u8(a.is_enabled));
        for (const LiveOrder* order : open_orders_of(account)) save(out, *order);
    }
    itch_.log().save(out);
    for (const MessageLog& copy : drop_copies_) copy.save(out);
    names_.save(out);
    ledger_.save(out);
    out.put(orders_.last_number());
    return hash_bytes(out.bytes(), 0);
}

u64 VenueCore::config_hash() const {
    StateWriter out;
    for (const InstrumentRules& r : rules_) {
        out.put(Alpha<8>(r.symbol));
        for (const TickStep& step : r.ticks) out.put(step);
        for (i64 value :
             {r.lot, i64(r.round_lot), r.qty_max, r.listed_px, r.limit_collar_bps, r.market_collar_bps,
              i64(r.allocation), i64(r.pro_rata.grants_top), r.pro_rata.fifo_percent, r.pro_rata.min_allocation})
            out.put(value);
    }
    for (const Account& a : accounts_) {
        const AccountSettings& s = a.settings;
        for (u32 value : {u32(s.protocol), s.group, u32(s.self_trade), s.orders_per_s, s.burst}) out.put(value);
    }
    out.put(u64(drop_copies_.size()));
    out.put(u64(limits_.orders_max));
    out.put(u64(limits_.tokens_max));
    return hash_bytes(out.bytes(), 0);
}

}  // namespace openbell::exchange
