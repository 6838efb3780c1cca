// Strategies played back from a journal: core replay, recovery and snapshots need no Python (law 3).
#pragma once

#include "strategy/decision.h"
#include "strategy/intent_source.h"

namespace openbell {

// Records that only a strategy can say; everything else in a decision follows from them.
constexpr bool is_strategy_output(Type type) {
    return type == Type::Intent || type == Type::TimerArmed || type == Type::StrategyState ||
           type == Type::StrategyHalted;
}

class RecordedStrategies final : public IntentSource {
  public:
    void expect(const FrameView& recorded) override { out_ = recorded; }

    void decide(const FrameView&, const Happened&, const World&, Decision& out) override {
        if (!out_) return;
        struct Raw {
            u8 type;
            u8 rest[kLargeRecord - 1];
        };
        for (std::size_t i = 0; i < out_.count() && out.room() > 0; ++i)
            if (is_strategy_output(out_.type_at(i))) out.add_copy(out_.as<Raw>(i));
    }

  private:
    FrameView out_;
};

}  // namespace openbell
