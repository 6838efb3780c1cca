#include "node/replay.h"

#include "node/arrival.h"

namespace openbell {
namespace {

// What strategies said in `records`, as bytes in order.
template <class Records>
std::vector<u8> strategy_output(const Records& records, std::size_t count) {
    struct Raw {
        u8 bytes[kLargeRecord];
    };
    std::vector<u8> said;
    for (std::size_t i = 0; i < count; ++i) {
        if (!is_strategy_output(records.type_at(i))) continue;
        const Raw& raw = records.template as<Raw>(i);
        said.insert(said.end(), raw.bytes, raw.bytes + sizeof raw.bytes);
    }
    return said;
}

}  // namespace

Difference first_difference(u64 seq, Bytes then, Bytes now) {
    const std::size_t n = std::min(then.size(), now.size());
    std::size_t at = 0;
    while (at < n && std::memcmp(then.data() + at, now.data() + at, kLargeRecord) == 0) at += kLargeRecord;
    const auto record = [&](Bytes of) {
        return at < of.size() ? std::vector<u8>(of.begin() + at, of.begin() + at + kLargeRecord) : std::vector<u8>();
    };
    return {seq,
            u32(at / kLargeRecord),
            u32(then.size() / kLargeRecord),
            u32(now.size() / kLargeRecord),
            record(then),
            record(now)};
}

Replay::Replay(Engine& engine, IntentSource* again, JournalReader* tape, i64 feed_ns)
    : engine_(engine), again_(again), tape_(tape), feed_ns_(feed_ns), next_seq_(engine.seq() + 1) {
    in_.reserve(kFrameBytesMax);
    if (tape_ != nullptr && engine_.seq() > 0)
        throw Error(ErrorKind::Config, "replay with a tape: expected a new engine, found one at seq " +
                                           std::to_string(engine_.seq()) + "; the tape is played from its start");
}

FrameView Replay::pending() const {
    if (is_tape_pending_) return FrameView(&tape_header_, tape_records_);
    return FrameView(reinterpret_cast<const FrameHeader*>(in_.data()));
}

void Replay::feed(const FrameView& frame) {
    const FrameHeader& header = *frame.header;
    if (tape_ != nullptr && header.seq > next_seq_) play_tape(header.seq);
    if (tape_ == nullptr && header.seq > next_seq_ && !(header.flags & kAfterTape)) {
        throw Error(ErrorKind::Journal,
                    "replay: expected frame " + std::to_string(next_seq_) + ", found that the journal begins at " +
                        std::to_string(header.seq) +
                        "; earlier segments were removed: start from a snapshot, or bring them back");
    }
    report_.last_seq = header.seq;
    next_seq_ = header.seq + 1;
    if (header.frame_class == u8(FrameClass::Out)) {
        if (!has_pending_ || pending().header->seq != header.cause_seq) return;  // of a frame before the snapshot
        ++report_.frames_out;
        return settle(frame, false);
    }
    settle_pending();
    in_.assign(reinterpret_cast<const u8*>(frame.header), reinterpret_cast<const u8*>(frame.header) + header.length);
    has_pending_ = true;
    is_tape_pending_ = false;
    hear_pending();
}

void Replay::hear_pending() {
    if (witnesses_.empty()) return;
    engine_.hear(pending());
    for (Witness* witness : witnesses_) witness->heard(pending(), engine_);
}

void Replay::finish() {
    if (has_pending_) settle({}, true);
}

void Replay::settle_pending() {
    if (has_pending_) settle({}, false);
}

void Replay::play_tape(u64 up_to_seq) {
    for (u64 seq = next_seq_; seq < up_to_seq; ++seq) {
        settle_pending();
        const FrameView frame = tape_->next();
        if (!frame)
            throw Error(ErrorKind::Journal, "tape ends early: expected a frame for seq " + std::to_string(seq) +
                                                " of the journal; is it the tape that was used?");
        tape_header_ = arrival_of(*frame.header, feed_ns_);
        tape_header_.ts_seq = std::max(engine_.now_ns(), tape_header_.ts_seq);
        tape_header_.seq = seq;
        tape_records_ = frame.records;
        has_pending_ = is_tape_pending_ = true;
        hear_pending();
    }
}

void Replay::settle(const FrameView& out, bool is_cut) {
    has_pending_ = false;
    deciding_ = pending();
    recorded_out_ = out;
    recorded_.expect(out);
    run_again_ = again_ != nullptr && !is_cut;
    if (run_again_) again_->expect(out);
    ++report_.frames_in;
    const u64 seq = deciding_.header->seq;
    if (witnesses_.empty()) engine_.hear(deciding_);
    const Decision& now = engine_.answer(deciding_, *this);
    if (!is_cut && seq >= compares_from_) compare(out, now, seq);
    if (deciding_.type_at(0) == Type::Operator) accept_differences(deciding_);
    for (Witness* witness : witnesses_) witness->answered(deciding_, engine_);
}

// A person has said that this core is meant although it decides otherwise than the one before.
void Replay::accept_differences(const FrameView& in) {
    const auto& control = in.as<Control>(0);
    if (OperatorVerb(control.code) != OperatorVerb::Acknowledged || control.values[2] == 0) return;
    report_.acknowledged_at = in.header->seq;
    report_.core = {};
    report_.core_frames = 0;
}

void Replay::compare(const FrameView& recorded, const Decision& now, u64 seq) {
    const auto is_same = [](Bytes a, Bytes b) {
        return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
    };
    const Bytes then = recorded ? recorded.bytes() : Bytes{}, bytes = now.bytes();
    if (report_.core.seq) {  // what differed before stands in every hash after it
        report_.core_frames += !is_same(without_hash(then), without_hash(bytes));
        return;
    }
    if (compares_state_ ? is_same(then, bytes)
                        : then.size() == bytes.size() && is_same(without_hash(then), without_hash(bytes)))
        return;
    report_.core = first_difference(seq, then, bytes);
    report_.core_frames = 1;
}

void Replay::decide(const FrameView& in, const Happened& happened, const World& world, Decision& out) {
    recorded_.decide(in, happened, world, out);
    if (!run_again_) return;
    ++report_.strategy_frames;
    scratch_.clear();
    again_->decide(in, happened, world, scratch_);
    if (in.header->seq < compares_from_) return;
    const std::vector<u8> then = strategy_output(recorded_out_, recorded_out_ ? recorded_out_.count() : 0);
    const std::vector<u8> now = strategy_output(scratch_, scratch_.count());
    if (then == now) return;
    ++report_.strategy_differs;
    keep(report_.others, in.header->seq, then, now);
    if (report_.strategy.seq == 0) report_.strategy = first_difference(in.header->seq, then, now);
}

ReplayReport recover(Engine& engine, const std::string& journal_dir, const std::string& hot_dir, u64 up_to_seq) {
    JournalReader reader(journal_dir, hot_dir, true);  // above the durable watermark the end may be torn
    Replay replay(engine);
    replay.compare_decisions_only();  // a node may restart with larger tables
    if (engine.seq() > 0) reader.seek(engine.seq() + 1);
    while (const FrameView frame = reader.next()) {
        if (frame.header->seq > up_to_seq) break;
        replay.feed(frame);
    }
    return replay.report();
}

}  // namespace openbell
