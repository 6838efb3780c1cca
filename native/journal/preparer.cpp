#include "journal/preparer.h"

#include <unistd.h>

#include <chrono>
#include <system_error>

#include "journal/segment.h"

namespace openbell {
namespace {
constexpr std::chrono::milliseconds kFullRetry{1};
}

SegmentPreparer::~SegmentPreparer() {
    if (!thread_.joinable()) return;
    state_.store(kStopped);
    state_.notify_all();
    thread_.join();
}

void SegmentPreparer::want(u64 number, Mapping old) {
    number_ = number;
    old_ = std::move(old);
    if (plan_.is_on_demand) {
        old_ = Mapping();
        return;
    }
    state_.store(kWanted);
    if (thread_.joinable()) {
        state_.notify_all();
    } else {
        start();
    }
}

void SegmentPreparer::start() {
    try {
        thread_ = std::thread(&SegmentPreparer::run, this);
    } catch (const std::system_error& error) {
        throw Error(ErrorKind::Journal, std::string("cannot start the thread that prepares segments: ") + error.what() +
                                            "; allow this user more processes (ulimit -u)");
    }
}

Mapping SegmentPreparer::take() {
    if (!plan_.control) return make(false);
    if (plan_.is_on_demand) return prepare() ? std::move(ready_) : Mapping();
    while (state_.load(std::memory_order_acquire) == kWanted) __builtin_ia32_pause();
    if (state_.load(std::memory_order_acquire) != kReady) return {};
    Mapping ready = std::move(ready_);
    ready_ = Mapping();
    state_.store(kIdle, std::memory_order_release);
    return ready;
}

void SegmentPreparer::run() {
    for (u32 state = state_.load(); state != kStopped; state = state_.load()) {
        if (state == kIdle || state == kReady) {
            state_.wait(state);
            continue;
        }
        const bool is_ready = prepare();
        // Meanwhile nobody else has changed the state, except to kStopped, and that stays.
        state_.compare_exchange_strong(state, is_ready ? kReady : kFull);
        if (!is_ready) std::this_thread::sleep_for(kFullRetry);
    }
}

bool SegmentPreparer::prepare() {
    old_ = Mapping();
    try {
        unlink_archived(plan_.control->durable_segment.load(std::memory_order_acquire));
        if (segments_in(plan_.dir).size() >= plan_.segments_max) return false;
        ready_ = make(true);
    } catch (const std::exception&) {
        return false;  // no space or memory: the writer halts as when the archiver is behind
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
