// Interpreted strategies: ordinary Python objects called in the trading thread.
//
// Nothing is created that a class does not look at: the context and the books are made once, hooks that
// a class does not define are never called. Declared state (annotated int, float and bool fields) is
// copied into engine-owned bytes after each batch of callbacks and journalled when it changed, so that a
// restart restores it and an exception undoes it (law 13).
#pragma once

#include <nanobind/nanobind.h>

#include <deque>
#include <string>
#include <vector>

#include "rng.h"
#include "strategy/decision.h"
#include "strategy/intent_source.h"
#include "strategy/world.h"

namespace openbell {

namespace nb = nanobind;

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

struct StrategySpec {
    u16 id;
    std::string name;
    nb::object self;
    std::vector<std::string> symbols;
    std::vector<std::pair<std::string, char>> fields;  // declared state: name and 'i', 'f' or 'b'
};

// A strategy's whole world: what it may ask, and the intents it gives.
class Context {
  public:
    static constexpr u32 kIntentsMax = 64;  // of one strategy in one frame

    void open(const World& world, Decision& out, u16 strategy, SplitMix64& rng, const std::vector<u32>& instruments);

    i64 now_ns() const { return world_->now_ns; }
    u64 seq() const { return world_->seq; }
    void quote(u32 instrument, i64 bid_px, i64 bid_qty, i64 ask_px, i64 ask_qty);
    u64 order(u32 instrument, Side side, i64 px, i64 qty, Tif tif, u64 tag);
    void cancel(u64 cl_ord_id);
    void cancel_all();
    void set_timer(u64 timer_id, i64 deadline);
    i64 position(u32 instrument) const;
    Totals totals() const { return world_->accounts.totals(strategy_); }
    double random();
    BookView book(u32 instrument) const;
    u32 instrument(std::string_view symbol) const;
    const std::vector<u32>& instruments() const { return *instruments_; }
    std::vector<LiveOrder> orders() const;

  private:
    Intent& intend(IntentKind kind, u32 instrument);
    void check_instrument(u32 instrument) const;

    const World* world_ = nullptr;
    Decision* out_ = nullptr;
    SplitMix64* rng_ = nullptr;
    const std::vector<u32>* instruments_ = nullptr;
    u16 strategy_ = 0;
    u32 intents_ = 0;
    u32 orders_ = 0;
};

class PythonStrategies final : public IntentSource {
  public:
    PythonStrategies();
    ~PythonStrategies() override;
    void add(StrategySpec spec);
    void decide(const FrameView& in, const Happened& happened, const World& world, Decision& out) override;
    u64 callbacks() const { return callbacks_; }

  private:
    enum Hook { OnStart, OnBook, OnTrade, OnStatus, OnNotice, OnOrder, OnFill, OnTimer, OnStop, kHooks };
    struct Entry {
        StrategySpec spec;
        nb::object hooks[kHooks];       // bound methods; invalid where the class defines none
        std::vector<nb::object> names;  // interned field names
        std::vector<u32> instruments;   // ids of its symbols, as they become known
        std::vector<u8> subscribed;     // by instrument id
        std::vector<nb::object> books;  // by instrument id, made once
        std::vector<u8> state;          // random state, then 8 bytes a field; what the engine owns
        SplitMix64 rng;
        bool is_restored = false;  // took over what the journal knows of it
    };

    void run(Entry& entry, const Happened& happened, const World& world, Decision& out);
    void call_hooks(Entry& entry, const Happened& happened, const World& world);
    void call(Entry& entry, Hook hook, nb::handle argument);
    void restore(Entry& entry, const World& world);
    void learn_instruments(Entry& entry, const World& world);
    void pack(const Entry& entry, std::vector<u8>& into) const;
    void unpack(Entry& entry) const;
    void publish_state(Entry& entry, const World& world, Decision& out);
    void halt(const Entry& entry, const World& world, Decision& out, std::string why);

    std::deque<Entry> entries_;
    Context* context_;
    nb::object py_context_;
    std::vector<u8> scratch_;
    u64 callbacks_ = 0;
    std::size_t state_records_ = 0;  // that all strategies' states can take in one decision
};

}  // namespace openbell
