// One strategy behind the host, whatever its speed: it is called, and its declared state is a row of words.
//
// The words are what the engine journals and restores: the random state, then every declared field in the order
// of the class, then every parameter; see `openbell.strategy.fields`.
#pragma once

#include <span>
#include <vector>

#include "strategy/context.h"

namespace openbell {

// What a strategy can be called with, in the order in which one frame calls it.
enum class Hook : u8 { Start, Status, Notice, Order, Fill, Timer, Signal, Trade, Book, Stop };
inline constexpr const char* kHookNames[] = {"on_start", "on_status", "on_notice", "on_order", "on_fill",
                                             "on_timer", "on_signal", "on_trade",  "on_book",  "on_stop"};
inline constexpr std::size_t kHooks = std::size(kHookNames);

class Runner {
  public:
    virtual ~Runner() = default;
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    virtual bool has(Hook hook) const = 0;
    virtual bool needs_python() const = 0;
    virtual Context& context() = 0;

    // Each throws Error with what went wrong in the callback and where.
    virtual void call(Hook hook) = 0;  // Start, Stop
    virtual void call(Hook hook, const Market& record) = 0;
    virtual void call(Hook hook, const Report& report) = 0;
    virtual void call(Hook hook, const Signal& signal) = 0;
    virtual void call_timer(u64 timer_id) = 0;
    virtual void call_book(u32 instrument) = 0;

    std::span<u64> words() { return words_; }
    virtual void gather() {}                                                   // the fields' values into the words
    virtual void scatter() {}                                                  // and back
    virtual void learn(const World&, u32 /*instrument*/, bool /*is_mine*/) {}  // ids come in order, once each

  protected:
    explicit Runner(std::size_t words) : words_(words, 0) {}
    std::vector<u64> words_;
};

}  // namespace openbell
