#include "execution/quoter.h"

namespace openbell {
namespace {

const LiveOrder* find_live(const Oms& oms, u64 cl_ord_id) {
    const LiveOrder* o = cl_ord_id ? oms.find(cl_ord_id) : nullptr;
    return o && is_live(*o) ? o : nullptr;
}

constexpr std::size_t index_of(Side side) { return side == Side::Buy ? 0 : 1; }

Order command(Type type, const LiveOrder& o, u32 version) {
    Order out{};
    out.type = u8(type);
    out.side = o.side;
    out.tif = o.tif;
    out.cl_ord_id = o.cl_ord_id;
    out.px = out.prev_px = o.px;
    out.qty = out.prev_qty = o.cum_qty + o.leaves_qty;
    out.version = version;
    return out;
}

Order cancel_of(const LiveOrder& o) {
    return command(Type::CancelOrder, o, is_changing(o) ? o.pending_version : o.version);
}

}  // namespace

Quoter::Quoter(u32 strategies_max, u32 instruments_max)
    : strategies_max_(strategies_max),
      instruments_max_(instruments_max),
      quotes_(std::size_t(strategies_max) * instruments_max) {}

Quoter::Quote* Quoter::find(u16 strategy, u32 instrument) {
    if (strategy >= strategies_max_ || instrument >= instruments_max_) return nullptr;
    return &quotes_[std::size_t(strategy) * instruments_max_ + instrument];
}

// ---- targets -------------------------------------------------------------------------------------

Reason Quoter::set_target(const Intent& t) {
    if (t.strategy >= strategies_max_) return Reason::UnknownStrategy;
    Quote* quote = find(t.strategy, t.instrument);
    if (!quote) return Reason::NoInstrument;
    Reason fault = Reason::None;
    if (t.bid_qty < 0 || t.ask_qty < 0) {
        fault = Reason::QtyNotPositive;
    } else if (t.bid_qty > kQtyMax || t.ask_qty > kQtyMax) {
        fault = Reason::WouldOverflow;  // what was executed before comes on top
    } else if ((t.bid_qty > 0 && t.bid_px <= 0) || (t.ask_qty > 0 && t.ask_px <= 0)) {
        fault = Reason::PriceNotPositive;
    } else if (t.bid_qty > 0 && t.ask_qty > 0 && t.bid_px >= t.ask_px) {
        fault = Reason::SelfMatch;
    }
    const bool is_good = fault == Reason::None;
    set_half(quote->half[0], t.bid_px, is_good ? t.bid_qty : 0);
    set_half(quote->half[1], t.ask_px, is_good ? t.ask_qty : 0);
    quote->tag = t.tag;
    quote->is_aim = 0;
    return fault;
}

void Quoter::aim(u16 strategy, u32 instrument, const Aim& wanted, u64 tag, bool may_grow, const Oms& oms) {
    Quote* quote = find(strategy, instrument);
    if (!quote) return;
    quote->is_aim = 1;
    quote->tag = tag;
    const std::size_t i = index_of(wanted.side);
    Half& h = quote->half[i];
    const LiveOrder* own = find_live(oms, h.order);
    const LiveOrder* against = find_live(oms, quote->half[1 - i].order);
    aim_half(quote->half[1 - i], 0, 0, against);
    if (wanted.qty == 0 || against) return aim_half(h, 0, 0, own);
    if (wanted.px == 0) return;  // nobody to trade with: what works goes on
    const i64 open = own ? (is_replacing(*own) ? own->pending_qty - own->cum_qty : own->leaves_qty) : 0;
    const bool is_enough = open == wanted.qty || (open < wanted.qty && !may_grow);
    if (own && h.qty > 0 && h.px == wanted.px && is_enough) return;
    aim_half(h, wanted.px, wanted.qty, own);
}

// Said once: again and again would allow as many cancels.
void Quoter::aim_half(Half& h, i64 px, i64 qty, const LiveOrder* own) {
    if (own && px == h.px && qty == h.qty) return;
    set_half(h, px, qty);
}

void Quoter::set_half(Half& h, i64 px, i64 qty) {
    if (qty == 0) px = 0;
    h.cancels = 0;
    if (px == h.px && qty == h.qty) {
        h.is_requoted = qty > 0;
        return;
    }
    h.px = px;
    h.qty = qty;
    h.is_fresh = 1;
    h.is_requoted = h.is_refused = 0;
}

void Quoter::pull(u16 strategy, u32 instrument) {
    Quote* quote = find(strategy, instrument);
    if (!quote) return;
    for (Half& h : quote->half) set_half(h, 0, 0);
}

void Quoter::pull(u16 strategy, u32 instrument, Side side) {
    Quote* quote = find(strategy, instrument);
    if (quote) set_half(quote->half[index_of(side)], 0, 0);
}

void Quoter::pull(u16 strategy) {
    for (u32 i = 0; i < instruments_max_; ++i) pull(strategy, i);
}

void Quoter::pull_all() {
    for (Quote& q : quotes_) {
        for (Half& h : q.half) set_half(h, 0, 0);
    }
}

void Quoter::forget_refusals() {
    for (Quote& q : quotes_) {
        for (Half& h : q.half) h.is_refused = h.cancels = 0;
    }
}

// ---- reconcile -----------------------------------------------------------------------------------

std::size_t Quoter::reconcile(u16 strategy, u32 instrument, const Oms& oms, std::span<Order> out) {
    Quote* quote = find(strategy, instrument);
    if (!quote || out.size() < kCommandsMax) return 0;
    const LiveOrder* live[2];
    for (std::size_t i = 0; i < 2; ++i) {
        Half& h = quote->half[i];
        live[i] = find_live(oms, h.order);
        if (h.order && !live[i]) close(h, oms.find(h.order), quote->is_aim != 0);
        start_target(h, live[i]);
    }
    std::size_t count = 0;
    for (const Side side : {Side::Buy, Side::Sell}) {
        const std::size_t i = index_of(side);
        if (!decide(quote->half[i], side, live[i], live[1 - i], out[count])) continue;
        out[count].strategy = strategy;
        out[count].instrument = instrument;
        out[count].tag = quote->tag;
        count += 1;
    }
    return count;
}

// A target starts to count here, after every report of the frame was applied: what had been executed by now
// is not of this target.
void Quoter::start_target(Half& h, const LiveOrder* own) {
    if (h.is_fresh || (h.is_requoted && !own)) {
        h.consumed = 0;
        h.base_cum = own ? own->cum_qty : 0;
    }
    h.is_fresh = h.is_requoted = 0;
}

bool Quoter::decide(Half& h, Side side, const LiveOrder* own, const LiveOrder* other, Order& out) {
    if (!own) return decide_new(h, side, other, out);
    const i64 wanted = h.qty - h.consumed - (own->cum_qty - h.base_cum);
    const bool is_changed = h.px != h.asked_px || h.qty != h.asked_qty;
    const bool replace_failed = h.asked_version > own->version && !is_changing(*own);
    const bool is_unwanted =
        h.qty == 0 || h.is_refused || (is_changed && wanted <= 0) || (!is_changed && replace_failed);
    const bool is_waiting = own->in_doubt || own->cancel_version != 0 || (is_changing(*own) && !is_unwanted);
    if (is_waiting) return false;

    h.is_canceling = 0;
    if (is_unwanted || (is_changed && own->pending_version >= kVersionMax)) {
        if (h.cancels >= kCancelsMax) return false;
        h.cancels += 1;
        h.is_canceling = 1;
        out = cancel_of(*own);
        return true;
    }
    if (!is_changed || meets_own(other, side, h.px)) return false;
    h.asked_px = h.px;
    h.asked_qty = h.qty;
    h.asked_version = own->pending_version + 1;
    out = command(Type::ReplaceOrder, *own, h.asked_version);
    out.px = h.px;
    out.qty = own->cum_qty + wanted;
    return true;
}

bool Quoter::decide_new(Half& h, Side side, const LiveOrder* other, Order& out) {
    const i64 wanted = h.qty - h.consumed;
    if (wanted <= 0 || h.is_refused || h.is_opening || meets_own(other, side, h.px)) return false;
    h.is_opening = 1;
    h.asked_px = h.px;
    h.asked_qty = h.qty;
    h.asked_version = 1;
    out = Order{};
    out.type = u8(Type::NewOrder);
    out.side = u8(side);
    out.tif = u8(Tif::Day);
    out.px = h.px;
    out.qty = wanted;
    out.version = 1;
    return true;
}

// Would `px` meet an own order of the other side, at any price the venue may hold it?
bool Quoter::meets_own(const LiveOrder* other, Side side, i64 px) {
    if (!other) return false;
    const auto meets = [&](i64 their_px) { return side == Side::Buy ? px >= their_px : px <= their_px; };
    return meets(other->px) || (is_replacing(*other) && meets(other->pending_px));
}

// ---- what became of the commands -----------------------------------------------------------------

void Quoter::on_order_opened(u16 strategy, u32 instrument, Side side, u64 cl_ord_id) {
    Quote* quote = find(strategy, instrument);
    if (!quote) return;
    Half& h = quote->half[index_of(side)];
    h.order = cl_ord_id;
    h.base_cum = 0;
    h.is_opening = h.is_canceling = h.cancels = 0;
}

void Quoter::on_refused(u16 strategy, u32 instrument, Side side) {
    Quote* quote = find(strategy, instrument);
    if (!quote) return;
    Half& h = quote->half[index_of(side)];
    h.is_refused = 1;
    h.is_opening = 0;
}

void Quoter::on_order_closed(const LiveOrder& o) {
    Quote* quote = find(o.strategy, o.instrument);
    if (!quote) return;
    Half& h = quote->half[index_of(Side(o.side))];
    if (h.order == o.cl_ord_id) close(h, &o, quote->is_aim != 0);
}

// An order we were canceling leaves the rest of a newer target wanted. Any other end consumes the target:
// filled, expired, taken by the venue, or forgotten. A rejected target is refused until it changes.
void Quoter::close(Half& h, const LiveOrder* o, bool is_aim) {
    const bool is_ours = o && h.is_canceling &&
                         (OrderState(o->state) == OrderState::Canceled || OrderState(o->state) == OrderState::Filled);
    if (o && OrderState(o->state) == OrderState::Rejected && !h.is_fresh) h.is_refused = 1;
    if (is_aim && o && !is_ours && o->cum_qty == 0 && !h.is_fresh) h.is_refused = 1;
    h.consumed = is_ours ? h.consumed + o->cum_qty - h.base_cum : h.qty;
    h.order = 0;
    h.base_cum = 0;
    h.is_canceling = h.cancels = 0;
    h.asked_version = 0;
}

u64 Quoter::order_of(u16 strategy, u32 instrument, Side side) const {
    const Quote* quote = const_cast<Quoter*>(this)->find(strategy, instrument);
    return quote ? quote->half[index_of(side)].order : 0;
}

bool Quoter::is_active(u16 strategy, u32 instrument) const {
    const Quote* quote = const_cast<Quoter*>(this)->find(strategy, instrument);
    return quote && is_active(*quote);
}

// ---- state ---------------------------------------------------------------------------------------

bool Quoter::is_active(const Quote& q) { return q.half[0].order || q.half[1].order || q.half[0].qty || q.half[1].qty; }

// Without what an order that has gone, or a target that was pulled, left behind: nothing reads it again.
Quoter::Half Quoter::canonical(Half h) {
    if (h.order == 0 && !h.is_opening) {
        h.asked_px = h.asked_qty = h.base_cum = 0;
        h.asked_version = 0;
        h.is_canceling = h.cancels = 0;
        if (h.qty == 0) h = {};
    }
    return h;
}

void Quoter::save(StateWriter& w) const {
    w.put(strategies_max_);
    w.put(instruments_max_);
    u64 count = 0;
    for (const Quote& q : quotes_) count += is_active(q);
    w.put(count);
    for (std::size_t i = 0; i < quotes_.size(); ++i) {
        if (!is_active(quotes_[i])) continue;
        w.put(u64(i));
        for (const Half& h : quotes_[i].half) w.put(canonical(h));
        w.put(quotes_[i].tag);
        w.put(quotes_[i].is_aim);
    }
}

void Quoter::load(StateReader& r) {
    const u32 strategies = r.get<u32>();
    const u32 instruments = r.get<u32>();
    if (strategies != strategies_max_ || instruments != instruments_max_) {
        throw Error(ErrorKind::Snapshot,
                    "quoter snapshot: expected " + std::to_string(strategies_max_) + " strategies x " +
                        std::to_string(instruments_max_) + " instruments, found " + std::to_string(strategies) + " x " +
                        std::to_string(instruments) + "; recover with the capacity of the run that wrote it");
    }
    quotes_.assign(quotes_.size(), Quote{});
    const u64 count = r.get<u64>();
    for (u64 i = 0; i < count; ++i) {
        const u64 at = r.get<u64>();
        if (at >= quotes_.size()) throw Error(ErrorKind::Snapshot, "quoter snapshot: a quote lies beyond its tables");
        for (Half& h : quotes_[at].half) h = r.get<Half>();
        quotes_[at].tag = r.get<u64>();
        quotes_[at].is_aim = r.get<u64>();
    }
}

}  // namespace openbell
