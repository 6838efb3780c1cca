#include "node/gate_memory.h"

#include <set>

namespace openbell {
namespace {

// A command may wait for the disk, and leaves then: so far before the window may its decision stand.
constexpr i64 kLookBackNs = kDurableTimeoutNs + kGateWindowNs;

struct Command {
    u64 cl_ord_id;
    u32 version;
    Type type;
    u8 session;
    auto operator<=>(const Command&) const = default;
};

// The commands of a decision, until their outcomes are read.
class Sends {
  public:
    Sends(Gate& gate, const Engine& engine) : gate_(gate), engine_(engine) {}

    void take(const FrameView& frame) {
        for (std::size_t i = 0; i < frame.count(); ++i) {
            const Type type = frame.type_at(i);
            if (frame.header->frame_class == u8(FrameClass::Out) && is_command(type)) {
                const Order& order = frame.as<Order>(i);
                unknown_.insert(
                    {order.cl_ord_id, order.version, type, engine_.session_of(order.cl_ord_id, order.instrument)});
            } else if (type == Type::Sent || type == Type::NotSent) {
                const Report& report = frame.as<Report>(i);
                const u8 session = engine_.session_of(report.cl_ord_id, report.instrument);
                unknown_.erase({report.cl_ord_id, report.version, Type(report.command), session});
                if (type == Type::Sent) gate_.recall(Type(report.command), report.ts_sent, session);
            }
        }
    }
    void give_unknown(i64 now_ns) const {
        for (const Command& command : unknown_) gate_.recall(command.type, now_ns, command.session);
    }

  private:
    Gate& gate_;
    const Engine& engine_;  // at the end of the journal
    std::set<Command> unknown_;
};

}  // namespace

void recall_sends(Gate& gate, const Engine& engine, JournalReader& journal, i64 now_ns) {
    engine.oms().for_each_live([&](const LiveOrder& o) { gate.recall_version(o.cl_ord_id, o.pending_version); });
    if (engine.now_ns() < now_ns - kLookBackNs) return;  // whatever it sent is long ago
    Sends sends(gate, engine);
    journal.seek_time(now_ns - kLookBackNs);
    while (const FrameView frame = journal.next()) sends.take(frame);
    sends.give_unknown(now_ns);
}

}  // namespace openbell
