// Law 1 on one page: append IN -> decide -> append one OUT -> wait for durability -> perimeter -> send,
// and what became of each command comes back as an IN frame.
//
// Live, paper and backtest use this same driver; they differ in who fills the IN frames, in the clock and
// in the route.
#pragma once

#include "clock.h"
#include "journal/writer.h"
#include "node/histogram.h"
#include "node/route.h"
#include "venue/gate.h"

namespace openbell {

// What the engine is given when an epoch begins. Records of a symbol wait until its instrument is known: ids do not
// exist before.
struct Presets {
    template <class Record>
    struct OfSymbol {
        std::string symbol;
        Record record;
    };
    std::vector<Control> conversions;
    std::vector<Limit> limits;
    std::vector<Control> controls;           // fees, circuit breakers
    std::vector<OfSymbol<Limit>> by_symbol;  // in any order; those of a symbol stay in theirs
    std::vector<OfSymbol<Control>> controls_by_symbol;
};

// Whoever else wants to see market data at the moment it is sequenced (the virtual venue of paper trading).
class MarketTap {
  public:
    virtual ~MarketTap() = default;
    virtual void on_market(const FrameView& frame, i64 now_ns) = 0;
};

// The archiver fell silent for this long with commands waiting: the disk is lost, stop trading.
inline constexpr i64 kDurableTimeoutNs = 2'000'000'000;

enum class Durability : u8 { Memory, Local };

class Driver {
  public:
    struct Parts {
        Engine& engine;
        JournalWriter& journal;
        IntentSource& strategies;
        Clock& clock;
        Route& route;
        Gate& gate;
        Latency* latency = nullptr;
        Durability durability = Durability::Memory;
        MarketTap* tap = nullptr;
    };
    explicit Driver(const Parts& parts);

    void set_presets(Presets presets);

    // Latencies of what follows count from here: the return of the receive call. The kernel had it before.
    void set_received(i64 now_ns) { received_ns_ = now_ns; }

    // Room for an IN frame at the journal's tail; fill its records and `submit`, or `abandon`.
    FrameHeader* open(u16 source, std::size_t record_size);
    void submit(FrameHeader* in, u32 count);
    void abandon(FrameHeader* in);
    // One record of ours, as a frame of its own.
    template <class Record>
    void submit_one(u16 source, const Record& record, u64 source_seq = 0) {
        FrameHeader* in = open(source, sizeof(Record));
        std::memcpy(in + 1, &record, sizeof(Record));
        in->source_seq = source_seq;
        submit(in, 1);
    }
    // Records that stay where they are (a tape): numbered and decided, not copied into the journal.
    void submit_mapped(FrameHeader stamp, const u8* records);

    // Decides an IN frame that a dead process journalled and did not decide. Nothing is sent: its epoch is over.
    void complete(const FrameView& in);

    // At most kTimersPerRoundMax: a strategy that arms a timer in the past each time must not stop the world.
    static constexpr u32 kTimersPerRoundMax = 4096;
    void fire_timers(i64 now_ns);
    // Strategies hear of refusals at most so often, unless very many wait: one that asks again at once must not either.
    static constexpr i64 kDeniedEveryNs = 1'000'000;
    // Goes on with what followed from earlier frames; whether there was anything.
    bool settle();
    i64 now_ns() const { return now_ns_; }
    // Cancels that leave as soon as the venue's limit of messages allows.
    std::size_t waiting() const {
        std::size_t sum = 0;
        for (const Waiting& one : waiting_) sum += one.size();
        return sum;
    }
    bool needs_python() const { return parts_.strategies.needs_python(); }
    u64 frames_in() const { return frames_in_; }
    u64 commands() const { return commands_; }
    u64 sent() const { return sent_; }

  private:
    FrameHeader* begin(u16 source, std::size_t record_size);
    void stamp(FrameHeader& in);
    void decide(const FrameView& in);
    void carry_out(const Decision& decision, u64 cause_seq, i64 received_ns);
    bool await(const Durable& level, u64 seq);
    enum class Turn : u8 { All, AheadOfDisk, Rest };
    void send_commands(const Decision& decision, Turn turn, bool is_durable, i64 received_ns);
    SendOutcome send(const Decision& decision, std::size_t i, bool is_durable);
    SendOutcome pass(const Order& command, const Order* approval);
    void note_outcome(const Order& command, const SendOutcome& outcome);
    // Cancels over the limit of messages of one session's venue; those before `from` have left.
    struct Waiting {
        std::vector<Order> cancels;
        std::size_t from = 0;
        std::size_t size() const { return cancels.size() - from; }
    };
    u8 session_of(const Order& command) const {
        return parts_.engine.session_of(command.cl_ord_id, command.instrument);
    }
    Waiting& waiting_of(const Order& command) {
        const u8 session = session_of(command);
        return waiting_[session < waiting_.size() ? session : 0];
    }
    bool must_wait(const Order& command);
    void send_waiting(Waiting& waiting, u8 session);
    void keep_waiting(const Order& command);
    bool is_awaited(const Order& cancel) const;
    void send_waiting();
    void report_outcomes();
    void give_presets();
    bool are_limits_newer() const;
    template <class Record>
    void give_those_of(const Instrument& known, const std::vector<Presets::OfSymbol<Record>>& presets);
    template <class Record>
    void submit_all(std::vector<Record>& records);
    void report_rounds();
    bool must_tell_denied();
    void tell_denied();
    void fall_back();

    Parts parts_;
    i64 now_ns_ = 0;
    i64 received_ns_ = 0;
    u64 frames_in_ = 0;
    u64 commands_ = 0;
    u64 sent_ = 0;
    bool is_firing_ = false;
    u32 instruments_limited_ = 0;
    bool has_given_presets_ = false;
    bool is_giving_presets_ = false;
    bool must_fall_back_ = false;
    Presets presets_;
    std::vector<Report> denied_;  // that strategies have not been told of yet
    i64 denied_told_ns_ = 0;
    std::vector<Waiting> waiting_;  // by number of the session
    std::vector<Report> outcomes_;  // Sent and NotSent of the decision being carried out
};

}  // namespace openbell
