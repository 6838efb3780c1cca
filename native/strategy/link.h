// Where a strategy in a process of its own and the trading thread meet: a ring of what it says, and a line of memory.
//
//   strategy-<id>.ring    slots of 128 bytes, by the process: a `Said`, then as many records as its `source` says
//   strategy-<id>.cell
//     0  seen 8 | pid 4 | asleep 4 | ...   by the process; who wakes it clears `asleep`
//    64  condemned 4 | is_on 4 | ...       by the trading thread
//
// The process holds the lock of the cell as long as it lives: the kernel gives it back whatever ends it.
#pragma once

#include <atomic>

#include "journal/ring.h"

namespace openbell {

class StrategyCell {
  public:
    // Creates the file or takes the one that is there.
    static StrategyCell open(const std::string& path);

    // The last frame that the process has taken: release by the process, acquire by the trading thread.
    void set_seen(u64 seq) { page().seen.store(seq, std::memory_order_release); }
    u64 seen() const { return page().seen.load(std::memory_order_acquire); }
    void set_pid(u32 pid) { page().pid.store(pid, std::memory_order_relaxed); }
    u32 pid() const { return page().pid.load(std::memory_order_relaxed); }

    // The process has found nothing to do. It says so, looks once more, then sleeps until it is woken or so long.
    void doze() { page().asleep.store(1, std::memory_order_seq_cst); }
    void sleep(i64 at_most_ns);
    void rouse() { page().asleep.store(0, std::memory_order_relaxed); }
    // By the trading thread, after what there is to do was published; nearly free while the process is awake.
    void wake() {
        if (page().asleep.load(std::memory_order_seq_cst) != 0) wake_up();
    }

    // It did not answer, or said what none may say: whoever watches over processes ends it.
    void condemn() { page().condemned.store(pid(), std::memory_order_release); }
    bool is_condemned() const { return pid() != 0 && page().condemned.load(std::memory_order_acquire) == pid(); }
    // Whether the trading thread takes what it says: for people.
    void set_on(bool is_on) { page().is_on.store(is_on, std::memory_order_relaxed); }
    bool is_on() const { return page().is_on.load(std::memory_order_relaxed) != 0; }

    // Of the process, for its life; false while another one holds it.
    bool lock();
    // Whether a process holds it.
    bool is_held() const;

  private:
    struct Page {
        std::atomic<u64> seen;
        std::atomic<u32> pid;                    // relaxed: for people, and for who ends it
        std::atomic<u32> asleep;                 // a futex; seq_cst, as each side stores first and then looks
        alignas(64) std::atomic<u32> condemned;  // pid of the one that is; release, acquire by the supervisor
        std::atomic<u32> is_on;                  // relaxed: for people
    };
    StrategyCell(Mapping mapping, std::string path) : mapping_(std::move(mapping)), path_(std::move(path)) {}
    void wake_up();
    Page& page() const { return *reinterpret_cast<Page*>(mapping_.data()); }

    Mapping mapping_;
    std::string path_;
    Fd lock_;
};

inline constexpr std::size_t kSaidSlots = 4096;  // some twenty frames in which a strategy says all that it may

std::string strategy_cell_path(const std::string& hot_dir, u16 strategy);
// The ring, made by whoever comes first.
Ring open_strategy_ring(const std::string& hot_dir, u16 strategy);

// A pipe of the hot directory whose bytes wake a trading thread that waits.
class StrategyBell {
  public:
    static StrategyBell open(const std::string& hot_dir);  // throws Journal
    int fd() const { return fd_.get(); }
    void ring() const;
    void silence() const;

  private:
    explicit StrategyBell(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

}  // namespace openbell
