// Paper trading: what the virtual venue needs of a node that starts, or starts again.
#include "node/control.h"
#include "node/live.h"

namespace openbell {
namespace {

Control session_event(Type type, i64 now_ns) { return make_control(type, now_ns, source::kOrderEntry, 0, "paper"); }

Report canceled(const LiveOrder& order, i64 now_ns) {
    Report report{};
    report.type = u8(Type::Canceled);
    report.side = order.side;
    report.instrument = order.instrument;
    report.ts_event = now_ns;
    report.cl_ord_id = order.cl_ord_id;
    report.version = order.version;
    report.last_qty = order.leaves_qty;
    report.reason = u16(Reason::SessionCancel);
    return report;
}

}  // namespace

// The venue's books are the ones that recovery brought back.
void LiveNode::seed_paper() {
    const i64 now_ns = engine_.now_ns();
    for (u32 id = 0; id < engine_.instruments(); ++id) {
        venue_->add_instrument(*engine_.instrument(id));
        Market record{};
        record.type = u8(Type::Status);
        record.instrument = id;
        record.ref = u64(engine_.trading(id));
        venue_->on_market(record, now_ns);
        for (const Side side : {Side::Buy, Side::Sell}) {
            engine_.books().walk(id, side, [&](const RestingOrder& order) {
                Market add{};
                add.type = u8(Type::BookAdd);
                add.flags = u8((side == Side::Buy ? kBuy : 0) | kSnapshot);
                add.instrument = id;
                add.order_id = order.order_id;
                add.px = order.px;
                add.qty = order.qty;
                venue_->on_market(add, now_ns);
                return true;
            });
        }
        venue_->set_valid(id, engine_.books().is_valid(id));
    }
    venue_->clear_reports();
}

void LiveNode::open_paper() {
    driver_.submit_one(source::kNode, session_event(Type::Connected, clock_.now_ns()));
    std::vector<LiveOrder> unknown;
    engine_.oms().for_each_live([&](const LiveOrder& order) { unknown.push_back(order); });
    for (const LiveOrder& order : unknown)
        driver_.submit_one(u16(source::kOrderEntry + order.session), canceled(order, clock_.now_ns()));
    driver_.submit_one(source::kNode, session_event(Type::Resolved, clock_.now_ns()));
}

}  // namespace openbell
