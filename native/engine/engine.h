// The spine: `on_event(frame) -> decision` is the whole system's decision loop, in every mode.
//
// Pure: no clock, no socket, no unseeded random number, no log. The same frames give the same decisions
// and the same state hash, always (DESIGN section 4). Rooms are visited in one order: book, strategy,
// execution, risk, OMS.
#pragma once

#include <memory>
#include <vector>

#include "book/books.h"
#include "conversions.h"
#include "engine/book_tap.h"
#include "engine/timers.h"
#include "execution/quoter.h"
#include "execution/stops.h"
#include "oms/accounts.h"
#include "oms/oms.h"
#include "risk/breakers.h"
#include "risk/risk.h"
#include "strategy/decision.h"
#include "strategy/intent_source.h"
#include "strategy/world.h"

namespace openbell {

// What a person may ask of a running engine: Control::code of an Operator record.
enum class OperatorVerb : u32 {
    CancelAll = 1,
    Asked = 2,  // what became of a request, for the record: values = uid, approver or -1, act, outcome; text = it
    // For the record too, of a process that starts or ends:
    Recovered = 3,  // values = seq of the snapshot or 0, frames played, us, torn bytes cut; text = what was passed over
    Acknowledged = 4,  // a person meant what runs: values = uid, approver or -1, first seq that this core decides
                       // otherwise or 0; text = the hash
    LeftOpen = 5,      // an order that was open at the end: values = id, version, leaves, state; text = why
    // Of one strategy:
    StrategyStop = 6,     // no more callbacks, nothing of it stays open, its state is kept
    StrategyFlatten = 7,  // and the engine closes its position; values[0] = most lots of one order, 0 = any
    StrategyStart = 8,    // one that was stopped goes on
    StrategyReplace = 9,  // its class has another version: values = that, bytes of its state, the new strategies_hash
                          // in two halves; text = hash of the source. What is carried was told before
};

inline constexpr u8 kUnacknowledged = 1;  // Started: what runs is not what ran, and no person has said that it is meant

// What became of what a feed has missed: Control::code of its Gap, Recovered and Disconnected records.
inline constexpr u32 kGapLost = 1;       // Gap: nobody will fill it
inline constexpr u32 kGapRebuilt = 2;    // Gap: a snapshot follows, which builds the books anew
inline constexpr u32 kGapStale = 3;      // Gap: nothing was heard for too long; nothing is known to be missing
inline constexpr u32 kFromSnapshot = 1;  // Recovered: it has done so
inline constexpr u32 kFeedEnded = 1;     // Disconnected: the session is over for good
inline constexpr u32 kOrdersEnded = 4;   // the same of an order session (SessionEnd::EndOfSession)

// Control::code of a Said record, and what its values are: what a strategy in a process of its own had seen, and how
// old what it says may be.
enum class SaidKind : u32 {
    Begins = 1,  // it is called from this frame on, with on_start first
    Says = 2,    // the records that follow, decided on the frame it had seen
};
enum SaidValue : u8 { kSaidSeenSeq, kSaidSeenNs, kSaidAgeMaxNs, kSaidAgeMaxFrames };
enum BeginsValue : u8 { kBeginsPid = 2, kBeginsBorn = 3 };  // in place of the last two: which process

inline constexpr u16 kStrategyParameter = 2;  // Control::source of Parameters: code = word, values[0] = its bits
// The same, of a version that replaces another: code = word of the new layout, values = word of the old one, how many,
// bits. None: the word gets the bits. The first of a change has flags 1.
inline constexpr u16 kStrategyCarry = 3;
// The same, of a feed: orders in what it tells of leave by a session. code = the feed's source, values[0] = the
// session's; 0: by none. Without one: by the first session, until the next epoch begins.
inline constexpr u16 kRouteParameter = 4;

// Every table of the engine, sized once.
struct EngineCapacity {
    u32 instruments_max = 64;
    u32 book_orders_max = 1 << 20;
    u32 orders_max = 1 << 14;
    u32 strategies_max = 16;
    u32 timers_max = 1024;
    u32 limits_max = 1024;  // strategies in instruments with limits of their own
    CheckPolicies checks;   // of the books
};

class Engine {
  public:
    explicit Engine(const EngineCapacity& capacity);

