// The door between the engine and its strategies (law 3: the replay boundary lies below the strategy).
//
// Three producers of the same records stand behind it: interpreted Python classes, compiled ones, and a
// journal whose recorded records are played back. The engine cannot tell them apart.
#pragma once

#include <memory>

#include "journal/frame.h"

namespace openbell {

class Decision;
struct World;

// A list of stated capacity; what does not fit is dropped and counted.
template <class T>
class BoundedList {
  public:
    explicit BoundedList(std::size_t capacity)
        : items_(std::make_unique_for_overwrite<T[]>(capacity)), capacity_(capacity) {}
    void push(const T& item) {
        if (size_ < capacity_)
            items_[size_++] = item;
        else
            ++dropped_;
    }
    void clear() { size_ = 0; }
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    u64 dropped() const { return dropped_; }
    const T* begin() const { return items_.get(); }
    const T* end() const { return items_.get() + size_; }

  private:
    std::unique_ptr<T[]> items_;
    std::size_t size_ = 0;
    std::size_t capacity_;
    u64 dropped_ = 0;
};

// What one frame did, in the form strategies are told of it. Books are named once each (law 7).
struct Happened {
    static constexpr std::size_t kRecordsMax = kFrameBytesMax / kSmallRecord;

    bool started = false;         // a new epoch: strategies start
    bool stopping = false;        // an operator asked for CancelAll: strategies stop
    u16 restarted = kNoStrategy;  // the one that a person started again
    u16 stopped = kNoStrategy;    // the one that a person stopped: what it has not journalled yet is
    BoundedList<u32> books{kRecordsMax};
    BoundedList<Market> trades{kRecordsMax};  // executions and prints, with the price resolved
    BoundedList<Market> statuses{kRecordsMax};
    BoundedList<Market> notices{kRecordsMax};  // what else was said of the market; `Prices` too
    BoundedList<Report> reports{kRecordsMax};  // as the OMS completed them
    BoundedList<Timer> timers{kRecordsMax};
    BoundedList<Signal> signals{kRecordsMax};

    void clear() {
        started = stopping = false;
        restarted = stopped = kNoStrategy;
        books.clear();
        trades.clear();
        statuses.clear();
        notices.clear();
        reports.clear();
        timers.clear();
        signals.clear();
    }
    bool empty() const {
        return !started && !stopping && restarted == kNoStrategy && stopped == kNoStrategy && books.empty() &&
               trades.empty() && statuses.empty() && notices.empty() && reports.empty() && timers.empty() &&
               signals.empty();
    }
};

class IntentSource {
  public:
    virtual ~IntentSource() = default;
    // Adds Intent, TimerArmed, StrategyState and StrategyHalted records to `out`, nothing else.
    virtual void decide(const FrameView& in, const Happened& happened, const World& world, Decision& out) = 0;
    // In a replay: the decision that was made then about the frame that is decided next; a null view when none was.
    virtual void expect(const FrameView& /*recorded*/) {}
    // Whether `decide` calls Python: its lock is held then while a session runs, else other threads of it go on.
    virtual bool needs_python() const { return true; }
};

// A node without strategies: recording, reconciling.
class NoStrategies final : public IntentSource {
  public:
    void decide(const FrameView&, const Happened&, const World&, Decision&) override {}
    bool needs_python() const override { return false; }
};

}  // namespace openbell
