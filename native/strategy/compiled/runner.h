// A compiled strategy: function pointers, called without Python. The words are its memory: nothing is copied.
#pragma once

#include <memory>
#include <string>

#include "strategy/compiled/abi.h"
#include "strategy/runner.h"

namespace openbell {

// Machine code and what its errors are told with.
struct CompiledCode {
    CompiledHook hooks[kHooks] = {};  // null where the class defines none
    std::vector<std::string> raised;  // texts of its raise statements, by Runtime::detail
    std::vector<std::string> files;   // names of its sources, by the upper half of Runtime::line
    std::shared_ptr<void> keep;       // what owns the code
};

class CompiledRunner final : public Runner {
  public:
    static constexpr i64 kFuel = 1'000'000;  // rounds of loops in one callback

    CompiledRunner(CompiledCode code, std::vector<u64> words);

    bool has(Hook hook) const override { return code_.hooks[u8(hook)] != nullptr; }
    bool needs_python() const override { return false; }
    Context& context() override { return context_; }
    void call(Hook hook) override { run(hook, nullptr); }
    void call(Hook hook, const Market& record) override { run(hook, &record); }
    void call(Hook hook, const Report& report) override { run(hook, &report); }
    void call(Hook hook, const Signal& signal) override { run(hook, &signal); }
    void call_timer(u64 timer_id) override { run(Hook::Timer, &timer_id); }
    void call_book(u32 instrument) override;

    void refuse(std::string why) { refusal_ = std::move(why); }  // of a verb, for the error that follows

  private:
    void run(Hook hook, const void* argument);
    [[noreturn]] void fail() const;

    CompiledCode code_;
    Context context_;
    Runtime runtime_{};
    std::string refusal_;
};

BookCell book_cell(const World& world, u32 instrument);

}  // namespace openbell