    // Told what every record did to the books, before anybody else is.
    void set_tap(BookTap* tap) { tap_ = tap; }

    // The decision about one IN frame; valid until the next call.
    const Decision& on_event(const FrameView& in, IntentSource& strategies) {
        hear(in);
        return answer(in, strategies);
    }
    // The same in two steps, for who wants to see what a frame did before its decision is known.
    void hear(const FrameView& in);
    const Decision& answer(const FrameView& in, IntentSource& strategies);
    // What strategies asked for by themselves in that frame and was refused: their driver tells them in a later one.
    const BoundedList<Report>& denied() const { return denied_; }

    // What strategies, monitors and tests may see.
    i64 now_ns() const { return now_ns_; }
    u64 seq() const { return seq_; }
    const Happened& happened() const { return happened_; }
    const World& world() const { return world_; }
    u32 epoch() const { return started_.epoch; }
    const Started& started() const { return started_; }
    const Books& books() const { return books_; }
    const Oms& oms() const { return oms_; }
    const Accounts& accounts() const { return accounts_; }
    const Risk& risk() const { return risk_; }
    const Breakers& breakers() const { return breakers_; }
    i64 breaker_measure(const Breakers::Breaker& b) const;
    const MoneyScale& money_scale(u32 instrument) const { return conversions_.scale(instrument); }
    const Instrument* instrument(u32 id) const;
    u32 instruments() const { return u32(instruments_.size()); }
    u32 find_instrument(u16 venue, std::string_view symbol) const;  // kNoInstrument when unknown
    TradingState trading(u32 instrument) const;
    bool is_halted(u16 strategy) const { return halted_[strategy] != 0; }  // it is not called
    StrategyLife life_of(u16 strategy) const { return StrategyLife(halted_[strategy]); }
    // Of the last login of an order session, to resume it; empty before the first.
    std::string_view session_name(u16 source = source::kOrderEntry) const;
    std::string_view feed_session(u16 source) const;  // the session whose numbers source_seq counts
    bool has_feed_ended(u16 source) const { return feed_sessions_[source].has_ended; }
    bool has_feed_lost(u16 source) const { return feed_sessions_[source].has_lost; }  // nothing rebuilt its books since
    bool has_contradiction(u16 source) const;  // of a book of that feed, and nothing cleared the book since
    bool is_reconciled() const { return !risk_.arming().is_doubted({}); }
    bool is_session_up() const { return (sessions_up_ & sessions_used()) == sessions_used(); }  // all that trade
    bool is_session_up(u16 source) const { return sessions_up_ >> number_of(source) & 1; }
    bool is_session_doubted(u16 source) const;
    // The number of the session by which new orders of an instrument leave, or kNoSession.
    u8 session_of(u32 instrument) const { return oms_.session_of(instrument); }
    // That an order left by, whatever the configuration says by now; of one that is not known, its instrument's.
    u8 session_of(u64 cl_ord_id, u32 instrument) const;
    bool is_draining() const { return draining_; }
    u64 source_seq(u16 source) const { return source < kSourcesMax ? source_seq_[source] : 0; }
    const Stops& stops() const { return stops_; }
    const std::vector<ChangedParameter>& parameters() const { return parameters_; }
    Bytes strategy_state(u16 strategy) const { return states_[strategy]; }
    u64 strategy_version(u16 strategy) const { return versions_[strategy]; }  // 0: what the epoch began with
    i64 next_deadline() const { return std::min(timers_.next_deadline(), breaker_timer_.deadline); }
    const ArmedTimer* due_timer(i64 now) const {
        if (timers_.next_deadline() <= breaker_timer_.deadline) return timers_.due(now);
        return breaker_timer_.deadline <= now ? &breaker_timer_ : nullptr;
    }
    u64 state_hash() const;
    u64 rolling_hash() const { return rolling_; }
    u64 refusals() const { return refusals_; }
    u64 book_faults() const { return book_faults_; }

    void save(StateWriter& out) const;
    void load(StateReader& in);

