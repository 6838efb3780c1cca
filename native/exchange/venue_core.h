// The venue, sans I/O: OUCH 4.2 messages of accounts in; OUCH reports of accounts and ITCH 5.0 messages out.
//
// It reads no clock: every verb that changes something takes `now_ns` (since the epoch), and time never goes back.
// All outbound messages stand in logs from which sessions and the feed serve themselves. The ledger (orders, fills,
// positions, cash) is the venue's own account of what it did and the truth for whoever trades here.
//
// Prices are in 1e-4, quantities in shares, cash in 1e-4 of the currency.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "exchange/matching.h"
#include "exchange/message_log.h"
#include "wire/itch50.h"
#include "wire/ouch42.h"

namespace openbell::exchange {

struct ListedInstrument {
    std::string symbol;  // up to 8 characters
    i64 tick = 100;      // prices of orders must be multiples
    u32 round_lot = 100;
};

struct VenueLimits {
    std::size_t orders_max = 1 << 20;        // open at once; beyond: rejected with O
    std::size_t tokens_max = 8'000'000;      // a day, all accounts; beyond: rejected silently as never seen
    std::size_t messages_max = 100'000'000;  // of one log
    std::string memory_dir;                  // where the day's messages lie; empty: in the process
};

enum class TokenState : u8 { New = 1, PartiallyFilled, Filled, Canceled, Rejected, Replaced, Expired };

// One token of an account, from Enter or Replace. Quantities count the whole chain of replaces.
struct LedgerOrder {
    ouch42::Token token{};
    ouch42::Token prev_token{};
    u32 account = 0;
    u32 instrument = 0;
    TokenState state = TokenState::New;
    i64 px = 0;
    i64 qty = 0;  // intended total, executed shares included
    i64 cum_qty = 0;
    i64 leaves_qty = 0;
    u64 order_id = 0;
    ouch42::OrderTerms terms{};  // as entered: what the reports repeat
};

struct LedgerFill {
    u64 match_id;
    u32 order;  // index of the LedgerOrder
    i64 px;
    i64 qty;
};

struct Holding {
    i64 position = 0;
    i64 cash = 0;
};

struct VenueCounters {
    u64 duplicate_tokens = 0;  // ignored, as OUCH says
    u64 dead_orders = 0;       // cancels and replaces of orders that are not live: ignored
    u64 unsupported = 0;       // Modify and Trade Now: ignored
    u64 malformed = 0;
    u64 tokens_full = 0;
};

class VenueCore : private MatchSink {
  public:
    // Without `matches` the venue passes a tape through: orders are accepted and may be replaced and canceled, but
    // they rest in a shadow book, trade with nobody and are not published.
    VenueCore(std::vector<ListedInstrument> instruments, i64 midnight_ns, const VenueLimits& limits, bool matches);
    VenueCore(const VenueCore&) = delete;  // the engine holds a reference to its sink, which is this
    VenueCore& operator=(const VenueCore&) = delete;

    // An account of somebody outside has a log of reports and a ledger of orders; an internal one only holdings.
    u32 add_account(bool internal);
    void open_day(i64 now_ns);
    void close_day(i64 now_ns);                              // cancels every open order first
    void set_state(u32 instrument, char state, i64 now_ns);  // ITCH trading state: T, H, P, Q
    void advance(i64 now_ns);                                // expires orders whose seconds are over

    // False for bytes that are no OUCH message: the session should be closed.
    bool receive(u32 account, Bytes message, i64 now_ns);
    void cancel_all(u32 account, i64 now_ns);

    // Orders of internal accounts: no token, no reports. The reference, 0 when it did not rest.
    u64 submit(u32 account, u32 instrument, Side side, const Terms& terms, i64 now_ns);
    bool cancel(u64 order_id, i64 now_ns) { return reduce(order_id, 0, now_ns); }
    bool reduce(u64 order_id, i64 leaves, i64 now_ns);  // false when it is not live or would not shrink
    i64 leaves(u64 order_id) const;                     // 0 when it is not live

    // Accounts with new reports since the last call, each once: work per message must not grow with the sessions.
    std::vector<u32> take_changed_accounts();
    // A log of all reports of these accounts, in the order they happened, each with the name beside the account first.
    u32 add_drop_copy(const std::vector<std::pair<u32, std::string>>& accounts);

