#include "node/driver.h"

#include "node/control.h"

namespace openbell {
namespace {

// Rounds of outcome -> decision -> outcome that one frame may cause before others get their turn (law 5).
constexpr int kRoundsMax = 8;
// Cancels that wait for the venue's limit; one more leaves at once, above it.
constexpr std::size_t kWaitingMax = 1 << 16;

// A cancel waits for no disk, unless this very decision opens or replaces what it cancels.
bool is_ahead_of_disk(const Decision& decision, std::size_t at) {
    if (opens(decision.type_at(at))) return false;
    for (std::size_t i = 0; i < decision.count(); ++i) {
        if (opens(decision.type_at(i)) && decision.as<Order>(i).cl_ord_id == decision.as<Order>(at).cl_ord_id)
            return false;
    }
    return true;
}

Report outcome_of(const Order& command, const SendOutcome& outcome, i64 now_ns) {
    Report report{};
    report.type = u8(outcome.reason == Reason::None ? Type::Sent : Type::NotSent);
    report.side = command.side;
    report.instrument = command.instrument;
    report.ts_event = now_ns;
    report.cl_ord_id = command.cl_ord_id;
    report.ts_sent = outcome.ts_sent;
    report.last_px = outcome.limit;
    report.last_qty = outcome.observed;
    report.version = command.version;
    report.reason = u16(outcome.reason);
    report.command = command.type;
    return report;
}

}  // namespace

Driver::Driver(const Parts& parts) : parts_(parts), now_ns_(parts.engine.now_ns()) {
    outcomes_.reserve(2 * Decision::kRecordsMax);
    denied_.reserve(2 * Decision::kRecordsMax);
    waiting_.resize(parts_.gate.sessions());
    for (std::size_t session = 0; session < waiting_.size(); ++session)
        if (parts_.gate.has_message_limit(u8(session))) waiting_[session].cancels.reserve(kWaitingMax);
}

// Engine time moves here: what is due by now fires first, as frames of its own (law 4). Before Started the
// timers of the last epoch wait: a strategy starts before it is told that time has passed.
FrameHeader* Driver::open(u16 source, std::size_t record_size) {
    now_ns_ = std::max(now_ns_, parts_.clock.now_ns());
    if (parts_.engine.epoch() == parts_.journal.epoch()) fire_timers(now_ns_);
    return begin(source, record_size);
}

FrameHeader* Driver::begin(u16 source, std::size_t record_size) {
    FrameHeader* in = parts_.journal.begin(FrameClass::In, source, record_size);
    if (in == nullptr)
        throw Error(ErrorKind::Journal,
                    "journal: expected room in the hot segments, found all of them waiting for the "
                    "archiver after seq " +
                        std::to_string(parts_.journal.durable_seq()) +
                        "; check the disk of journal_dir and the archiver");
    return in;
}

void Driver::abandon(FrameHeader* in) { parts_.journal.commit(in, 0); }

void Driver::stamp(FrameHeader& in) {
    in.ts_seq = now_ns_;
    if (in.ts_recv == 0) in.ts_recv = now_ns_;
    ++frames_in_;
}

void Driver::submit(FrameHeader* in, u32 count) {
    stamp(*in);
    parts_.journal.commit(in, count);
    if (parts_.tap && in->source >= source::kFeed && in->source < source::kOrderEntry)
        parts_.tap->on_market(FrameView(in), now_ns_);
    decide(FrameView(in));
    settle();
}

void Driver::submit_mapped(FrameHeader in, const u8* records) {
    now_ns_ = std::max(now_ns_, parts_.clock.now_ns());
    stamp(in);
    in.seq = parts_.journal.skip();
    in.epoch = parts_.journal.epoch();
    decide(FrameView(&in, records));
    settle();
}

void Driver::complete(const FrameView& in) {
    now_ns_ = std::max(now_ns_, in.header->ts_seq);
    Latency* latency = std::exchange(parts_.latency, nullptr);  // the time we were dead is no latency
    decide(in);
    report_rounds();  // limits wait for the epoch to begin
    denied_.clear();  // who asked is gone
    parts_.latency = latency;
}

// What followed from a frame becomes frames of its own.
bool Driver::settle() {
    send_waiting();
    const bool tells = !denied_.empty() && must_tell_denied();
    const bool had_work = tells || !outcomes_.empty() || must_fall_back_;
    if (tells) tell_denied();
    report_rounds();
    if (must_fall_back_) fall_back();
    const bool has_presets = !has_given_presets_ || instruments_limited_ < parts_.engine.instruments();
    if (has_presets && !is_giving_presets_) give_presets();
    return had_work;
}

void Driver::report_rounds() {
    for (int round = 0; round < kRoundsMax && !outcomes_.empty(); ++round) report_outcomes();
}

bool Driver::must_tell_denied() {
    return parts_.clock.now_ns() - denied_told_ns_ >= kDeniedEveryNs || denied_.size() >= Decision::kRecordsMax;
}

void Driver::tell_denied() {
    FrameHeader* in = open(source::kNode, sizeof(Report));
    denied_told_ns_ = now_ns_;
    const std::size_t count = std::min(denied_.size(), Decision::kRecordsMax);
    std::memcpy(in + 1, denied_.data(), count * sizeof(Report));
    denied_.erase(denied_.begin(), denied_.begin() + std::ptrdiff_t(count));
    stamp(*in);
    parts_.journal.commit(in, u32(count));
    decide(FrameView(in));
}

// The disk is not there: nothing may be opened that could not be remembered.
void Driver::fall_back() {
    must_fall_back_ = false;
    submit_one(source::kNode, make_control(Type::Arm, now_ns_, 0, u32(ArmState::CancelOnly)));
}

void Driver::set_presets(Presets presets) {
    presets_ = std::move(presets);
    const auto by_symbol = [](const auto& a, const auto& b) { return a.symbol < b.symbol; };
    std::stable_sort(presets_.by_symbol.begin(), presets_.by_symbol.end(), by_symbol);
    std::stable_sort(presets_.controls_by_symbol.begin(), presets_.controls_by_symbol.end(), by_symbol);
}

// Without limits risk refuses, so these come before anything can be traded.
void Driver::give_presets() {
    is_giving_presets_ = true;
    if (!std::exchange(has_given_presets_, true)) {
        submit_all(presets_.conversions);
        submit_all(presets_.limits);
        submit_all(presets_.controls);
    }
    while (instruments_limited_ < parts_.engine.instruments()) {
        const Instrument& known = *parts_.engine.instrument(instruments_limited_++);
        if (!are_limits_newer()) give_those_of(known, presets_.by_symbol);
        give_those_of(known, presets_.controls_by_symbol);
    }
    is_giving_presets_ = false;
}

// Changed since the epoch began: ours would be old ones, maybe wider. An instrument without any is refused (NO_LIMITS).
bool Driver::are_limits_newer() const {
    return !presets_.limits.empty() && parts_.engine.risk().limits().version() != presets_.limits.front().version;
}

template <class Record>
void Driver::give_those_of(const Instrument& known, const std::vector<Presets::OfSymbol<Record>>& presets) {
    const Presets::OfSymbol<Record> wanted{std::string(symbol_of(known)), {}};
    const auto [first, last] = std::equal_range(presets.begin(), presets.end(), wanted,
                                                [](const auto& a, const auto& b) { return a.symbol < b.symbol; });
    std::vector<Record> records;
    for (auto at = first; at != last; ++at) {
        records.push_back(at->record);
        records.back().instrument = known.instrument;
    }
    submit_all(records);
}

// As frames of ours, many records to a frame.
template <class Record>
void Driver::submit_all(std::vector<Record>& records) {
    for (std::size_t done = 0; done < records.size();) {
        const std::size_t count = std::min(records.size() - done, Decision::kRecordsMax);
        FrameHeader* in = open(source::kOperator, sizeof(Record));
        for (std::size_t i = 0; i < count; ++i) records[done + i].ts_event = now_ns_;
        std::memcpy(in + 1, &records[done], count * sizeof(Record));
        submit(in, u32(count));
        done += count;
    }
}

void Driver::decide(const FrameView& in) {
    // Of ticks only: an order that waited for a report of the venue leaves when that comes, and is no answer to a tick.
    const auto is_tick = [&] { return in.header->source >= source::kFeed && in.header->source < source::kOrderEntry; };
    const bool timed = parts_.latency != nullptr && is_tick();
    const i64 sequenced = timed ? parts_.clock.now_ns() : 0;
    const Decision& decision = parts_.engine.on_event(in, parts_.strategies);
    if (decision.empty()) return;
    for (const Report& one : parts_.engine.denied()) denied_.push_back(one);
    if (timed) {
        parts_.latency->record(Hop::Sequenced, sequenced - received_ns_);
        parts_.latency->record(Hop::Decided, parts_.clock.now_ns() - received_ns_);
    }
    carry_out(decision, in.header->seq, timed ? received_ns_ : 0);
}

void Driver::carry_out(const Decision& decision, u64 cause_seq, i64 received_ns) {
    FrameHeader* out = parts_.journal.begin(FrameClass::Out, source::kNode, kLargeRecord);
    if (out == nullptr) throw Error(ErrorKind::Journal, "journal: no room for a decision; nothing was sent");
    std::memcpy(out + 1, decision.bytes().data(), decision.bytes().size());
    out->cause_seq = cause_seq;
    out->ts_recv = out->ts_seq = now_ns_;
    const u64 seq = parts_.journal.commit(out, u32(decision.count()));
    if (received_ns) parts_.latency->record(Hop::Journalled, parts_.clock.now_ns() - received_ns);

    bool has_commands = false, has_openings = false;
    for (std::size_t i = 0; i < decision.count(); ++i) {
        has_commands |= is_command(decision.type_at(i));
        has_openings |= opens(decision.type_at(i));
    }
    if (!has_commands) return;
    if (parts_.durability != Durability::Local || !has_openings)
        return send_commands(decision, Turn::All, true, received_ns);
    send_commands(decision, Turn::AheadOfDisk, true, 0);
    const bool is_durable = await(parts_.journal, seq);
    must_fall_back_ |= !is_durable;
    if (received_ns) parts_.latency->record(Hop::Durable, parts_.clock.now_ns() - received_ns);
    send_commands(decision, Turn::Rest, is_durable, received_ns);
}

bool Driver::await(const Durable& level, u64 seq) {
    const i64 give_up = parts_.clock.now_ns() + kDurableTimeoutNs;
    while (level.durable_seq() < seq) {
        if (level.has_failed() || parts_.clock.now_ns() > give_up) return false;
        parts_.clock.relax();
    }
    return true;
}

void Driver::send_commands(const Decision& decision, Turn turn, bool is_durable, i64 received_ns) {
    send_waiting();
    for (std::size_t i = 0; i < decision.count(); ++i) {
        if (!is_command(decision.type_at(i))) continue;
        if (turn != Turn::All && is_ahead_of_disk(decision, i) != (turn == Turn::AheadOfDisk)) continue;
        ++commands_;
        if (must_wait(decision.as<Order>(i))) {
            keep_waiting(decision.as<Order>(i));
            continue;
        }
        const SendOutcome outcome = send(decision, i, is_durable);
        // From the return of the receive call to the entry of the send call, of the first order.
        if (received_ns && outcome.ts_sent) parts_.latency->record(Hop::Sent, outcome.ts_sent - received_ns);
        received_ns = 0;
        note_outcome(decision.as<Order>(i), outcome);
    }
}

void Driver::note_outcome(const Order& command, const SendOutcome& outcome) {
    sent_ += outcome.reason == Reason::None;
    outcomes_.push_back(outcome_of(command, outcome, now_ns_));
}

// What the venue does not take in this second it would refuse, or end the session for: then nothing is cancelled any
// more. So cancels leave as fast as it allows, in their order, and new orders find no room while one waits.
bool Driver::must_wait(const Order& command) {
    if (opens(Type(command.type))) return false;
    const Waiting& waiting = waiting_of(command);
    if (waiting.size() >= waiting.cancels.capacity()) return false;
    return waiting.size() > 0 || !parts_.gate.has_room_for_cancel(parts_.clock.now_ns(), session_of(command));
}

void Driver::keep_waiting(const Order& command) {
    auto& [cancels, from] = waiting_of(command);
    if (cancels.size() == cancels.capacity()) {
        cancels.erase(cancels.begin(), cancels.begin() + std::ptrdiff_t(from));
        from = 0;
    }
    cancels.push_back(command);
}

// Of an order that has ended meanwhile, or of a version that it does not have any more, nobody waits for a cancel.
bool Driver::is_awaited(const Order& cancel) const {
    const LiveOrder* order = parts_.engine.oms().find(cancel.cl_ord_id);
    return order != nullptr && order->unsent & kCancelBit && order->cancel_version == cancel.version;
}

void Driver::send_waiting() {
    for (std::size_t session = 0; session < waiting_.size(); ++session)
        if (waiting_[session].size() > 0) send_waiting(waiting_[session], u8(session));
}

void Driver::send_waiting(Waiting& waiting, u8 session) {
    while (waiting.size() > 0 && outcomes_.size() < Decision::kRecordsMax) {
        const Order& command = waiting.cancels[waiting.from];
        if (is_awaited(command)) {
            if (!parts_.gate.has_room_for_cancel(parts_.clock.now_ns(), session)) return;
            note_outcome(command, pass(command, nullptr));
        }
        if (++waiting.from < waiting.cancels.size()) continue;
        waiting.cancels.clear();
        waiting.from = 0;
    }
}

SendOutcome Driver::send(const Decision& decision, std::size_t i, bool is_durable) {
    const Order& command = decision.as<Order>(i);
    const u32 epoch = parts_.journal.epoch();
    if (parts_.engine.epoch() != epoch)
        return {Reason::GateEpoch, 0, epoch, parts_.engine.epoch()};  // decided for a dead process
    if (!is_durable && opens(Type(command.type)))
        return {Reason::NotDurable, 0, i64(parts_.journal.last_seq()), i64(parts_.journal.durable_seq())};
    return pass(command, i > 0 ? &decision.as<Order>(i - 1) : nullptr);  // its approval stands right before it
}

// Through the perimeter, and to the venue.
SendOutcome Driver::pass(const Order& command, const Order* approval) {
    const Passage passage = parts_.gate.passage();
    const GateVerdict verdict = parts_.gate.check(command, approval, parts_.engine.money_scale(command.instrument),
                                                  parts_.journal.epoch(), parts_.clock.now_ns(), session_of(command));
    if (!verdict.passes()) return {verdict.reason, 0, verdict.limit, verdict.observed};
    return parts_.route.send(command, parts_.engine, now_ns_);
}

// One IN frame with what became of the commands of a decision.
void Driver::report_outcomes() {
    FrameHeader* in = begin(source::kNode, sizeof(Report));
    const std::size_t count = std::min(outcomes_.size(), Decision::kRecordsMax);
    std::memcpy(in + 1, outcomes_.data(), count * sizeof(Report));
    outcomes_.erase(outcomes_.begin(), outcomes_.begin() + std::ptrdiff_t(count));
    stamp(*in);
    parts_.journal.commit(in, u32(count));
    decide(FrameView(in));
}

void Driver::fire_timers(i64 now_ns) {
    if (is_firing_) return;  // the frame being opened is a timer's own
    is_firing_ = true;
    for (u32 fired = 0; fired < kTimersPerRoundMax; ++fired) {
        const ArmedTimer* due = parts_.engine.due_timer(std::max(now_ns, now_ns_));
        if (due == nullptr) break;
        Timer timer{};
        timer.type = u8(Type::Timer);
        timer.strategy = u16(due->strategy);
        timer.instrument = kNoInstrument;
        timer.ts_event = due->deadline;
        timer.timer_id = due->timer_id;
        submit_one(source::kNode, timer);
    }
    is_firing_ = false;
}

}  // namespace openbell
