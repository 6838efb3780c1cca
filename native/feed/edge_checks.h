// What is checked of a feed's messages before they are journalled, and what follows: docs/market-data.md has the table.
//
// The strictest policy of the checks that failed decides (halt, drop, mark), of equals the first check. What is
// dropped is put aside with its bytes (`Quarantined`), and so is what cannot be read. An order that is left out is
// remembered until it is gone: what is said of it later is left out too. What takes from a book is never left out.
//
// The path of a message that passes is a few integer operations on 64 bytes of its instrument; the rest is not inlined.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "bytes.h"
#include "checks.h"
#include "feed/left_out.h"

namespace openbell {

// Of one instrument, in its own units; as they stand here they let everything pass but a quantity of zero.
struct EdgeLimits {
    i64 px_low = 0;
    i64 px_high = 0xFFFF'FFFF;
    u32 band_bps = 0;  // around the last print that said its price; 0: no such band
    i64 tick = 0;      // of the prices of displayed orders from 1.0000 on, and the instrument's; 0: any, and the feed's
    i64 lot = 1;       // of the quantities of displayed orders
    i64 qty_max = 0;   // of an order or print; 0: any
    i64 keep_low = 0;  // displayed orders outside are left out before anything is checked
    i64 keep_high = 0xFFFF'FFFF;
};

struct EdgeConfig {
    CheckPolicies policies;
    i64 clock_back_ns = 0;       // the venue's time may go back by so much
    u32 left_out_max = 1 << 16;  // orders that are left out at one time; one more is a halt, or not filtered
    std::vector<std::pair<std::string, EdgeLimits>> limits;  // by symbol
    std::string types;                                       // of messages that are left out, as the venue writes them
};

struct EdgeCounters {
    CheckCounts failed{};
    u64 quarantined = 0;  // messages kept out by a check, written or not
    u64 unwritten = 0;    // of these, those beyond what is written of a window
    u64 untold = 0;       // marks beyond what is told of a window
    u64 filtered = 0;     // messages that the configuration leaves out
    u64 follow_ups = 0;   // messages of orders that were left out
    u64 no_room = 0;      // orders that should have been left out and were not
};

// Which orders a book by order holds, for a process that begins in the middle of a session.
class BookedOrders {
  public:
    virtual bool holds(u32 instrument, u64 order_id) const = 0;

  protected:
    ~BookedOrders() = default;
};

class EdgeChecks {
  public:
    // Of each window of messages so many are written with their bytes, and so many marks are told: a flood of bad
    // messages takes less than a hundredth of the journal.
    static constexpr u64 kWindow = 1 << 16;
    static constexpr u64 kQuarantinedPerWindow = 64;
    static constexpr u64 kMarksPerWindow = 1024;
    static constexpr i64 kTickFromPx = 10'000;  // below 1.0000 the tick is 0.0001 (Regulation NMS, rule 612)

    // What a kind of message has to be looked at for.
    enum Look : u8 {
        kPx = 1 << 0,
        kTick = 1 << 1,  // and whether the order is kept, and its lot
        kQty = 1 << 2,   // of what takes from an order only that it is not zero
        kLot = 1 << 3,
        kPrint = 1 << 4,  // it says a price at which was traded
        kNames = 1 << 5,  // it speaks of an order that may have been left out
        kBack = 1 << 6,   // the answer only: the venue's time went back
    };
    static constexpr u8 kOfOrder = kPx | kTick | kQty | kLot;
    static constexpr u8 kOfReplacement = kOfOrder | kNames;
    static constexpr u8 kOfPrint = kPx | kQty | kPrint;
    static constexpr u8 kOfExecution = kQty | kNames;
    static constexpr u8 kOfPricedExecution = kOfExecution | kPx | kPrint;

    explicit EdgeChecks(const EdgeConfig& config);
    void assign(u32 instrument, std::string_view symbol);
    // As configured, or wide.
    const EdgeLimits& limits_of(std::string_view symbol) const;

