#include "node/own_process.h"

#include <algorithm>

namespace openbell {
namespace {

bool is_of(const FrameView& in, u16 strategy) {
    return in.header->source == source::kStrategies && in.type_at(0) == Type::Said &&
           in.as<Control>(0).strategy == strategy;
}

bool asks(const Decision& words) {
    for (std::size_t i = 0; i < words.count(); ++i)
        if (words.type_at(i) == Type::Intent || words.type_at(i) == Type::StrategyHalted) return true;
    return false;
}

}  // namespace

void OwnProcess::heard(const FrameView& in, const Engine& engine) {
    if (in.type_at(0) == Type::Started || engine.is_halted(strategy_)) end();  // an epoch's processes begin anew
    if (read_said(in)) {
        is_on_ = true;
        awaited_ = arrived_ = 0;
        meanwhile_.clear();
        meanwhile_.started = true;
        call(in, engine, meanwhile_);
        return meanwhile_.clear();
    }
    if (!is_on_ || engine.happened().empty()) return;
    if (awaited_ != 0) return gather(engine.happened());
    call(in, engine, engine.happened());
}

void OwnProcess::answered(const FrameView& in, const Engine& engine) {
    if (!is_on_) return;
    if (engine.is_halted(strategy_)) return end();
    if (arrived_ == 0 || arrived_ != in.header->seq) return;
    awaited_ = arrived_ = 0;
    if (meanwhile_.empty()) return;
    call(in, engine, meanwhile_);
    meanwhile_.clear();
}

// Whether it begins.
bool OwnProcess::read_said(const FrameView& in) {
    if (!is_of(in, strategy_)) return false;
    const auto& head = in.as<Control>(0);
    if (SaidKind(head.code) == SaidKind::Begins) return is_meant(head);
    if (!is_on_) return false;
    arrived(in);
    if (u64(head.values[kSaidSeenSeq]) == awaited_) arrived_ = in.header->seq;
    return false;
}

void OwnProcess::end() {
    if (!is_on_) return;
    is_on_ = false;
    ended();
}

void OwnProcess::gather(const Happened& happened) {
    meanwhile_.stopping |= happened.stopping;
    for (const u32 book : happened.books)
        if (std::ranges::find(meanwhile_.books, book) == meanwhile_.books.end()) meanwhile_.books.push(book);
    const auto add = [](auto& to, const auto& from) {
        for (const auto& one : from) to.push(one);
        if (to.dropped() > 0)
            throw Error(ErrorKind::Capacity,
                        "own process: expected what it asked to arrive, found more happening "
                        "meanwhile than can be kept; is the trading thread stuck?");
    };
    add(meanwhile_.trades, happened.trades);
    add(meanwhile_.statuses, happened.statuses);
    add(meanwhile_.notices, happened.notices);
    add(meanwhile_.reports, happened.reports);
    add(meanwhile_.timers, happened.timers);
    add(meanwhile_.signals, happened.signals);
}

void OwnProcess::call(const FrameView& in, const Engine& engine, const Happened& happened) {
    before_call(in.header->seq);
    words_.clear();
    host_.decide(in, happened, engine.world(), words_);
    if (words_.empty()) return;
    if (asks(words_) && is_awaited(in.header->seq)) awaited_ = in.header->seq;
    say(in, words_);
}

// ---- again -----------------------------------------------------------------------------------------

void OwnProcessAgain::remember(const FrameView& frame) {
    if (!is_of(frame, strategy())) return;
    const u64 seen = u64(frame.as<Control>(0).values[kSaidSeenSeq]);
    if (SaidKind(frame.as<Control>(0).code) != SaidKind::Begins) answers_.push_back(seen);
    for (std::size_t i = 1; i < frame.count(); ++i) {
        if (frame.type_at(i) != Type::StrategyHalted || frame.as<Control>(i).code != kOverran) continue;
        const u8* from = reinterpret_cast<const u8*>(frame.header);
        overruns_.push_back({seen, {from, from + frame.header->length}});
    }
}

void OwnProcessAgain::before_call(u64 seq) {
    ++frames_;
    const auto overran = std::ranges::find(overruns_, seq, &Words::seq);
    host().expect(overran == overruns_.end()
                      ? FrameView()
                      : FrameView(reinterpret_cast<const FrameHeader*>(overran->records.data())));
}

bool OwnProcessAgain::is_awaited(u64 seq) const { return !is_supposed_ || std::ranges::binary_search(answers_, seq); }

void OwnProcessAgain::say(const FrameView& at, const Decision& words) {
    const Bytes bytes = words.bytes();
    said_.push_back({at.header->seq, {bytes.begin(), bytes.end()}, asks(words)});
}

void OwnProcessAgain::arrived(const FrameView& said) {
    const u64 seen = u64(said.as<Control>(0).values[kSaidSeenSeq]);
    for (; !said_.empty() && said_.front().seq < seen; said_.pop_front())
        differ(said_.front().seq, {}, said_.front().records);
    const bool is_next = !said_.empty() && said_.front().seq == seen;
    differ(seen, said.bytes().subspan(kLargeRecord), is_next ? Bytes(said_.front().records) : Bytes{});
    if (is_next) said_.pop_front();
}

// What was on its way when the process died is in no journal. It can have asked once; what else is there, nobody asked
// then.
void OwnProcessAgain::lose() {
    bool is_on_its_way = true;
    for (const Words& words : said_) {
        if (!is_supposed_) break;
        if (words.asks && !is_on_its_way) differ(words.seq, {}, words.records);
        is_on_its_way &= !words.asks;
    }
    said_.clear();
}

void OwnProcessAgain::differ(u64 seq, Bytes then, Bytes now) {
    if (seq < compares_from_ || std::ranges::equal(then, now)) return;
    if (differs_++ == 0) difference_ = first_difference(seq, then, now);
    keep(others_, seq, then, now);
}

}  // namespace openbell
