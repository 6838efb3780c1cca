#include <atomic>
#include <thread>

#include "journal/kill_cell.h"
#include "stress/stress.h"
#include "venue/gate.h"

namespace openbell::stress {
namespace {

constexpr u32 kKillers = 2;

// The trading thread: it sends as long as the gate is open, and takes what it is told between two sends.
struct Trader {
    KillCell cell;
    u64 sent = 0;  // not atomic: once a killer's `await_sends` is over nobody writes it, or the sanitizer says so
    std::atomic<u64> passes = 0;
    std::atomic<bool> may_release = false, is_over = false;

    void run() {
        while (!is_over.load(std::memory_order_acquire)) {
            send();
            if (cell.level() > cell.acked()) cell.ack(cell.level());
            if (may_release.load(std::memory_order_acquire) && cell.release(cell.generation()))
                may_release.store(false, std::memory_order_release);
            passes.fetch_add(1, std::memory_order_release);
        }
    }
    void send() {
        const Passage passage(&cell);
        if (cell.level() == KillLevel::None) ++sent;
    }
};

void await_passes(const Trader& trader, u64 more) {
    const u64 until = trader.passes.load(std::memory_order_acquire) + more;
    while (trader.passes.load(std::memory_order_acquire) < until) std::this_thread::yield();
}

// Two at once; what the trader has sent when the gate is closed is all it sends.
void kill_once(const std::string& path, const Trader& trader) {
    KillCell cell = KillCell::open(path);
    cell.request(KillLevel::Hard, 1, 0);
    while (!cell.await_sends()) {  // its thread does not run just now
    }
    const u64 sent = trader.sent;
    cell.ring();
    while (cell.acked() < KillLevel::Hard) std::this_thread::yield();
    await_passes(trader, 3);
    if (trader.sent != sent) broken("kill cell: sends after the gate was closed", sent, trader.sent);
}

}  // namespace

// Kills of two at once, again and again, of a thread that does nothing but send; a third waits for the bell.
std::string run_kill_cell(const Plan& plan) {
    const std::string path = plan.folder + "/kill";
    KillCell cell = KillCell::open(path);
    Trader trader{KillCell::open(path)};
    std::thread trading([&] { trader.run(); });
    std::atomic<u64> heard = 0;
    std::thread warden([&] {
        while (!trader.is_over.load(std::memory_order_acquire)) {
            const u32 bell = cell.bell();
            heard.fetch_add(cell.level() != KillLevel::None, std::memory_order_relaxed);
            cell.wait(bell, 1'000'000);
        }
    });
    for (u64 round = 0; round < plan.rounds; ++round) {
        await_passes(trader, 2);
        std::vector<std::thread> killers;
        for (u32 i = 0; i < kKillers; ++i) killers.emplace_back([&] { kill_once(path, trader); });
        for (std::thread& killer : killers) killer.join();
        trader.may_release.store(true, std::memory_order_release);
        while (trader.may_release.load(std::memory_order_acquire)) std::this_thread::yield();
    }
    trader.is_over.store(true, std::memory_order_release);
    trading.join();
    warden.join();
    return std::to_string(plan.rounds * kKillers) + " kills of a thread that sent " + std::to_string(trader.sent) +
           " times; the warden looked at a killed cell " + std::to_string(heard.load()) + " times";
}

}  // namespace openbell::stress