  private:
    static constexpr u16 kSourcesMax = 128;
    // Of an order session; kNoSession of any other source.
    static constexpr u8 number_of(u16 source) {
        const bool is_session = source >= source::kOrderEntry && source < source::kOrderEntry + kSessionsMax;
        return is_session ? u8(source - source::kOrderEntry) : kNoSession;
    }
    static constexpr std::size_t kParametersMax = 4096;  // changed while their strategies ran
    static constexpr std::size_t kCarriesMax = 256;      // of versions that were announced and are not there yet
    struct Carry {
        u16 strategy;
        u16 count;
        u32 from;
        u32 to;
        u32 pad;
        u64 bits;
    };
    static_assert(sizeof(Carry) == 24);
    struct QuoteKey {
        u16 strategy;
        u32 instrument;
    };

    // what happened
    void apply(const FrameView& in, std::size_t i);
    void apply_market(const Market& record);
    void apply_status(const Market& record);
    void apply_venue_halt(const Market& record);
    void set_trading(u32 instrument, TradingState state);
    void apply_report(const Report& record, u16 source);
    void apply_instrument(const Instrument& record, u16 source);
    void set_scale(u32 instrument);
    void apply_conversion(const Control& record);
    void mark_to_market(u32 instrument);
    void apply_started(const Started& record);
    void apply_limit(const Limit& record);
    void apply_arm(const Control& record);
    void apply_grant(ArmScope scope, const Control& record);
    void apply_kill(const Control& record);
    void apply_parameters(const Control& record);
    void apply_signal(const Signal& record);
    void apply_route(const Control& record);
    void change_parameter(const Control& record);
    void apply_operator(const Control& record);
    void stop_strategy(u16 strategy, StrategyLife life);
    void note_carry(const Control& record);
    void replace_strategy(const Control& record);
    void carry(const Carry& one, Bytes before);
    void flatten(u16 strategy, i64 qty_max);
    void end_flattening();
    void apply_adjustment(const Control& record);
    void watch_report(const Report& report, const Applied& applied);
    void check_breakers();
    void trip(const Breakers::Trip& trip);
    void plan_breakers();
    i64 heard_longest_ago_ns() const;
    void apply_timer(const Timer& record);
    void apply_connection(const Control& record);
    void apply_feed_session(const Control& record);
    void distrust(ArmScope scope);
    void doubt_session(u8 session);
    void distrust_session(u8 session);
    void settle_unreached(u8 session, Unreached what);
    void settle_released();
    void begin_routes();
    u64 sessions_used() const;
    bool is_reachable(u32 instrument) const { return sessions_up_ >> oms_.session_of(instrument) & 1; }
    bool is_reachable(const LiveOrder& order) const { return sessions_up_ >> order.session & 1; }
    Reason reason_unreachable(u32 instrument) const {
        return oms_.session_of(instrument) == kNoSession ? Reason::NoSession : Reason::SessionDown;
    }
    void end_work(ArmScope scope, Reason reason);
    void pull_lowered(ArmScope scope);
    void note_fill(const Report& record);
    void close_order(const LiveOrder& order);
    void apply_gap(const Control& record, bool is_open);
    void apply_resolved(const Control& record);
    void apply_feed_check(const Market& record, u16 source);
    void contradict(u32 instrument);
    void check_touch(u32 instrument);
    void tell_check(Check check, Market found);
    void mark_book(u32 instrument, bool is_touched = true);

    // what to do about it
    void take_said(const FrameView& in);
    bool is_taken(const Intent& intent, const Control& head);
    u64 id_of(const Intent& intent);
    void take_strategy_output();
    void execute(const Intent& intent);
    void execute_quote(const Intent& intent);
    void open_order(const Intent& intent);
    std::size_t open_basket(std::size_t first);
    Order order_of(const Intent& intent) const;
    Reason price_order(const Intent& intent, Order& order) const;
    Reason hold_stop(const Intent& intent, u64 id);
    void watch_touch(Stop& stop);
    void watch_stops();
    void release_stops();
    template <class Names>
    void end_stops(Reason reason, Names&& names);
    void write_stop_ended(const Stop& stop, Reason reason);
    void cancel_named(const Intent& intent);
    const LiveOrder* own_order(const Intent& intent);
    void replace_order(const Intent& intent);
    void mass_cancel(const Intent& intent);
    void refuse(const Intent& intent, Reason reason, u64 id = 0);
    void refuse(const Intent& intent, const Verdict& verdict, u64 id = 0);
    void refuse(const Order& candidate, const Verdict& verdict);
    void cancel_order(const LiveOrder& order);
    void pull_quotes(u32 instrument);
    void pull_quote(u16 strategy, u32 instrument);
    void mark_quote(u16 strategy, u32 instrument);
    void reconcile_quotes();
    bool reconcile_quote(const QuoteKey& key);
    void mark_idle_targets();
    void aim(const QuoteKey& key);
    void sweep();
    bool must_cancel(const LiveOrder& order) const;
    bool may_grow(const LiveOrder& order) const;
    u64 submit(Order candidate, i64 leaves_after);
    u64 submit_asked(Order order, i64 leaves_after);
    void refuse_asked(const Order& order, const Verdict& verdict);
    void deny(const Order& order, Reason reason);
    void prepare(Order& candidate, i64 leaves_after);
    Verdict approve(const Order& candidate);
    void withdraw(const Order& candidate);
    void command(const Order& candidate);
    Verdict judge(const Order& candidate);
    bool closes(const Order& candidate) const;
    RiskView view_of(const Order& candidate);
    void seal(const FrameView& in);

