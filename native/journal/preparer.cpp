#include "journal/preparer.h"

#include <unistd.h>

#include <chrono>

#include "journal/segment.h"

namespace openbell {
namespace {
constexpr std::chrono::milliseconds kFullRetry{1};
}

SegmentPreparer::~SegmentPreparer() {
    stop_.store(true, std::memory_order_release);
    if (!thread_.joinable()) return;
    // Any change of the state word wakes the thread; it looks at stop_ first.
    state_.store(kFull, std::memory_order_release);
    state_.notify_all();
    thread_.join();
}

void SegmentPreparer::want(u64 number, Mapping old) {
    number_ = number;
    old_ = std::move(old);
    if (!plan_.control) {
        old_ = Mapping();
        return;
    }
    state_.store(kWanted, std::memory_order_release);
    if (thread_.joinable()) {
        state_.notify_all();
    } else {
        thread_ = std::thread(&SegmentPreparer::run, this);
    }
}

Mapping SegmentPreparer::take() {
    if (!plan_.control) return make(false);
    while (state_.load(std::memory_order_acquire) == kWanted) __builtin_ia32_pause();
    if (state_.load(std::memory_order_acquire) != kReady) return {};
    Mapping ready = std::move(ready_);
    ready_ = Mapping();
    state_.store(kIdle, std::memory_order_release);
    return ready;
}

void SegmentPreparer::run() {
    while (!stop_.load(std::memory_order_acquire)) {
        const u32 state = state_.load(std::memory_order_acquire);
        if (state == kIdle || state == kReady) {
            state_.wait(state, std::memory_order_acquire);
            continue;
        }
        if (prepare()) {
            state_.store(kReady, std::memory_order_release);
        } else {
            state_.store(kFull, std::memory_order_release);
            std::this_thread::sleep_for(kFullRetry);
        }
    }
}

bool SegmentPreparer::prepare() {
    old_ = Mapping();
    unlink_archived(plan_.control->durable_segment.load(std::memory_order_acquire));
    if (segments_in(plan_.dir).size() >= plan_.segments_max) return false;
    try {
        ready_ = make(true);
    } catch (const Error&) {
        return false;  // no space: the writer halts as when the archiver is behind
    }
    return true;
}

void SegmentPreparer::unlink_archived(u64 durable_segment) {
    const std::vector<u64> numbers = segments_in(plan_.dir);
    std::size_t count = numbers.size();
    for (u64 number : numbers) {
        if (number >= durable_segment) return;
        if (number + 1 + kHotSegmentsKept >= number_ && count < plan_.segments_max) return;
        ::unlink((plan_.dir + "/" + segment_name(number)).c_str());
        --count;
    }
}

Mapping SegmentPreparer::make(bool resident) const {
    return Mapping::create(plan_.dir + "/" + segment_name(number_), plan_.segment_bytes, resident);
}

}  // namespace openbell
