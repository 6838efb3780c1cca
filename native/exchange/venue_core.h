// The venue, sans I/O: order-entry messages of accounts in; their reports and the feed out.
//
// Whatever changes it is an input (input.h): each verb below that takes `now_ns` makes one, which is journalled if
// there is a journal, and then applied. It reads no clock, and time never goes back. So the same inputs give the same
// reports and the same feed, message for message, and a venue that has died goes on where it was.
//
//     doors (ouch42_door, ouch50_door)   bytes <-> orders in words of no protocol
//     this                               accounts, days and phases; brings the rooms together
//     matching                           what orders do to each other
//     ledger, itch_out, message logs     what came of it
//
// Prices are in 1e-4, quantities in shares, cash in 1e-4 of the currency.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "exchange/accounts.h"
#include "exchange/day/market_day.h"
#include "exchange/doors/ouch42_door.h"
#include "exchange/doors/ouch50_door.h"
#include "exchange/input_journal.h"
#include "exchange/itch_out.h"
#include "exchange/matching/engine.h"

namespace openbell::exchange {

struct VenueLimits {
    std::size_t orders_max = 1 << 20;        // open at once
    std::size_t tokens_max = 8'000'000;      // a day, all accounts; beyond: as if they had never arrived
    std::size_t messages_max = 100'000'000;  // of one log
    std::string memory_dir{};                // where the day's messages lie; empty: in the process
};

// What became of a bust or a correction.
enum class Amended : u8 {
    Done,
    Unknown,   // no trade of today has that number
    Busted,    // it was busted before
    Value,     // a price or quantity that is not positive, or a larger quantity
    Protocol,  // an owner's protocol has no words for a correction
};

struct VenueCounters {
    u64 duplicate_tokens = 0;  // ignored, as OUCH says
    u64 dead_orders = 0;       // cancels and replaces of orders that are not live: ignored
    u64 unsupported = 0;       // Trade Now: ignored
    u64 malformed = 0;
    u64 tokens_full = 0;
};

class VenueCore : private MatchSink, private Desk {
  public:
    // Without `matches` the venue passes a tape through: orders are accepted and may be replaced and canceled, but
    // they rest in a shadow book, trade with nobody and are not published.
    VenueCore(std::vector<InstrumentRules> instruments, i64 midnight_ns, const VenueLimits& limits, bool matches);
    VenueCore(const VenueCore&) = delete;  // the engine holds a reference to its sink, which is this
    VenueCore& operator=(const VenueCore&) = delete;

    // ---- configuration, before the first input

    u32 add_account(const AccountSettings& settings);
    void set_fees(const FeeRules& fees);
    void set_schedule(std::optional<u32> instrument, const ScheduleRules& rules) {
        day_.set_schedule(instrument, rules);
    }
    void set_bands(u32 instrument, const BandRules& rules) { day_.set_bands(instrument, rules, rules_.at(instrument)); }
    // `index_close`: of the day before, in 1e-8 as ITCH tells it.
    void set_breaker(i64 index_close) { day_.set_breaker(index_close, clock_.midnight_ns); }
    // A log of all reports of these accounts, in the order they happened, each with the name beside the account first.
    u32 add_drop_copy(const std::vector<std::pair<u32, std::string>>& accounts);
    // From now on inputs are journalled. What the journal holds already is applied first; returns how many inputs that
    // was. Throws Config for a journal of another configuration or day, and what InputJournal throws.
    u64 open_journal(const InputJournalOptions& options, const std::string& session);
    void close_journal() { journal_.reset(); }

    // ---- inputs

    void open_day(i64 now_ns);
    void close_day(i64 now_ns);  // cancels what does not stay over night
    // ITCH trading state: H, P, Q hold the instrument until T, which brings it where the schedule is.
    void set_state(u32 instrument, char state, i64 now_ns);
    void advance(i64 now_ns);           // what is due happens: expiries, the schedule, bands
    void index(i64 value, i64 now_ns);  // the market's, in 1e-8: a fall may halt everything