    // The venue's clock and references begin anew.
    void start_session();
    // An earlier process may have left out orders that we do not know: what names an order that `books` do not hold
    // is of such a one, until a snapshot or another session.
    void resume(const BookedOrders& books);
    // The books are built anew, by messages that are older than what was heard last.
    void begin_snapshot();
    void end_snapshot();

    void count_filtered() { ++counters_.filtered; }

    // Zero: the record passes. Quick, and stricter than the checks are: whoever judges looks again.
    u8 doubt(const Market& r, u8 look) {
        const Limit& limit = limits_[r.instrument];
        const u64 px = u64(r.px), qty = u64(r.qty);
        const unsigned odd = unsigned(px - limit.px_low > limit.px_span) | unsigned(!is_multiple(px, limit.tick)) << 1 |
                             unsigned(qty - 1 >= limit.qty_max) << 2 | unsigned(!is_multiple(qty, limit.lot)) << 3;
        return u8(((odd | watched_) & look) | doubt_clock(r.ts_event));
    }
    // Of a message without prices and quantities of its own.
    u8 doubt_clock(i64 ts_event) {
        const bool is_back = ts_event < clock_floor_;
        clock_floor_ = ts_event - clock_back_ns_;
        return is_back ? clock_doubt_ : u8(0);
    }

    // What becomes of a doubtful message of `count` records at `out`: how many there are now, at most one more.
    std::size_t judge(u8 doubt, u8 look, Bytes message, u64 messages, Market* out, std::size_t count);
    // The same for a message that says no record.
    std::size_t judge_malformed(Bytes message, u64 messages, u32 instrument, i64 ts_event, Market* out);

    bool has_quarantined() const { return has_quarantined_; }
    const Quarantined& take_quarantined() {
        has_quarantined_ = false;
        return quarantined_;
    }
    const EdgeCounters& counters() const { return counters_; }

  private:
    struct alignas(64) Limit {
        u64 px_low, px_span;  // within the band, and kept
        u64 qty_max;
        u64 tick, lot;  // see is_multiple
        i64 band_low, band_high;
        u32 band_bps, reference;
    };
    static_assert(sizeof(Limit) == 64);
    struct Case;
    struct Budget {
        u64 window = 0;
        u64 used = 0;
        bool take(u64 messages, u64 most);
    };

    // n is a multiple of d, for 32 bits each and magic_of(d): Lemire, Kaser, Kurz, Faster remainder, 2019.
    static bool is_multiple(u64 n, u64 magic) { return n * magic <= magic - 1; }
    static u64 magic_of(u64 d) { return ~u64(0) / d + 1; }

    void set_band(u32 instrument);
    void follow_print(const Case& c);
    u8 failed(const Market& r, u8 look) const;
    bool is_kept(const Market& order) const;
    bool can_leave_out() const;
    void meet_left_out(Case& c);
    bool leave_out(Case& c);
    void forget_left_out();
    void decide(Case& c, Bytes message, u64 messages);
    void carry_out(Case& c, Market& r);
    Check strictest(u8 failed);
    std::size_t tell(const Case& c, u64 messages, Market* out);
    void quarantine(Bytes message, u64 messages, Check check, u32 instrument, i64 ts_event, u8 flags);

    CheckPolicies policies_;
    i64 clock_back_ns_;
    std::vector<std::pair<std::string, EdgeLimits>> configured_;
    std::vector<EdgeLimits> absolute_;  // by instrument
    std::vector<Limit> limits_;         // by instrument
    i64 clock_floor_;                   // of the next message's time
    i64 clock_floor_live_;
    u8 clock_doubt_ = kBack;
    u8 watched_ = 0;  // kinds of messages that are judged in any case
    bool has_quarantined_ = false;
    LeftOut left_out_;
    const BookedOrders* resumed_ = nullptr;
    Budget written_, told_;
    Quarantined quarantined_{};
    EdgeCounters counters_;
};

}  // namespace openbell
