// An interpreted strategy: an ordinary Python object called in the trading thread.
//
// Nothing is created that a class does not look at: the context and the books are made once, hooks that a class does
// not define are never called.
#pragma once

#include "strategy/python/slots.h"
#include "strategy/runner.h"

namespace openbell {

// "ValueError: bad price (market_maker.py:31)"
std::string describe(nb::python_error& error);

// What a strategy sees of one instrument's book: a window, never a copy.
class BookView {
  public:
    BookView(const World& world, u32 instrument) : world_(&world), instrument_(instrument) {}
    u32 instrument() const { return instrument_; }
    const Touch& touch() const { return world_->books.touch(instrument_); }
    const World& world() const { return *world_; }

  private:
    const World* world_;
    u32 instrument_;
};

class InterpretedRunner final : public Runner {
  public:
    explicit InterpretedRunner(nb::object self);

    std::size_t state_words() const { return slots_.state_words(); }
    bool has(Hook hook) const override { return hooks_[u8(hook)].is_valid(); }
    bool needs_python() const override { return true; }
    Context& context() override { return *context_; }
    void call(Hook hook) override;
    void call(Hook hook, const Market& record) override;
    void call(Hook hook, const Report& report) override;
    void call(Hook hook, const Signal& signal) override;
    void call_timer(u64 timer_id) override;
    void call_book(u32 instrument) override;
    void gather() override;
    void scatter() override;
    void learn(const World& world, u32 instrument, bool is_mine) override;

  private:
    void call_with(Hook hook, PyObject* argument);

    nb::object self_;
    Slots slots_;
    Context* context_;  // owned by py_context_: a class may keep it
    nb::object py_context_;
    nb::object hooks_[kHooks];       // bound methods; invalid where the class defines none
    std::vector<nb::object> books_;  // by instrument id, made once
};

}  // namespace openbell