    // False for bytes that are no message of the account's protocol: the session should be closed.
    bool receive(u32 account, Bytes message, i64 now_ns);
    void cancel_all(u32 account, i64 now_ns);  // its session is gone

    // Orders of internal accounts. The reference, 0 when it did not rest.
    u64 submit(u32 account, u32 instrument, Side side, const Terms& terms, i64 now_ns);
    bool reduce(u64 order_id, i64 leaves, i64 now_ns);  // false when it is not live or would not shrink

    // Takes a trade back, or puts another price and a quantity that is not larger in its place. Owners and feed are
    // told.
    Amended bust(u64 match_number, char reason, i64 now_ns);
    Amended correct(u64 match_number, i64 px, i64 qty, char reason, i64 now_ns);

    // Faults on command: the next `count` orders and replaces of an account are rejected; reported times are off by so
    // much; the reports of an account (without one: the messages of the feed) wait outside their log
    // until they are settled, that is replaced by others or by themselves.
    void reject_next(u32 account, u32 count, i64 now_ns);
    void shift_clock(i64 ns, i64 now_ns);
    void divert(std::optional<u32> account, bool on, i64 now_ns);
    void settle(std::optional<u32> account, const std::vector<Bytes>& messages, i64 now_ns);
    void end_faults(i64 now_ns);  // who commanded them is gone: what waits is told

    // A message of a tape, passed through as it is. Not with a journal.
    void publish(Bytes itch_message);

    // ---- answers

    // Accounts with new reports since the last call, each once: work per message must not grow with the sessions.
    std::vector<u32> take_changed_accounts();
    const std::vector<std::vector<u8>>& diverted(std::optional<u32> account) {
        return log_of(account.value_or(kFeed)).diverted();
    }
    i64 leaves(u64 order_id) const;  // 0 when it is not live
    const MatchingEngine& engine() const { return engine_; }
    const MessageLog& itch() const { return itch_.log(); }
    const MessageLog& reports(u32 account) const { return accounts_.at(account).reports; }
    const MessageLog& drop_copy(u32 copy) const { return drop_copies_.at(copy); }
    const Ledger& ledger() const { return ledger_; }
    std::vector<const LiveOrder*> open_orders_of(u32 account) const;  // oldest first
    const VenueCounters& counters() const { return counters_; }
    std::size_t accounts() const { return accounts_.size(); }
    std::size_t instruments() const { return rules_.size(); }
    bool is_open() const { return is_open_; }
    // Whether everything that was applied survives the host; without a journal nothing does.
    bool is_durable() const { return journal_ && journal_->is_durable(); }
    // Equal for venues that have said the same and will answer the same.
    u64 state_hash() const;

  private:
    enum class MarketHours : u8 { Before, Open };
    struct Expiry {
        i64 at_ns;
        u64 number;
        u32 slot;
        bool operator>(const Expiry& o) const { return at_ns != o.at_ns ? at_ns > o.at_ns : number > o.number; }
    };

    // venue_core.cpp: inputs
    u64 take(const Input& input);
    u64 apply(const Input& input);
    u64 apply_verb(const Input& input);
    bool apply_message(const Input& input);
    u64 apply_submit(const Input& input);
    bool apply_reduce(const Input& input);
    void apply_cancel_all(u32 account);
    void apply_divert(const Input& input);
    void apply_settle(const Input& input);
    Amended apply_bust(const Input& input);
    Amended apply_correct(const Input& input);
    Amended refusal_of_correction(const Ledger::Match& match, i64 px, i64 qty) const;
    i64 fee_of(u32 account, Liquidity liquidity, i64 px, i64 qty) const;
    void note_changed(u32 account);
    void report_to_all(char event);
    MessageLog& log_of(u32 account) { return account == kFeed ? itch_.log() : accounts_.at(account).reports; }
    u64 config_hash() const;