    i64 now_ns_ = 0;
    u64 seq_ = 0;
    Started started_{};
    Books books_;
    Oms oms_;
    Accounts accounts_;
    Risk risk_;
    Breakers breakers_;
    ArmedTimer breaker_timer_{};
    Quoter quoter_;
    Targets targets_;
    Stops stops_;
    TimerTable timers_;
    std::vector<Instrument> instruments_;
    Conversions conversions_;
    std::vector<u16> feed_of_;
    std::vector<u8> trading_;
    std::vector<u8> halted_;
    std::vector<std::vector<u8>> states_;
    std::vector<u64> versions_;
    std::vector<Carry> carries_;
    std::vector<ChangedParameter> parameters_;
    u32 flattening_ = 0;                      // strategies whose position the engine closes
    std::vector<ChangedParameter> changing_;  // told, and more of the same change follows
    std::vector<u64> source_seq_;
    std::vector<i64> heard_ns_;  // when a feed last said anything, by source
    struct FeedSession {
        char name[13];
        u8 has_ended;
        u8 has_lost;
        u8 is_rebuilding;
    };
    static_assert(sizeof(FeedSession) == 16);
    std::vector<FeedSession> feed_sessions_;  // by source
    // Why a book is not to be trusted, whatever comes; a BookClear mends it, that of a snapshot only contradictions.
    static constexpr u8 kLostMessages = 1;
    static constexpr u8 kContradicted = 2;
    std::vector<u8> broken_;  // by instrument
    struct OrderSession {
        char name[14];
        u8 has_ended;   // by the venue's word; until it connects anew
        u8 is_doubted;  // the venue contradicted us, or what is known of its orders may be wrong: see `distrust`
    };
    static_assert(sizeof(OrderSession) == 16);
    std::vector<OrderSession> sessions_;  // by number
    u64 sessions_up_ = 0;                 // by number, a bit each; that of kNoSession is never set
    std::vector<u8> routes_;              // number of the session by source of the feed
    bool draining_ = false;               // an operator asked for CancelAll: cancel what is open, only close
    bool sweep_due_ = false;
    bool checkpoint_ = false;
    u64 rolling_ = 0;
    u64 decisions_ = 0;
    u64 refusals_ = 0;
    u64 book_faults_ = 0;

    // scratch of one frame
    World world_;
    std::vector<u8> carried_;  // a state while its strategy is replaced
    Happened happened_;
    Decision decision_;
    std::vector<u64> book_marked_;   // seq of the frame that last named the book
    std::vector<u64> touch_marked_;  // and of the one that may have changed its touch, or what it is worth
    std::vector<u64> quote_marked_;  // the same by strategy x instrument
    std::vector<QuoteKey> dirty_quotes_;
    std::vector<Order> basket_;
    BoundedList<Report> denied_{Decision::kRecordsMax};
    const EngineCapacity capacity_;
    BookTap* tap_ = nullptr;
};

// Of those that wait: they are gone, and a record says why.
template <class Names>
void Engine::end_stops(Reason reason, Names&& names) {
    stops_.erase_if([&](const Stop& stop) {
        if (stop.order != 0 || !names(stop)) return false;
        if (decision_.room() >= 2) write_stop_ended(stop, reason);
        return true;
    });
}

}  // namespace openbell