    // Faults on command: the reports of an account (without one: the messages of the feed) wait outside their log
    // until they are settled, that is replaced by others or by themselves.
    void divert(std::optional<u32> account, bool on);
    const std::vector<std::vector<u8>>& diverted(std::optional<u32> account) { return log_of(account).diverted(); }
    void settle(std::optional<u32> account, const std::vector<Bytes>& messages);

    // A message of a tape, passed through as it is.
    void publish(Bytes itch_message) { itch_.append(itch_message); }

    const MatchingEngine& engine() const { return engine_; }
    const MessageLog& itch() const { return itch_; }
    const MessageLog& reports(u32 account) const { return accounts_.at(account).reports; }
    const MessageLog& drop_copy(u32 copy) const { return drop_copies_.at(copy); }
    const std::deque<LedgerOrder>& orders() const { return orders_; }
    const std::vector<u32>& orders_of(u32 account) const { return accounts_.at(account).orders; }
    const std::vector<LedgerFill>& fills_of(u32 account) const { return accounts_.at(account).fills; }
    const std::vector<Holding>& holdings_of(u32 account) const { return accounts_.at(account).holdings; }
    const VenueCounters& counters() const { return counters_; }

  private:
    struct TokenHash {
        std::size_t operator()(const ouch42::Token& token) const;
    };
    struct Account {
        Account(ChunkStore& store, std::size_t messages_max) : reports(store, messages_max) {}
        bool internal = false;
        bool has_changed = false;
        MessageLog reports;
        std::unordered_map<ouch42::Token, u32, TokenHash> tokens;
        std::vector<u32> orders;
        std::set<u32> open;  // by entry, so that a mass cancel has one order
        std::vector<LedgerFill> fills;
        std::vector<Holding> holdings;
    };

    void on_message(u32 account, const ouch42::EnterOrder& m);
    void on_message(u32 account, const ouch42::ReplaceOrder& m);
    void on_message(u32 account, const ouch42::CancelOrder& m);
    void on_message(u32, const ouch42::ModifyOrder&) { ++counters_.unsupported; }
    void on_message(u32, const ouch42::TradeNow&) { ++counters_.unsupported; }
    char refusal(const ouch42::OrderTerms& terms, u32 instrument) const;
    char refusal_of_state(u32 instrument) const;

    bool remember_token(Account& account, u32 index);
    LedgerOrder* live(u32 account, const ouch42::Token& token);
    void reject(u32 account, LedgerOrder order, char reason);
    void arm_expiry(const LedgerOrder& order, u32 index);
    void finish(LedgerOrder& order, TokenState state, u32 index);

    void on_match_event(const MatchEvent& e) override;
    void on_accepted(const MatchEvent& e);
    void on_executed(const MatchEvent& e);
    void on_withdrawn(const MatchEvent& e);
    void on_replaced(const MatchEvent& e);
    void fill(u64 tag, const MatchEvent& e, char liquidity);
    void hold(u32 account, u32 instrument, Side side, i64 px, i64 qty);

    MessageLog& log_of(std::optional<u32> account) { return account ? accounts_.at(*account).reports : itch_; }
    u64 since_midnight() const { return u64(now_ns_ - midnight_ns_); }
    void advance_clock(i64 now_ns) { now_ns_ = now_ns > now_ns_ ? now_ns : now_ns_; }
    itch50::Head head(u32 instrument) const { return {u16(instrument + 1), 0, since_midnight()}; }
    template <class Message>
    void publish_message(const Message& message);
    template <class Message>
    void report(u32 account, const Message& message);
    void note_changed(u32 account);
    void system_event(char event);
    void report_to_all(char event);

    std::vector<ListedInstrument> instruments_;
    std::vector<char> states_;  // ITCH trading state, one per instrument
    MatchingEngine engine_;
    ChunkStore store_;
    MessageLog itch_;
    std::deque<Account> accounts_;
    std::deque<MessageLog> drop_copies_;
    std::vector<u32> changed_;
    std::deque<LedgerOrder> orders_;  // index + 1 is the tag in the engine; tag 0 is an internal order
    std::multimap<i64, u32> expiries_;
    VenueLimits limits_;
    VenueCounters counters_;
    i64 midnight_ns_;
    i64 now_ns_ = 0;
    bool matches_;
    bool open_ = false;
};

}  // namespace openbell::exchange
