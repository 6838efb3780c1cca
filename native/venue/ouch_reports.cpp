#include "venue/ouch_reports.h"

#include <algorithm>

#include "wire/token.h"

namespace openbell {
namespace {

// A time beyond this is nonsense, but the fill that carries it is real: the time is cut, the report kept.
constexpr u64 kVenueTimeMax = u64(48) * 3600 * 1'000'000'000;

// Called with the one decoded message; what has no overload here is of no consequence for an order.
struct Reader {
    i64 midnight_ns;
    OuchReports& out;

    void operator()(const ouch42::Accepted& m) {
        terms(Type::Accepted, m);
        if (m.state == 'D') dead_at_once(m);
    }

    void operator()(const ouch42::Replaced& m) {
        Report& r = terms(Type::Replaced, m);
        const auto prev = ouch42::decode_token(m.prev_token);
        if (prev && prev->cl_ord_id == r.cl_ord_id) {
            r.prev_version = prev->version;
        } else {
            disown(r);
        }
        if (m.state == 'D') dead_at_once(m);
    }

    void operator()(const ouch42::Canceled& m) { canceled(m); }
    void operator()(const ouch42::AiqCanceled& m) { canceled(m).reason = u16(Reason::SelfMatch); }

    void operator()(const ouch42::Executed& m) { execution(Type::Filled, m); }
    void operator()(const ouch42::ExecutedWithReferencePrice& m) { execution(Type::Filled, m); }
    void operator()(const ouch42::TradeCorrection& m) { execution(Type::Corrected, m).venue_reason = u8(m.reason); }

    void operator()(const ouch42::BrokenTrade& m) {
        Report& r = add(Type::Busted, m);
        r.exec_id = m.match_id;
        r.venue_reason = u8(m.reason);
    }

    void operator()(const ouch42::Rejected& m) {
        Report& r = add(Type::Rejected, m);
        r.reason = u16(Reason::VenueReject);
        r.venue_reason = u8(m.reason);
    }

    void operator()(const ouch42::CancelReject& m) { add(Type::CancelRejected, m).reason = u16(Reason::VenueReject); }

    void operator()(const ouch42::SystemEvent&) {}
    void operator()(const ouch42::CancelPending&) {
    }  // what becomes of it follows as Canceled, Executed or CancelReject
    void operator()(const ouch42::TradeNowDone&) {}    // we never send Trade Now
    void operator()(const ouch42::Modified&) {}        // we never send Modify
    void operator()(const ouch42::PriorityUpdate&) {}  // rank in the venue's queue only

  private:
    Report& add(Type type, const auto& m) {
        Report& r = out.records[out.count++];
        r.type = u8(type);
        r.instrument = kNoInstrument;
        r.ts_event = midnight_ns + i64(std::min(m.ts, kVenueTimeMax));
        if (const auto key = ouch42::decode_token(m.token)) {
            r.cl_ord_id = key->cl_ord_id;
            r.version = key->version;
        }
        if (r.cl_ord_id == 0) disown(r);
        return r;
    }

    void disown(Report& r) {
        r.cl_ord_id = 0;
        r.version = 0;
        out.is_foreign = true;
    }

    Report& terms(Type type, const ouch42::OrderTerms& m) {
        Report& r = add(type, m);
        r.side = u8(m.side == 'B' ? Side::Buy : Side::Sell);
        r.order_id = m.order_id;
        r.px = m.px;
        r.leaves_qty = m.qty;
        return r;
    }

    // State D: nothing more follows from the venue, so its end is ours to write. OUCH gives no reason.
    void dead_at_once(const ouch42::OrderTerms& m) {
        const u64 cl_ord_id = out.records[0].cl_ord_id;
        Report& r = add(Type::Canceled, m);
        if (cl_ord_id == 0) disown(r);
        r.order_id = m.order_id;
        r.last_qty = m.qty;
        r.reason = u16(m.tif == ouch42::kTifImmediate ? Reason::IocRemainder : Reason::VenueReject);
        r.venue_reason = u8(m.state);
    }

    Report& canceled(const auto& m) {
        Report& r = add(Type::Canceled, m);
        r.last_qty = m.qty;
        r.reason = u16(ouch_cancel_reason(m.reason));
        r.venue_reason = u8(m.reason);
        return r;
    }

    Report& execution(Type type, const ouch42::Execution& m) {
        Report& r = add(type, m);
        r.last_px = m.px;
        r.last_qty = m.qty;
        r.exec_id = m.match_id;
        r.liquidity = u8(m.liquidity);
        return r;
    }
};

}  // namespace

OuchReports read_ouch(Bytes message, i64 midnight_ns) {
    OuchReports out;
    out.undecoded = ouch42::Outbound::visit(message, Reader{midnight_ns, out});
    return out;
}

}  // namespace openbell
