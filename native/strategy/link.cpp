#include "strategy/link.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace openbell {
namespace {

constexpr std::size_t kCellBytes = 4096;

std::string path_of(const std::string& hot_dir, u16 strategy, const char* what) {
    return hot_dir + "/strategy-" + std::to_string(strategy) + what;
}

}  // namespace

std::string strategy_cell_path(const std::string& hot_dir, u16 strategy) { return path_of(hot_dir, strategy, ".cell"); }

StrategyCell StrategyCell::open(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0660));  // zeros are a valid cell
    if (!fd || ::ftruncate(fd.get(), kCellBytes) != 0) throw_errno("open the cell of a strategy", path);
    return {Mapping::open_writable(path, true), path};
}

bool StrategyCell::lock() {
    lock_ = lock_exclusively(path_);
    return bool(lock_);
}

bool StrategyCell::is_held() const { return !lock_exclusively(path_); }

void StrategyCell::sleep(i64 at_most_ns) {
    const timespec timeout{at_most_ns / 1'000'000'000, at_most_ns % 1'000'000'000};
    ::syscall(SYS_futex, &page().asleep, FUTEX_WAIT, 1, &timeout, nullptr, 0);
}

void StrategyCell::wake_up() {
    page().asleep.store(0, std::memory_order_relaxed);
    ::syscall(SYS_futex, &page().asleep, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

Ring open_strategy_ring(const std::string& hot_dir, u16 strategy) {
    const std::string path = path_of(hot_dir, strategy, ".ring");
    if (file_exists(path)) return Ring::attach(path);
    try {
        return Ring::create(path, kSaidSlots);
    } catch (const Error&) {
        if (!file_exists(path)) throw;
        return Ring::attach(path);  // the other side was faster
    }
}

StrategyBell StrategyBell::open(const std::string& hot_dir) {
    const std::string path = hot_dir + "/strategies.bell";
    if (::mkfifo(path.c_str(), 0660) != 0 && errno != EEXIST) throw_errno("make the bell of the strategies", path);
    Fd fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));  // both ends: nobody's death closes it
    if (!fd) throw_errno("open the bell of the strategies", path);
    return StrategyBell(std::move(fd));
}

// A full pipe has rung.
void StrategyBell::ring() const {
    const u8 one = 1;
    [[maybe_unused]] const ssize_t sent = ::write(fd_.get(), &one, 1);
}

void StrategyBell::silence() const {
    u8 bytes[256];
    while (::read(fd_.get(), bytes, sizeof bytes) == ssize_t(sizeof bytes)) {
    }
}

}  // namespace openbell
