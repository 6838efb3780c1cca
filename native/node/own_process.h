// When a strategy in a process of its own is called, and with what: a function of the journal alone, so that a replay
// calls it again at the same places.
//
// It is called about a frame as soon as the engine has heard it. What it asks then is on its way; until the `Said`
// frame that brings it is decided it is not called again, so that it never sees a world without its own orders. What
// happens meanwhile is told together, right after that decision: each book once, everything else in its order.
#pragma once

#include <deque>

#include "node/replay.h"
#include "strategy/host.h"

namespace openbell {

class OwnProcess : public Witness {
  public:
    // `host` has this one strategy.
    OwnProcess(u16 strategy, StrategyHost& host) : strategy_(strategy), host_(host) { host_.give_ids(); }

    void heard(const FrameView& in, const Engine& engine) final;
    void answered(const FrameView& in, const Engine& engine) final;
    bool is_on() const { return is_on_; }  // it has begun, and nothing has ended that

  protected:
    u16 strategy() const { return strategy_; }
    StrategyHost& host() { return host_; }

  private:
    // A journal may tell of processes before this one.
    virtual bool is_meant(const Control& /*begins*/) const { return true; }
    // Before it is called about frame `seq`.
    virtual void before_call(u64 /*seq*/) {}
    // Whether what it asks about frame `seq` arrives: until then it is not called again.
    virtual bool is_awaited(u64 /*seq*/) const { return true; }
    // What it said about `at`; never nothing.
    virtual void say(const FrameView& at, const Decision& words) = 0;
    // A frame of the journal with what it said; what was said and did not arrive is lost with `end`.
    virtual void arrived(const FrameView& /*said*/) {}
    virtual void ended() {}

    bool read_said(const FrameView& in);
    void end();
    void gather(const Happened& happened);
    void call(const FrameView& in, const Engine& engine, const Happened& happened);

    const u16 strategy_;
    StrategyHost& host_;
    bool is_on_ = false;
    u64 awaited_ = 0;  // the frame that what is on its way was decided on; 0: nothing is
    u64 arrived_ = 0;  // the frame that brought it
    Happened meanwhile_;
    Decision words_;
};

// The same strategy run again over the journal of the one that was: what it says now against what arrived then.
class OwnProcessAgain final : public OwnProcess {
  public:
    using OwnProcess::OwnProcess;

    // Before the replay, of every frame of the journal: a halt for time is no function of it, and taken from here.
    void remember(const FrameView& frame);
    // It is another version than the one that was: it may ask where nothing arrives, and goes on then.
    void suppose() { is_supposed_ = true; }
    // After the last frame.
    void finish() { lose(); }
    // What it said about frames before this one is not compared.
    void compare_from(u64 seq) { compares_from_ = seq; }
    const Difference& difference() const { return difference_; }      // the first
    u64 differs() const { return differs_; }                          // frames about which it says something else
    const std::vector<Otherwise>& others() const { return others_; }  // the first of those
    u64 frames() const { return frames_; }

  private:
    struct Words {
        u64 seq;
        std::vector<u8> records;
        bool asks = false;
    };
    void before_call(u64 seq) override;
    bool is_awaited(u64 seq) const override;
    void say(const FrameView& at, const Decision& words) override;
    void arrived(const FrameView& said) override;
    void ended() override { lose(); }
    void lose();
    void differ(u64 seq, Bytes then, Bytes now);

    std::vector<u64> answers_;     // frames about which something arrived, in order
    std::vector<Words> overruns_;  // whole frames, by what they were decided on
    std::deque<Words> said_;       // and have not arrived yet
    Difference difference_;
    std::vector<Otherwise> others_;
    bool is_supposed_ = false;
    u64 compares_from_ = 0;
    u64 differs_ = 0;
    u64 frames_ = 0;
};

}  // namespace openbell
