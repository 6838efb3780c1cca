// Inputs: what each one is, and what it does.
#include "exchange/venue_core.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace openbell::exchange {
namespace {

constexpr std::size_t kInstrumentsMax = 0xFFFF;  // ITCH stock locate

u64 key_of(const Alpha<8>& symbol) {
    u64 key = 0;
    std::memcpy(&key, symbol.chars.data(), sizeof key);
    return key;
}

}  // namespace

VenueCore::VenueCore(std::vector<InstrumentRules> instruments, i64 midnight_ns, const VenueLimits& limits, bool matches)
    : rules_(std::move(instruments)),
      limits_(limits),
      matches_(matches),
      clock_{midnight_ns, midnight_ns, 0},
      day_(u32(rules_.size())),
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
    accounts_.emplace_back(store_, limits_.messages_max, settings, door).fee_tier = fee_tier(fees_, settings.volume);
    return ledger_.add_account();
}

void VenueCore::set_fees(const FeeRules& fees) {
    fees_ = fees;
    for (Account& account : accounts_) account.fee_tier = fee_tier(fees_, account.settings.volume);
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

// ---- what they do --------------------------------------------------------------------------------

u64 VenueCore::apply(const Input& input) {
    pass_time(input.now_ns);
    const u64 answer = apply_verb(input);
    tell_bands();
    return answer;
}

u64 VenueCore::apply_verb(const Input& input) {
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
        case Verb::Index: return apply_index(input), 0;
        case Verb::Bust: return u64(apply_bust(input));
        case Verb::Correct: return u64(apply_correct(input));
        case Verb::RejectNext:
            return accounts_.at(input.account).rejects_ordered = std::get<0>(values_of<u32>(input)), 0;
        case Verb::ShiftClock: return clock_.shift_ns = std::get<0>(values_of<i64>(input)), 0;
    }
    throw Error(ErrorKind::Journal, "journal of the exchange: expected a verb of this version, found number " +
                                        std::to_string(int(input.verb)));
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
    const auto [ref, leaves] = values_of<u64, i64>(input);
    const OpenOrder* resting = engine_.find(ref);
    if (!resting || accounts_[resting->account].door) return false;
    return engine_.reduce(ref, leaves, Cause::User);
}

void VenueCore::apply_cancel_all(u32 account) {
    engine_.mass_cancel(account, std::nullopt, std::nullopt, Cause::Disconnect);
}

void VenueCore::apply_divert(const Input& input) {
    const auto [on] = values_of<u8>(input);
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

Amended VenueCore::apply_bust(const Input& input) {
    const auto [match_number, reason] = values_of<u64, char>(input);
    const Ledger::Match match = ledger_.match(match_number);
    if (match.count == 0) return Amended::Unknown;
    if (ledger_.fill(match.first).state == FillState::Busted) return Amended::Busted;
    for (u64 row = match.first; row < match.first + match.count; ++row) {
        ledger_.bust(row);
        const FillRow& fill = ledger_.fill(row);
        report(fill.account, [&, why = reason](const Door& door, Addressee to) { door.broken(to, fill, why); });
    }
    itch_.broken_trade(ledger_.fill(match.first).instrument, match_number);
    return Amended::Done;
}

Amended VenueCore::apply_correct(const Input& input) {
    const auto [match_number, reason, px, qty] = values_of<u64, char, i64, i64>(input);
    const Ledger::Match match = ledger_.match(match_number);
    if (const Amended why = refusal_of_correction(match, px, qty); why != Amended::Done) return why;
    for (u64 row = match.first; row < match.first + match.count; ++row) {
        const FillRow& fill = ledger_.fill(row);
        ledger_.correct(row, px, qty, fee_of(fill.account, fill.liquidity, px, qty));
        report(fill.account, [&, why = reason](const Door& door, Addressee to) { door.corrected(to, fill, why); });
    }
    itch_.broken_trade(ledger_.fill(match.first).instrument, match_number);
    return Amended::Done;
}

Amended VenueCore::refusal_of_correction(const Ledger::Match& match, i64 px, i64 qty) const {
    if (match.count == 0) return Amended::Unknown;
    for (u64 row = match.first; row < match.first + match.count; ++row) {
        const FillRow& fill = ledger_.fill(row);
        if (fill.state == FillState::Busted) return Amended::Busted;
        if (px <= 0 || px > ouch42::kPxMax || qty <= 0 || qty > fill.qty) return Amended::Value;
        if (const Door* door = accounts_[fill.account].door; door && !door->can_correct()) return Amended::Protocol;
    }
    return Amended::Done;
}

i64 VenueCore::fee_of(u32 account, Liquidity liquidity, i64 px, i64 qty) const {
    return fee(fees_, accounts_[account].fee_tier, liquidity, px, qty);
}

void VenueCore::note_changed(u32 account) {
    if (std::exchange(accounts_[account].has_changed, true)) return;
    changed_.push_back(account);
}

void VenueCore::report_to_all(char event) {
    for (u32 account = 0; account < accounts_.size(); ++account)
        if (const Door* door = accounts_[account].door) door->system_event(addressee(account), event);
}

}  // namespace openbell::exchange
