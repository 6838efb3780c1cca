#include "node/strategy_links.h"

#include "node/control.h"
#include "strategy/recorded.h"

namespace openbell {
namespace {

const Control& head_of(const u8* slot) { return *reinterpret_cast<const Control*>(slot); }

bool begins(const u8* slot) { return Type(*slot) == Type::Said && SaidKind(head_of(slot).code) == SaidKind::Begins; }

u16 speaker_of(const u8* record) {
    if (Type(*record) == Type::Intent) return reinterpret_cast<const Intent*>(record)->strategy;
    return head_of(record).strategy;  // the others have it in one place
}

}  // namespace

StrategyLinks::StrategyLinks(const std::vector<Config>& configs, const std::string& hot_dir, const Engine& engine,
                             u64 last_seq)
    : engine_(engine), last_seq_(last_seq), bell_(StrategyBell::open(hot_dir)) {
    for (const Config& config : configs) {
        Link& link = links_.emplace_back(Link{config, open_strategy_ring(hot_dir, config.strategy),
                                              StrategyCell::open(strategy_cell_path(hot_dir, config.strategy))});
        while (link.ring.front() != nullptr) link.ring.pop();
        turn(link, false);
    }
}

bool StrategyLinks::poll(Driver& driver, i64 now_ns) {
    bool did_something = false;
    for (Link& link : links_) did_something |= poll(link, driver, now_ns);
    return did_something;
}

bool StrategyLinks::poll(Link& link, Driver& driver, i64 now_ns) {
    if (link.is_on && engine_.is_halted(link.config.strategy)) turn(link, false);
    const u8* slot = link.ring.front();
    // Of one that is not on everything is dropped but the wish to begin.
    for (; !link.is_on && slot != nullptr && !begins(slot); slot = link.ring.front()) link.ring.pop();
    if (slot == nullptr) return false;
    if (begins(slot)) {
        begin(link, driver, now_ns);
        return true;
    }
    const std::size_t count = head_of(slot).source;
    if (Type(*slot) != Type::Said || count == 0 || count > Decision::kRecordsMax / 2) {
        halt(link, driver, kProcessWrong, "its process said what is no word of a strategy", now_ns);
        return true;
    }
    if (link.ring.size() <= count) return false;  // the rest is being written
    take(link, driver, now_ns);
    return true;
}

// Not before this epoch has begun for it too, and never while a person has not released it.
bool StrategyLinks::may_begin(const Link& link, const Control& head) const {
    return !link.is_on && !engine_.is_halted(link.config.strategy) && head.strategy == link.config.strategy &&
           u64(head.values[kSaidSeenSeq]) > last_seq_;
}

void StrategyLinks::begin(Link& link, Driver& driver, i64 now_ns) {
    const Control head = head_of(link.ring.front());
    link.ring.pop();
    if (!may_begin(link, head)) return;
    turn(link, true);
    link.marked_seq = 0;
    link.marked_ns = now_ns;
    driver.submit_one(source::kStrategies, head);
}

void StrategyLinks::take(Link& link, Driver& driver, i64 now_ns) {
    FrameHeader* in = driver.open(source::kStrategies, kLargeRecord);
    Control head = head_of(link.ring.front());
    const std::size_t count = head.source;
    head.values[kSaidAgeMaxNs] = link.config.age_max_ns;
    head.values[kSaidAgeMaxFrames] = link.config.age_max_frames;
    bool is_sound = head.strategy == link.config.strategy;
    u8* to = reinterpret_cast<u8*>(in + 1);
    std::memcpy(to, &head, sizeof head);
    link.ring.pop();
    for (std::size_t i = 1; i <= count; ++i) {
        const u8* record = link.ring.front();
        is_sound &= is_strategy_output(Type(*record)) && speaker_of(record) == link.config.strategy;
        std::memcpy(to + i * kLargeRecord, record, kLargeRecord);
        link.ring.pop();
    }
    if (!is_sound) {
        driver.abandon(in);
        return halt(link, driver, kProcessWrong, "its process said what is no word of this strategy", now_ns);
    }
    in->cause_seq = u64(head.values[kSaidSeenSeq]);
    driver.submit(in, u32(count + 1));
}

void StrategyLinks::wake() {
    if (woken_seq_ == engine_.seq()) return;
    woken_seq_ = engine_.seq();
    for (Link& link : links_) link.cell.wake();
}

void StrategyLinks::watch(Driver& driver, i64 now_ns) {
    for (Link& link : links_) {
        if (!link.is_on) continue;
        if (!link.cell.is_held()) {
            halt(link, driver, kProcessGone, "its process is gone", now_ns);
        } else if (link.cell.seen() >= link.marked_seq) {
            link.marked_seq = engine_.seq();
            link.marked_ns = now_ns;
        } else if (now_ns - link.marked_ns > link.config.lag_max_ns) {
            link.cell.condemn();
            const std::string why = "its process has not taken frame " + std::to_string(link.marked_seq) + " within " +
                                    std::to_string(link.config.lag_max_ns / 1'000'000) + " ms";
            halt(link, driver, kProcessBehind, why, now_ns);
        }
    }
}

bool StrategyLinks::have_answered(u64 seq) const {
    for (const Link& link : links_)
        if (link.is_on && (link.cell.seen() < seq || link.ring.size() > 0)) return false;
    return true;
}

void StrategyLinks::turn(Link& link, bool is_on) {
    link.is_on = is_on;
    link.cell.set_on(is_on);
}

void StrategyLinks::halt(Link& link, Driver& driver, u32 code, std::string_view why, i64 now_ns) {
    turn(link, false);
    if (code == kProcessWrong) link.cell.condemn();
    Control halted = make_control(Type::StrategyHalted, now_ns, 0, code, why);
    halted.strategy = link.config.strategy;
    driver.submit_one(source::kStrategies, halted);
}

}  // namespace openbell
