// The kill cell: one cache line in shared memory that closes the gate (law 11).
//
// It is a file of the hot directory, so a kill survives the death of every process and is found at the
// next start. Any process may request; only a person's release, journalled by the node, opens it again.
//
//  0       4       8               16            20     24               28
//  | level | ack   | requested_at  | requester   | zero | cancels_sent   | cancels_confirmed | magic ...
#pragma once

#include <atomic>

#include "journal/mapping.h"

namespace openbell {

class KillCell {
  public:
    // Creates the file or takes the one that is there, with the kill it may hold.
    static KillCell open(const std::string& path);

    // Read before every send: one load of a line that nobody writes in peace. Acquire: pairs with request.
    KillLevel level() const { return KillLevel(line().level.load(std::memory_order_acquire)); }

    // Raises the level, never lowers it. `now_ns`: wall clock of the request; `uid`: who asks.
    void request(KillLevel level, i64 now_ns, u32 uid);
    // The node has closed the gate for this level.
    void ack(KillLevel level) { line().ack.store(u32(level), std::memory_order_release); }
    // Opens the gate if `level` is still what was asked for; says whether it did. Only the node does this, on an
    // operator's Arm with kAfterKill: a kill that was raised meanwhile stays.
    bool release(KillLevel level);

    KillLevel acked() const { return KillLevel(line().ack.load(std::memory_order_acquire)); }
    i64 requested_at() const { return line().requested_at.load(std::memory_order_relaxed); }
    u32 requester_uid() const { return line().requester_uid.load(std::memory_order_relaxed); }

    void count_cancel_sent() { bump(line().cancels_sent); }
    void count_cancel_confirmed() { bump(line().cancels_confirmed); }
    u32 cancels_sent() const { return line().cancels_sent.load(std::memory_order_relaxed); }
    u32 cancels_confirmed() const { return line().cancels_confirmed.load(std::memory_order_relaxed); }

  private:
    struct alignas(64) Line {
        std::atomic<u32> level;          // release by whoever requests, last; acquire before every send
        std::atomic<u32> ack;            // release by the node; acquire by whoever waits
        std::atomic<i64> requested_at;   // relaxed, before level
        std::atomic<u32> requester_uid;  // relaxed, before level
        u32 pad0;
        std::atomic<u32> cancels_sent;       // relaxed, by the node: for people
        std::atomic<u32> cancels_confirmed;  // relaxed, by the node: for people
        char magic[8];
        u8 pad1[24];
    };
    static_assert(sizeof(Line) == 64);
    explicit KillCell(Mapping mapping) : mapping_(std::move(mapping)) {}
    Line& line() const { return *reinterpret_cast<Line*>(mapping_.data()); }
    static void bump(std::atomic<u32>& n) { n.store(n.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }

    Mapping mapping_;
};

}  // namespace openbell
