// What strategies in processes of their own said: taken as if they stood in the trading thread, unless it is late.
#include "engine/engine.h"
#include "strategy/recorded.h"

namespace openbell {

// Without a head it is the node that says something of such a strategy: that its process is gone.
void Engine::take_said(const FrameView& in) {
    const Control* head = in.type_at(0) == Type::Said ? &in.as<Control>(0) : nullptr;
    for (std::size_t i = head ? 1 : 0; i < in.count(); ++i) {
        const Type type = in.type_at(i);
        if (!is_strategy_output(type) || decision_.room() < 2) continue;
        if (type == Type::Intent && head && !is_taken(in.as<Intent>(i), *head)) continue;
        decision_.add_copy(in.as<Control>(i));
    }
}

// Cancels are never late. Of a quote or a target that is, what stands from before is older still: it is pulled.
bool Engine::is_taken(const Intent& intent, const Control& head) {
    const auto kind = IntentKind(intent.kind);
    if (kind == IntentKind::Cancel || kind == IntentKind::CancelAll) return true;
    if (intent.strategy >= capacity_.strategies_max || halted_[intent.strategy]) return true;  // it does nothing
    const bool has_id = kind == IntentKind::Order || kind == IntentKind::Parent;
    const bool is_known = !has_id || oms_.claim(intent.strategy, intent.cl_ord_id);
    const i64 age_ns = now_ns_ - head.values[kSaidSeenNs], age_frames = i64(seq_) - head.values[kSaidSeenSeq];
    const bool is_old = age_ns > head.values[kSaidAgeMaxNs];
    if (is_known && !is_old && age_frames <= head.values[kSaidAgeMaxFrames]) return true;
    if (kind == IntentKind::Quote || kind == IntentKind::Target) {
        if (intent.instrument >= instruments_.size()) return true;
        targets_.drop(intent.strategy, intent.instrument);
        pull_quote(intent.strategy, intent.instrument);
    }
    refuse(intent, is_old     ? Verdict{Reason::Late, head.values[kSaidAgeMaxNs], age_ns}
                   : is_known ? Verdict{Reason::Late, head.values[kSaidAgeMaxFrames], age_frames}
                              : Verdict{Reason::Late, i64(oms_.next_id(intent.strategy, 0)), i64(intent.cl_ord_id)});
    return false;
}

}  // namespace openbell