    // venue_day.cpp
    void pass_time(i64 now_ns);
    i64 next_due() const;
    void expire_next();
    void do_next_of_day();
    void apply_open_day();
    void apply_close_day();
    void begin_market_hours();
    void end_market_hours();
    void do_step(u32 instrument, const ScheduleDue& due);
    void tell_imbalance(u32 instrument);
    void close_instrument(u32 instrument);
    void change_phase(u32 instrument, Phase phase, bool with_closing_auction = false);
    void set_engine_phase(u32 instrument, Phase phase, bool with_closing_auction);
    void apply_phase(const Input& input);
    void tell_bands();
    void apply_band_change(u32 instrument, const BandChange& change);
    void apply_index(const Input& input);
    void end_breaker_halt();

    // venue_desk.cpp: what doors ask
    u32 find_instrument(const Alpha<8>& symbol) const override;
    Alpha<8> symbol(u32 instrument) const override { return itch_.symbol(instrument); }
    bool has_name(TokenTable::Place place, u32 account, const OrderName& name) const;
    LiveOrder* find(u32 account, const OrderName& name) override;
    LiveOrder* begin(u32 account, const OrderName& name) override;
    void enter(LiveOrder& order, Refusal words) override;
    bool replace(LiveOrder& prev, LiveOrder& order, Refusal words) override;
    void reduce(LiveOrder& order, i64 total_qty) override;
    void modify(LiveOrder& order, char side, i64 total_qty) override;
    void mass_cancel(u32 account, const MassCancelFilter& filter) override;
    u32& last_user_ref(u32 account, u8 channel) override;
    void enable(u32 account, bool on) override { accounts_[account].is_enabled = on; }
    Addressee addressee(u32 account) override;
    void ignore(Ignored why) override;
    i64 now_ns() const override { return clock_.now_ns; }
    Refusal refusal_of_account(Account& account) const;
    Refusal refusal_of_cross(const LiveOrder& order) const;
    static bool is_about_now(Refusal why);
    Submitted submit_to_engine(LiveOrder& order);
    void open(LiveOrder& order, u32 before = 0);  // the slot of the order before which it stands; 0: the newest
    void close(LiveOrder& order, OrderStatus status);
    void reject(LiveOrder& order, Refusal why);
    void record(LiveOrder& order);
    void forget_expiries();

    // venue_events.cpp: what the engine says
    void on_match_event(const MatchEvent& e) override;
    void on_accepted(const MatchEvent& e);
    void on_executed(const MatchEvent& e);
    void on_withdrawn(const MatchEvent& e);
    void on_replaced(const MatchEvent& e);
    void on_moved(const MatchEvent& e);
    void on_crossed(const MatchEvent& e);
    void fill(LiveOrder& order, const MatchEvent& e, i64 leaves, Liquidity liquidity);
    // Tells the owner, unless it is an internal account, which looks for itself.
    template <class Say>
    void report(u32 account, Say&& say) {
        if (const Door* door = accounts_[account].door) say(*door, addressee(account));
    }

    std::vector<InstrumentRules> rules_;
    std::vector<std::pair<u64, u32>> symbols_;  // sorted; the letters as a number, and the instrument
    FeeRules fees_;
    VenueLimits limits_;
    bool matches_;
    VenueClock clock_;
    MarketDay day_;
    ChunkStore store_;
    MatchingEngine engine_;
    ItchOut itch_;
    Ledger ledger_;
    LiveOrders orders_;
    TokenTable names_;
    Ouch42Door ouch42_;
    Ouch50Door ouch50_;
    std::deque<Account> accounts_;
    std::deque<MessageLog> drop_copies_;
    std::vector<u32> changed_;
    std::vector<Expiry> expiries_;  // a heap; behind the first one may be some of orders that are over
    u32 modified_ = 0;              // slot of the order that is being modified: what it loses is not told as canceled
    VenueCounters counters_;
    std::unique_ptr<InputJournal> journal_;
    bool is_open_ = false;
    bool is_system_open_ = false;  // system hours: S was told
    MarketHours market_hours_ = MarketHours::Before;
    u32 trading_ = 0;     // instruments in continuous trading
    u32 not_closed_ = 0;  // instruments in any phase but closed
};

}  // namespace openbell::exchange
