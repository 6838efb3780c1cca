#include "journal/kill_cell.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>

namespace openbell {
namespace {
constexpr std::size_t kCellBytes = 4096;
constexpr u64 kMagic = std::bit_cast<u64>(std::array{'o', 'p', 'e', 'n', 'k', 'i', 'l', 'l'});
// A send call takes microseconds; one that takes longer waits for a processor, perhaps for the one that spins here.
constexpr u32 kSendSpins = 1'000;
constexpr u32 kSendNapsMax = 100;
constexpr timespec kSendNap{0, 20'000};
}  // namespace

KillCell KillCell::open(const std::string& path) {
    // Two processes may open it first at once: zeros are a valid cell, and both write the same magic.
    Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0660));
    if (!fd || ::ftruncate(fd.get(), kCellBytes) != 0) throw_errno("open kill cell", path);
    KillCell cell(Mapping::open_writable(path, true));
    cell.line().magic.store(kMagic, std::memory_order_relaxed);
    return cell;
}

void KillCell::request(KillLevel level, i64 now_ns, u32 uid) {
    Line& cell = line();
    u32 present = cell.asked.load(std::memory_order_acquire);
    if (level_of(present) == KillLevel::None) {  // the first request stays on record
        cell.requested_at.store(now_ns, std::memory_order_relaxed);
        cell.requester_uid.store(uid, std::memory_order_relaxed);
    }
    u32 wanted;
    do {
        const KillLevel highest = std::max(level, level_of(present));
        wanted = ((present >> 8) + 1) << 8 | u32(highest);
    } while (!cell.asked.compare_exchange_weak(present, wanted, std::memory_order_acq_rel));
}

bool KillCell::await_sends() const {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    for (u32 look = 0; look < kSendSpins + kSendNapsMax; ++look) {
        if (line().sending.load(std::memory_order_acquire) == 0) return true;
        if (look < kSendSpins)
            __builtin_ia32_pause();
        else
            ::nanosleep(&kSendNap, nullptr);
    }
    return false;
}

void KillCell::ring() {
    line().bell.fetch_add(1, std::memory_order_acq_rel);
    ::syscall(SYS_futex, &line().bell, FUTEX_WAKE, INT32_MAX, nullptr, nullptr, 0);
}

void KillCell::wait(u32 heard, i64 timeout_ns) const {
    const timespec timeout{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
    ::syscall(SYS_futex, &line().bell, FUTEX_WAIT, heard, &timeout, nullptr, 0);
}

bool KillCell::release(u32 generation) {
    Line& cell = line();
    u32 expected = generation << 8 | u32(acked());
    if (!cell.asked.compare_exchange_strong(expected, generation << 8, std::memory_order_acq_rel)) return false;
    cell.ack.store(0, std::memory_order_release);
    cell.cancels_sent.store(0, std::memory_order_relaxed);
    cell.cancels_confirmed.store(0, std::memory_order_relaxed);
    return true;
}

}  // namespace openbell
