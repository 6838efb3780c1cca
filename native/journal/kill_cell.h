// The kill cell: one cache line in shared memory that closes the gate (law 11).
//
// It is a file of the hot directory, so a kill survives the death of every process and is found at the
// next start. Any process may request; only a person's release, journalled by the node, opens it again.
//
//  0       4       8               16            20     24               28
//  | asked | ack   | requested_at  | requester   | zero | cancels_sent   | cancels_confirmed | magic
//  40             44             48     52
//  | scoped_asked | scoped_taken | bell | sending ...
#pragma once

#include <atomic>

#include "journal/mapping.h"

namespace openbell {

class KillCell {
  public:
    // Creates the file or takes the one that is there, with the kill it may hold.
    static KillCell open(const std::string& path);

    // Read before every send: one load of a line that nobody writes in peace. Acquire: pairs with request.
    KillLevel level() const { return level_of(line().asked.load(std::memory_order_acquire)); }
    // Counts every request, that of a level already asked for too: what was released was not a later one.
    u32 generation() const { return line().asked.load(std::memory_order_acquire) >> 8; }
    // The same of requests with a scope too: while it stands nobody has asked for anything.
    u64 requests() const { return u64(generation()) << 32 | line().scoped_asked.load(std::memory_order_acquire); }

    // Raises the level, never lowers it. `now_ns`: wall clock of the request; `uid`: who asks. Then `ring`.
    void request(KillLevel level, i64 now_ns, u32 uid);
    // The node has closed the gate for this level.
    void ack(KillLevel level) { line().ack.store(u32(level), std::memory_order_release); }
    // Opens the gate if nothing was asked for since `generation`, and the node has closed it for that; says whether it
    // did. Only the node does this, on an operator's Arm with kAfterKill: a kill that was asked for meanwhile stays.
    bool release(u32 generation);

    // A kill of one strategy or instrument: its record follows by the operator ring and carries the ticket. Until the
    // node has taken it nothing opens anywhere; of one whose sender died in between the next one, or a release of
    // the node, opens the gate again.
    u32 ask_scoped() {
        const u32 ticket = line().scoped_asked.fetch_add(1, std::memory_order_acq_rel) + 1;
        await_sends();
        ring();
        return ticket;
    }
    void take_scoped(u32 ticket) {
        if (i32(ticket - line().scoped_taken.load(std::memory_order_relaxed)) > 0)
            line().scoped_taken.store(ticket, std::memory_order_release);
    }
    void take_all_scoped() { take_scoped(line().scoped_asked.load(std::memory_order_acquire)); }
    bool awaits_scoped() const {
        return line().scoped_asked.load(std::memory_order_acquire) !=
               line().scoped_taken.load(std::memory_order_acquire);
    }

    // The trading thread says that it looks and sends: store, fence, look. Who asks stores, fences, and waits until a
    // send that had looked before is over; so that after `await_sends` no byte of a new order leaves any more.
    void begin_send() const {
        line().sending.store(1, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_seq_cst);
    }
    void end_send() const { line().sending.store(0, std::memory_order_release); }
    // False after some milliseconds: the thread was stopped in the middle of a send, or has died there.
    bool await_sends() const;

    // Wakes who waits: after every request, and for a record in the operator ring. Nobody needs it to be stopped.
    void ring();
    u32 bell() const { return line().bell.load(std::memory_order_acquire); }
    // Until the bell says something else than `heard`, or for `timeout_ns`.
    void wait(u32 heard, i64 timeout_ns) const;

    KillLevel acked() const { return KillLevel(line().ack.load(std::memory_order_acquire)); }
    i64 requested_at() const { return line().requested_at.load(std::memory_order_relaxed); }
    u32 requester_uid() const { return line().requester_uid.load(std::memory_order_relaxed); }

    void count_cancel_sent() { bump(line().cancels_sent); }
    void count_cancel_confirmed() { bump(line().cancels_confirmed); }
    u32 cancels_sent() const { return line().cancels_sent.load(std::memory_order_relaxed); }
    u32 cancels_confirmed() const { return line().cancels_confirmed.load(std::memory_order_relaxed); }

  private:
    struct alignas(64) Line {
        std::atomic<u32>
            asked;             // level, and above 8 bits the generation: by whoever requests; acquire before every send
        std::atomic<u32> ack;  // release by the node; acquire by whoever waits
        std::atomic<i64> requested_at;   // relaxed, before level
        std::atomic<u32> requester_uid;  // relaxed, before level
        u32 pad0;
        std::atomic<u32> cancels_sent;       // relaxed, by the node: for people
        std::atomic<u32> cancels_confirmed;  // relaxed, by the node: for people
        std::atomic<u64> magic;              // relaxed: by everybody who opens it, the same
        std::atomic<u32> scoped_asked;       // by whoever requests, before the record; acquire before every send
        std::atomic<u32> scoped_taken;       // release by the node alone
        std::atomic<u32> bell;               // a futex between processes: release after what it tells of
        std::atomic<u32> sending;  // by the trading thread, around a look at `asked` and the send that follows
        u8 pad1[8];
    };
    static_assert(sizeof(Line) == 64);
    explicit KillCell(Mapping mapping) : mapping_(std::move(mapping)) {}
    Line& line() const { return *reinterpret_cast<Line*>(mapping_.data()); }
    static KillLevel level_of(u32 asked) { return KillLevel(asked & 0xFF); }
    static void bump(std::atomic<u32>& n) { n.store(n.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }

    Mapping mapping_;
};

}  // namespace openbell
