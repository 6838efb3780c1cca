#include "node/strategy_process.h"

#include <sched.h>

#include "node/control.h"
#include "node/cores.h"
#include "node/live.h"

namespace openbell {
namespace {

constexpr u64 kFramesPerRound = 64;
constexpr i64 kAskAgainNs = 100'000'000;      // for a trading thread that was not ready
constexpr u32 kSpins = 200;                   // some microseconds, before it sleeps
constexpr i64 kSleepMaxNs = 10'000'000;       // a trading thread that has died wakes nobody
constexpr i64 kLockWithinNs = 1'000'000'000;  // the trading thread looks at the lock for a moment

}  // namespace

StrategyProcess::StrategyProcess(const Config& config, StrategyHost& host)
    : OwnProcess(config.strategy, host),
      config_(config),
      follower_(config.capacity, config.journal_dir, config.hot_dir),
      cell_(StrategyCell::open(strategy_cell_path(config.hot_dir, config.strategy))),
      ring_(open_strategy_ring(config.hot_dir, config.strategy)),
      bell_(StrategyBell::open(config.hot_dir)),
      born_ns_(clock_.now_ns()),
      spins_(config.is_busy && cores() > config.spinners) {
    const i64 give_up = born_ns_ + kLockWithinNs;
    while (!cell_.lock()) {
        if (clock_.now_ns() > give_up)
            throw Error(ErrorKind::Config, "strategy " + std::to_string(config.strategy) +
                                               ": expected no other process of it, found process " +
                                               std::to_string(cell_.pid()) + "; end that one first");
        ::sched_yield();
    }
    cell_.set_pid(u32(::getpid()));
}

void StrategyProcess::run() {
    follower_.add_witness(*this);
    for (u32 idle_rounds = 0; !is_stop_requested();) {
        if (take() > 0) {
            idle_rounds = 0;
        } else if (spins_ || ++idle_rounds < kSpins) {
            __builtin_ia32_pause();
        } else {
            cell_.doze();
            if (take() == 0)
                cell_.sleep(kSleepMaxNs);
            else
                idle_rounds = 0;
            cell_.rouse();
        }
    }
}

// What has been committed since the last look, in batches.
u64 StrategyProcess::take() {
    const u64 frames = follower_.poll(kFramesPerRound);
    cell_.set_seen(follower_.engine().seq());
    if (const Difference& core = follower_.report().core; core.seq != 0)
        throw Error(ErrorKind::Invariant, "strategy " + std::to_string(strategy()) +
                                              ": expected the decision of the journal after seq " +
                                              std::to_string(core.seq) + ", found another; start the core of the node");
    if (frames < kFramesPerRound && !is_on()) ask_to_begin();
    return frames;
}

bool StrategyProcess::is_meant(const Control& begins) const {
    return begins.values[kBeginsPid] == ::getpid() && begins.values[kBeginsBorn] == born_ns_;
}

void StrategyProcess::say(const FrameView& at, const Decision& words) {
    Control head = make_control(Type::Said, at.header->ts_seq, u16(words.count()), u32(SaidKind::Says));
    head.strategy = strategy();
    head.values[kSaidSeenSeq] = i64(at.header->seq);
    head.values[kSaidSeenNs] = at.header->ts_seq;
    // A full ring is waited for: who waits for too long is behind, and halted for that.
    while (ring_.capacity() - ring_.size() <= words.count()) {
        if (is_stop_requested()) return;
        ::sched_yield();
    }
    ring_.push(&head);
    for (std::size_t i = 0; i < words.count(); ++i) ring_.push(&words.as<Control>(i));
    if (!config_.is_busy) bell_.ring();
}

void StrategyProcess::ask_to_begin() {
    const Engine& engine = follower_.engine();
    const i64 now_ns = clock_.now_ns();
    if (engine.epoch() == 0 || engine.is_halted(strategy()) || now_ns - asked_ns_ < kAskAgainNs) return;
    asked_ns_ = now_ns;
    const u64 version = engine.strategy_version(strategy());  // it becomes that, whatever the configuration says
    const std::string source = version ? "version " + std::to_string(version) : config_.source;
    Control head = make_control(Type::Said, engine.now_ns(), 0, u32(SaidKind::Begins), source);
    head.strategy = strategy();
    head.values[kSaidSeenSeq] = i64(engine.seq());
    head.values[kSaidSeenNs] = engine.now_ns();
    head.values[kBeginsPid] = ::getpid();
    head.values[kBeginsBorn] = born_ns_;
    if (ring_.push(&head)) bell_.ring();
}

}  // namespace openbell
