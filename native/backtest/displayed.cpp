#include "backtest/displayed.h"

#include <algorithm>

namespace openbell {
namespace {

Side side_of(const Market& record) { return record.flags & kBuy ? Side::Buy : Side::Sell; }

}  // namespace

Displayed::Displayed(u32 instruments_max, u32 orders_max)
    : own_(std::in_place, instruments_max, orders_max),
      known_(orders_max),
      here_(instruments_max),
      broken_(instruments_max) {}

Displayed::Displayed(u32 instruments_max, u32 orders_max, const Books& engines)
    : engines_(&engines), known_(orders_max), here_(instruments_max), broken_(instruments_max) {}

bool Displayed::add_instrument(u32 instrument, u16 venue) {
    if (instrument >= here_.size()) return false;
    if (own_) own_->add_instrument(instrument, venue);
    here_[instrument] = 1;
    return true;
}

void Displayed::set_valid(u32 instrument, bool is_valid) {
    if (own_) return own_->set_valid(instrument, is_valid);
    if (instrument < broken_.size()) broken_[instrument] = !is_valid;
}

std::optional<Displayed::Shown> Displayed::apply_own(const Market& r, u64 stamp, bool is_asked) {
    std::optional<Shown> standing;
    const bool is_execution = Type(r.type) == Type::BookExecute;
    if (is_execution && is_asked) standing = find(r.instrument, r.order_id, 0);
    const BookChange change = own_->apply(r);
    if (change.fault != BookChange::Ok) return std::nullopt;
    if (is_execution) return standing;
    if (Type(r.type) != Type::BookAdd && Type(r.type) != Type::BookModify) return std::nullopt;
    known_[change.handle] = {stamp, 0};
    return is_asked ? std::optional(shown(own_->at(change.handle))) : std::nullopt;
}

// ---- beside the engine's books -------------------------------------------------------------------

// The engine has a record now: what is known of its order moves from the moment to the order.
void Displayed::on_book(const Market& record, const BookChange& change) {
    if (change.fault != BookChange::Ok && record.instrument < broken_.size()) broken_[record.instrument] = 1;
    const Happening& next = moment_[passed_];
    if (passed_ == count_ || next.record != &record) return;
    const bool brings = Type(record.type) == Type::BookAdd || Type(record.type) == Type::BookModify;
    if (brings && change.fault == BookChange::Ok) known_[change.handle] = {next.stamp, next.taken};
    if (++passed_ == count_) count_ = passed_ = judged_ = 0;
}

// Whatever was not asked about so far, then the last record.
std::optional<Displayed::Shown> Displayed::judge() const {
    std::optional<Shown> last;
    for (judged_ = std::max(judged_, passed_); judged_ < count_; ++judged_) last = judge(judged_);
    return last;
}

// As `Books` does: a record that contradicts the book changes nothing but that it is broken.
std::optional<Displayed::Shown> Displayed::judge(std::size_t k) const {
    Happening& now = moment_[k];
    const Market& r = *now.record;
    const Type type = Type(r.type);
    const std::optional<Shown> before = find(r.instrument, r.order_id, k);
    bool is_good = is_here(r.instrument);
    if (type == Type::BookAdd) {
        now.side = side_of(r);
        is_good = is_good && r.qty > 0 && !before;
    } else if (type == Type::BookModify) {
        const bool is_renamed = r.ref != r.order_id;
        is_good = is_good && r.qty > 0 && before && !(is_renamed && find(r.instrument, r.ref, k));
        if (before) now.side = before->side;
    } else if (type == Type::BookExecute) {
        is_good = is_good && before && r.qty > 0 && r.qty <= before->qty;
    } else if (type == Type::BookCancel) {
        is_good = is_good && before && (r.flags & kWhole || (r.qty > 0 && r.qty <= before->qty));
    }
    if (!is_good) {
        now.is_void = true;
        if (is_here(r.instrument)) broken_[r.instrument] = 1;
        return std::nullopt;
    }
    if (type == Type::BookExecute) return before;
    if (type == Type::BookAdd) return find(r.instrument, r.order_id, k + 1);
    return type == Type::BookModify ? find(r.instrument, r.ref, k + 1) : std::nullopt;
}

// The order as the records of the moment before `end` have left it.
std::optional<Displayed::Shown> Displayed::find(u32 instrument, u64 order_id, std::size_t end) const {
    std::optional<Shown> order;
    if (const u32 handle = books().find(instrument, order_id); handle != Books::kNone)
        order = shown(books().at(handle));
    for (std::size_t k = passed_; k < end; ++k) {
        const Happening& one = moment_[k];
        const Market& r = *one.record;
        if (one.is_void || r.instrument != instrument) continue;
        const Type type = Type(r.type);
        const bool is_it = r.order_id == order_id;
        if (type == Type::BookClear) {
            order.reset();
        } else if ((type == Type::BookAdd && is_it) || (type == Type::BookModify && r.ref == order_id)) {
            order = Shown{r.px, r.qty, one.stamp, one.taken, kOfMoment | u32(k), one.side};
        } else if (type == Type::BookModify && is_it) {
            order.reset();
        } else if (is_it && order) {
            order->qty -= type == Type::BookCancel && r.flags & kWhole ? order->qty : r.qty;
            if (order->qty == 0) order.reset();
        }
    }
    return order;
}

// Rare: commands that arrive, or prints, in the same moment as records that the engine does not have yet.
std::vector<Displayed::Shown> Displayed::side_after_moment(u32 instrument, Side side) const {
    judge();
    const std::size_t end = count_;
    std::vector<Shown> out;
    const auto stands = [&](u64 order_id, u32 at) {
        const std::optional<Shown> now = find(instrument, order_id, end);
        if (now && now->at == at && now->side == side) out.push_back(*now);
    };
    books().walk(instrument, side, [&](const RestingOrder& r) {
        stands(r.order_id, r.handle);
        return true;
    });
    for (std::size_t k = passed_; k < end; ++k) {
        const Market& r = *moment_[k].record;
        if (r.instrument != instrument || moment_[k].is_void) continue;
        if (Type(r.type) == Type::BookAdd) stands(r.order_id, kOfMoment | u32(k));
        if (Type(r.type) == Type::BookModify) stands(r.ref, kOfMoment | u32(k));
    }
    std::ranges::stable_sort(out, std::greater<>(), [&](const Shown& one) { return ladder::key_of(side, one.px); });
    return out;
}

// ---- snapshot ------------------------------------------------------------------------------------

void Displayed::load(StateReader& in) {
    own_->load(in);
    for (u32 id = 0; id < here_.size(); ++id) here_[id] = own_->has(id);
}

void Displayed::save_known(StateWriter& out, u32 instrument, Side side) const {
    walk(instrument, side, [&](const Shown& one) {
        out.put(one.stamp);
        out.put(one.taken);
        return true;
    });
}

void Displayed::load_known(StateReader& in, u32 instrument, Side side) {
    walk(instrument, side, [&](const Shown& one) {
        known_[one.at].stamp = in.get<u64>();
        known_[one.at].taken = in.get<i64>();
        return true;
    });
}

}  // namespace openbell
