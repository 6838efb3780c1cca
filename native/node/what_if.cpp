#include "node/what_if.h"

namespace openbell {
namespace {

bool is_verdict(Type type) { return type == Type::Approved || type == Type::Refused; }

// The verdict of `in` about the order of `wanted`; null where it was not judged.
const Order* verdict_about(const Decision& in, const Order& wanted) {
    for (std::size_t i = 0; i < in.count(); ++i) {
        const auto& order = in.as<Order>(i);
        if (is_verdict(in.type_at(i)) && order.cl_ord_id == wanted.cl_ord_id && order.version == wanted.version)
            return &order;
    }
    return nullptr;
}

Bytes bytes_of(const Order& order) { return {reinterpret_cast<const u8*>(&order), sizeof order}; }

}  // namespace

WhatIfLimits::WhatIfLimits(const EngineCapacity& capacity, std::vector<Line> lines)
    : then_(capacity), now_(capacity), lines_(std::move(lines)) {
    in_.reserve(kFrameBytesMax);
}

void WhatIfLimits::load(Bytes state) {
    StateReader in(state);
    then_.load(in);
    resume();
}

bool WhatIfLimits::feed(const FrameView& frame) {
    const FrameHeader& header = *frame.header;
    if (header.frame_class == u8(FrameClass::Out)) {
        if (has_pending_ && reinterpret_cast<const FrameHeader*>(in_.data())->seq == header.cause_seq) settle(frame);
        return !report_.is_cut;
    }
    if (has_pending_) settle({});
    in_.assign(reinterpret_cast<const u8*>(frame.header), reinterpret_cast<const u8*>(frame.header) + header.length);
    has_pending_ = true;
    return !report_.is_cut;
}

void WhatIfLimits::finish() {
    if (has_pending_) settle({});
}

void WhatIfLimits::settle(const FrameView& out) {
    has_pending_ = false;
    const FrameView in(reinterpret_cast<const FrameHeader*>(in_.data()));
    ++report_.frames;
    recorded_then_.expect(out);
    const Decision& then = then_.on_event(in, recorded_then_);
    if (in.type_at(0) == Type::Limit) return follow();  // the other limits instead
    if (in.type_at(0) == Type::Started) {
        is_limited_ = false;
        instruments_limited_ = 0;
    }
    recorded_now_.expect(out);
    const Decision& now = now_.on_event(in, recorded_now_);
    compare(in.header->seq, then, now);
    if (is_limited_ && instruments_limited_ < now_.instruments()) follow();
}

// Only verdicts about the same order count: the other engine may also try again what was refused, because it has just
// been told of limits.
void WhatIfLimits::compare(u64 seq, const Decision& then, const Decision& now) {
    for (std::size_t i = 0; i < then.count() && seq >= compares_from_; ++i) {
        if (!is_verdict(then.type_at(i))) continue;
        const auto& was = then.as<Order>(i);
        ++report_.judged;
        const Order* is = verdict_about(now, was);
        if (is == nullptr || is->type == was.type) continue;
        (Type(was.type) == Type::Approved ? report_.now_refused : report_.now_passes) += 1;
        keep(report_.others, seq, bytes_of(was), bytes_of(*is));
    }
    const Bytes a = without_hash(then.bytes()), b = without_hash(now.bytes());
    if (a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0)) return;
    report_.is_cut = ++resumed_ >= kResumedMax;
    resume();
}

// From the state of what really happened, under the other limits.
void WhatIfLimits::resume() {
    StateWriter state;
    then_.save(state);
    StateReader in(state.bytes());
    now_.load(in);
    instruments_limited_ = 0;
    follow();
}

// Gives the other limits where they are due: those of no instrument once in an epoch, the others as instruments are
// known.
void WhatIfLimits::follow() {
    for (const Line& line : lines_)
        if (line.symbol.empty()) give(line, kNoInstrument);
    is_limited_ = true;
    for (; instruments_limited_ < now_.instruments(); ++instruments_limited_)
        for (const Line& line : lines_)
            if (!line.symbol.empty() && line.symbol == symbol_of(*now_.instrument(instruments_limited_)))
                give(line, instruments_limited_);
}

void WhatIfLimits::give(const Line& line, u32 instrument) {
    struct {
        FrameHeader header;
        Limit record;
    } frame{};
    frame.header.length = sizeof frame;
    frame.header.frame_class = u8(FrameClass::In);
    frame.header.source = source::kOperator;
    frame.header.record_size = sizeof(Limit);
    frame.header.count = 1;
    frame.header.seq = now_.seq();
    frame.header.ts_seq = now_.now_ns();
    frame.record = line.record;
    frame.record.instrument = instrument;
    NoStrategies nobody;
    now_.on_event(FrameView(&frame.header), nobody);
}

}  // namespace openbell
