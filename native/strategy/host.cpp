#include "strategy/host.h"

#include <algorithm>

#include "rng.h"

namespace openbell {
namespace {

constexpr std::size_t kPart = sizeof(StrategyState::bytes);

std::size_t parts_of(std::size_t state_words) { return (state_words * sizeof(u64) + kPart - 1) / kPart; }

}  // namespace

void StrategyHost::add(u16 id, std::string name, std::vector<std::string> symbols, std::size_t state_words,
                       std::unique_ptr<Runner> runner) {
    take_room(name, state_words);
    begin(entries_.emplace_back(Entry{id, std::move(name), std::move(symbols), state_words, std::move(runner)}));
}

void StrategyHost::take_room(const std::string& name, std::size_t state_words, std::size_t instead_of) {
    if (state_words * sizeof(u64) > kStateBytesMax)
        throw Error(ErrorKind::Strategy, "strategy " + name + " declares " + std::to_string(state_words - 1) +
                                             " words of state; at most " +
                                             std::to_string(kStateBytesMax / sizeof(u64) - 1));
    // Intents leave half of a decision free; every strategy's state and a word on its end must fit there.
    const std::size_t records = state_records_ + 1 + parts_of(state_words) - instead_of;
    if (records > Decision::kRecordsMax / 2)
        throw Error(ErrorKind::Capacity, "strategies: expected declared state of at most " +
                                             std::to_string(Decision::kRecordsMax / 2) + " records in all, found " +
                                             std::to_string(records) + " with " + name + "; run them on two nodes");
    state_records_ = records;
}

// With a new runner.
void StrategyHost::begin(Entry& entry) {
    for (std::size_t hook = 0; hook < kHooks; ++hook) entry.has[hook] = entry.runner->has(Hook(hook));
    entry.runner->gather();
    entry.kept.assign(entry.runner->words().begin(), entry.runner->words().end());  // what a failure returns to
    entry.is_mine.clear();
    entry.instruments.clear();
    entry.parameters_seen = 0;
    if (gives_ids_) entry.runner->context().give_ids();
}

// The journal says that its class has another version now; until that is there the strategy is halted.
void StrategyHost::change(Entry& entry, u64 version) {
    entry.frames_unsaid = 0;  // of the other version, whose state the engine has already
    entry.is_restored = false;
    StrategyVersions::Made made = versions_->make(entry.id, version);
    take_room(entry.name, made.state_words, 1 + parts_of(entry.state_words));
    entry.runner = std::move(made.runner);
    entry.state_words = made.state_words;
    entry.version = version;
    begin(entry);
}

void StrategyHost::give_ids() {
    gives_ids_ = true;
    for (Entry& entry : entries_) entry.runner->context().give_ids();
}

bool StrategyHost::needs_python() const {
    return std::ranges::any_of(entries_, [](const Entry& entry) { return entry.runner->needs_python(); });
}

void StrategyHost::decide(const FrameView&, const Happened& happened, const World& world, Decision& out) {
    for (Entry& entry : entries_) {
        if (entry.id >= world.halted.size())
            throw Error(ErrorKind::Config, "strategy " + entry.name + ": expected an id below strategies_max " +
                                               std::to_string(world.halted.size()) + ", found " +
                                               std::to_string(entry.id) + "; raise the capacity");
        if (!world.halted[entry.id])
            run(entry, happened, world, out);
        else if (happened.stopped == entry.id && entry.frames_unsaid)
            publish_state(entry, world, out);
    }
}

// One batch of callbacks: all of it counts, or none of it.
void StrategyHost::run(Entry& entry, const Happened& happened, const World& world, Decision& out) {
    const std::size_t before = out.count();
    if (const Control* then = expected_overrun(entry.id)) {
        take_back(entry, world, out, before);
        out.add_copy(*then);
        return;
    }
    try {
        const bool is_new = versions_ && entry.version != world.versions[entry.id];
        if (is_new) change(entry, world.versions[entry.id]);
        if (entry.is_mine.size() < world.instruments.size()) learn_instruments(entry, world);
        const bool starts = happened.started || happened.restarted == entry.id || is_new;
        if (starts || !entry.is_restored) restore(entry, world);
        if (entry.parameters_seen != world.parameters_changed) take_parameters(entry, world);
        entry.runner->context().open(world, out, entry.id, entry.runner->words()[0], entry.instruments);
        const u64 calls = callbacks_;
        const bool must_say = call_hooks(entry, happened, starts) || starts || happened.stopping;
        if (callbacks_ != calls && keep(entry, out)) ++entry.frames_unsaid;
        const bool is_due = must_say || out.count() != before || entry.frames_unsaid >= kFramesUnsaid;
        if ((is_due && entry.frames_unsaid) || starts) publish_state(entry, world, out);
    } catch (const std::exception& error) {
        take_back(entry, world, out, before);
        halt(entry, world, out, error.what());
        if (watch_ && watch_->is_running()) watch_->end();
    }
}

// As the last frame that went well left it. What that one has not journalled yet is said now: it is asked no more.
void StrategyHost::take_back(Entry& entry, const World& world, Decision& out, std::size_t before) {
    out.truncate(before);
    std::ranges::copy(entry.kept, entry.runner->words().begin());
    entry.runner->scatter();
    if (entry.frames_unsaid) publish_state(entry, world, out);
}

const Control* StrategyHost::expected_overrun(u16 strategy) const {
    for (std::size_t i = 0; expected_ && i < expected_.count(); ++i) {
        if (expected_.type_at(i) != Type::StrategyHalted) continue;
        const auto& halted = expected_.as<Control>(i);
        if (halted.strategy == strategy && halted.code == kOverran) return &halted;
    }
    return nullptr;
}

// One callback. A class may catch what the watch makes Python raise: it is halted all the same.
template <class Call>
void StrategyHost::ask(Call call) {
    ++callbacks_;
    if (!watch_) return call();
    watch_->begin();
    call();
    if (watch_->is_condemned())
        throw Error(ErrorKind::Strategy, "TimeoutError: a callback took longer than its budget of " +
                                             std::to_string(watch_->budget_ns() / 1'000'000) + " ms");
    watch_->end();
}

// True when it was told something that must not be forgotten: a report, a timer or a signal.
bool StrategyHost::call_hooks(Entry& entry, const Happened& happened, bool starts) {
    Runner& runner = *entry.runner;
    const auto has = [&](Hook hook) { return entry.has[u8(hook)]; };
    const auto mine = [&](u32 id) { return id < entry.is_mine.size() && entry.is_mine[id]; };
    bool is_told = false;
    if (starts && has(Hook::Start)) ask([&] { runner.call(Hook::Start); });
    if (!happened.statuses.empty() && has(Hook::Status))
        for (const Market& status : happened.statuses)
            if (status.instrument == kNoInstrument || mine(status.instrument))
                ask([&] { runner.call(Hook::Status, status); });
    if (!happened.notices.empty() && has(Hook::Notice))
        for (const Market& notice : happened.notices)
            if (notice.instrument == kNoInstrument || mine(notice.instrument))
                ask([&] { runner.call(Hook::Notice, notice); });
    for (const Report& report : happened.reports) {
        if (report.strategy != entry.id || report.instrument == kNoInstrument) continue;
        const Hook hook = report.type == u8(Type::Filled) ? Hook::Fill : Hook::Order;
        if (!has(hook)) continue;
        is_told = true;
        ask([&] { runner.call(hook, report); });
    }
    if (!happened.timers.empty() && has(Hook::Timer))
        for (const Timer& timer : happened.timers)
            if (timer.strategy == entry.id) {
                is_told = true;
                ask([&] { runner.call_timer(timer.timer_id); });
            }
    if (!happened.signals.empty() && has(Hook::Signal))
        for (const Signal& signal : happened.signals)
            if (signal.strategy == entry.id || signal.strategy == kNoStrategy) {
                is_told = true;
                ask([&] { runner.call(Hook::Signal, signal); });
            }
    if (!happened.trades.empty() && has(Hook::Trade))
        for (const Market& trade : happened.trades)
            if (mine(trade.instrument)) ask([&] { runner.call(Hook::Trade, trade); });
    if (has(Hook::Book))
        for (u32 id : happened.books)
            if (mine(id)) ask([&] { runner.call_book(id); });
    if (happened.stopping && has(Hook::Stop)) ask([&] { runner.call(Hook::Stop); });
    return is_told;
}

// State that the journal knows is taken over, else the class's defaults stand.
void StrategyHost::restore(Entry& entry, const World& world) {
    entry.is_restored = true;
    entry.frames_unsaid = 0;
    entry.runner->context().begin_ids();
    const Bytes known = world.states[entry.id];
    entry.said.assign(known.begin(), known.end());
    if (known.empty()) {
        entry.kept[0] = entry.runner->words()[0] = hash_bytes(known, world.seed ^ entry.id);
        return;
    }
    if (known.size() != entry.state_words * sizeof(u64))
        throw Error(ErrorKind::Strategy, "declared state of " + entry.name + ": expected " +
                                             std::to_string(known.size()) + " bytes as journalled, found " +
                                             std::to_string(entry.state_words * sizeof(u64)) +
                                             "; start a new journal or restore the fields");
    std::memcpy(entry.kept.data(), known.data(), known.size());
    std::copy(entry.kept.begin(), entry.kept.end(), entry.runner->words().begin());
    entry.runner->scatter();
}

// Parameters that were changed while it ran, in place of the configuration's: between frames, all of them at once.
void StrategyHost::take_parameters(Entry& entry, const World& world) {
    entry.parameters_seen = world.parameters_changed;
    for (const ChangedParameter& one : world.parameters)
        if (one.strategy == entry.id && one.word >= entry.state_words && one.word < entry.kept.size())
            entry.kept[one.word] = entry.runner->words()[one.word] = one.bits;
    entry.runner->scatter();
}

void StrategyHost::learn_instruments(Entry& entry, const World& world) {
    for (u32 id = u32(entry.is_mine.size()); id < world.instruments.size(); ++id) {
        const bool mine = std::ranges::find(entry.symbols, symbol_of(world.instruments[id])) != entry.symbols.end();
        entry.is_mine.push_back(mine);
        if (mine) entry.instruments.push_back(id);
        entry.runner->learn(world, id, mine);
    }
}

// Whether the frame changed the declared state; what it changed is kept.
bool StrategyHost::keep(Entry& entry, const Decision& out) {
    entry.runner->gather();
    const auto words = entry.runner->words();
    if (std::ranges::equal(words, entry.kept)) return false;
    if (!std::equal(words.begin() + i64(entry.state_words), words.end(), entry.kept.begin() + i64(entry.state_words)))
        throw Error(ErrorKind::Strategy, "a callback of " + entry.name +
                                             " changed a parameter: expected it constant; declare a field for what "
                                             "changes, and begin with the parameter in on_start");
    if (out.room() < Decision::kRecordsMax / 4)  // what is left is for what must be said of those that fail
        throw Error(ErrorKind::Strategy, "strategies say too much in one frame: no room for the state of " +
                                             entry.name + "; run fewer in one node");
    std::ranges::copy(words, entry.kept.begin());
    return true;
}

// Only the parts that differ from what was said before.
void StrategyHost::publish_state(Entry& entry, const World& world, Decision& out) {
    entry.frames_unsaid = 0;
    const Bytes state = entry.state();
    const Bytes known = entry.said;
    for (std::size_t at = 0; at < state.size(); at += kPart) {
        const Bytes bytes = state.subspan(at, std::min(kPart, state.size() - at));
        if (!known.empty() && std::ranges::equal(bytes, known.subspan(at, bytes.size()))) continue;
        StrategyState& part = out.add<StrategyState>(Type::StrategyState);
        part.strategy = entry.id;
        part.instrument = kNoInstrument;
        part.ts_event = world.now_ns;
        part.offset = u16(at);
        part.length = u16(bytes.size());
        part.size = u32(state.size());
        std::memcpy(part.bytes, bytes.data(), bytes.size());
    }
    entry.said.assign(state.begin(), state.end());
}

void StrategyHost::halt(const Entry& entry, const World& world, Decision& out, std::string why) {
    Control& halted = out.add<Control>(Type::StrategyHalted);
    halted.strategy = entry.id;
    halted.instrument = kNoInstrument;
    halted.ts_event = world.now_ns;
    halted.code = watch_ && watch_->is_condemned() ? kOverran : 0;
    why.resize(std::min(why.size(), sizeof halted.text - 1));
    std::memcpy(halted.text, why.data(), why.size());
}

}  // namespace openbell
