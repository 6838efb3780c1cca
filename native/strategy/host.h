// Calls every strategy of a node about what a frame did, and keeps what they declare.
//
// Declared state is journalled with whatever else the strategy says in a frame, with every report, timer, start and
// stop, and otherwise at the latest after `kFramesUnsaid` frames that changed it: so a process that is killed may
// forget that much of what a strategy only observed, and nothing of its orders. A callback that fails takes back
// everything the strategy said and changed in that frame, and halts it (law 13).
#pragma once

#include <memory>
#include <string>

#include "strategy/callback_watch.h"
#include "strategy/intent_source.h"
#include "strategy/runner.h"

namespace openbell {

inline constexpr u32 kOverran = 1;  // code of a StrategyHalted: a callback took longer than its budget

// Who finds the version of a class that the journal names.
class StrategyVersions {
  public:
    struct Made {
        std::unique_ptr<Runner> runner;
        std::size_t state_words;
    };
    virtual ~StrategyVersions() = default;
    virtual Made make(u16 strategy, u64 version) = 0;  // throws Strategy: it cannot be had
};

class StrategyHost final : public IntentSource {
  public:
    static constexpr u32 kFramesUnsaid = 64;

    StrategyHost() = default;
    StrategyHost(const StrategyHost&) = delete;
    StrategyHost& operator=(const StrategyHost&) = delete;

    // `state_words` of the runner's words are journalled: the random state and the fields, not the parameters.
    void add(u16 id, std::string name, std::vector<std::string> symbols, std::size_t state_words,
             std::unique_ptr<Runner> runner);
    void decide(const FrameView& in, const Happened& happened, const World& world, Decision& out) override;
    // Halts for time are taken from `recorded`, the decision of the next frame as it was then.
    void expect(const FrameView& recorded) override { expected_ = recorded; }
    bool needs_python() const override;
    void set_watch(CallbackWatch* watch) { watch_ = watch; }
    // Without one every strategy stays what it was added as.
    void set_versions(StrategyVersions* versions) { versions_ = versions; }
    // Strategies give the ids of their orders themselves: in a process of their own (node/own_process.h).
    void give_ids();
    u64 callbacks() const { return callbacks_; }

  private:
    struct Entry {
        u16 id;
        std::string name;
        std::vector<std::string> symbols;
        std::size_t state_words;
        std::unique_ptr<Runner> runner;
        std::vector<u32> instruments = {};  // ids of its symbols, as they become known
        std::vector<u8> is_mine = {};       // by instrument id
        bool has[kHooks] = {};              // what its class defines
        std::vector<u64> kept = {};         // the words after the last frame that went well
        std::vector<u8> said = {};          // the state as it was last said, whether or not the journal has it yet
        u32 frames_unsaid = 0;              // that changed state which is not journalled yet
        bool is_restored = false;           // took over what the journal knows of it
        u64 version = 0;                    // of its class, as the journal names it
        u64 parameters_seen = 0;            // World::parameters_changed when its own were last looked at

        Bytes state() const { return {reinterpret_cast<const u8*>(kept.data()), state_words * sizeof(u64)}; }
    };

    void begin(Entry& entry);
    void change(Entry& entry, u64 version);
    void take_room(const std::string& name, std::size_t state_words, std::size_t instead_of = 0);
    void run(Entry& entry, const Happened& happened, const World& world, Decision& out);
    bool call_hooks(Entry& entry, const Happened& happened, bool starts);
    template <class Call>
    void ask(Call call);
    const Control* expected_overrun(u16 strategy) const;
    void restore(Entry& entry, const World& world);
    void take_parameters(Entry& entry, const World& world);
    void learn_instruments(Entry& entry, const World& world);
    bool keep(Entry& entry, const Decision& out);
    void publish_state(Entry& entry, const World& world, Decision& out);
    void take_back(Entry& entry, const World& world, Decision& out, std::size_t before);
    void halt(const Entry& entry, const World& world, Decision& out, std::string why);

    std::vector<Entry> entries_;
    CallbackWatch* watch_ = nullptr;
    StrategyVersions* versions_ = nullptr;
    bool gives_ids_ = false;
    FrameView expected_;
    u64 callbacks_ = 0;
    std::size_t state_records_ = 0;  // that all strategies' states can take in one decision
};

}  // namespace openbell
