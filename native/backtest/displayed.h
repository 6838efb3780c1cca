// The displayed orders as the venue has them, and what it alone knows of each: when it came, what we took of it.
//
// With books of its own it applies every record when it happens. Beside the engine's it keeps none: the engine hears of
// a record one latency later, and a backtest lets the venue act no sooner than that (backtest.h), so those books lack
// only records of the present moment. They are kept here until the engine has them, and what they make of an order is
// found by going through them, where it matters to an order of ours.
#pragma once

#include <optional>
#include <vector>

#include "engine/book_tap.h"

namespace openbell {

class Displayed final : public BookTap {
  public:
    struct Shown {
        i64 px;
        i64 qty;
        u64 stamp;
        i64 taken;
        u32 at;  // for `take`: its handle, or kOfMoment and the place of the record that brought it
        Side side;
    };

    Displayed(u32 instruments_max, u32 orders_max);
    // `engines` has `orders_max` and tells of its changes (on_book). They outlive this.
    Displayed(u32 instruments_max, u32 orders_max, const Books& engines);

    bool add_instrument(u32 instrument, u16 venue);
    bool is_here(u32 instrument) const { return instrument < here_.size() && here_[instrument]; }
    bool is_valid(u32 instrument) const {
        if (own_) return own_->is_valid(instrument);
        if (count_ > 0) judge();
        return is_here(instrument) && !broken_[instrument];
    }
    void set_valid(u32 instrument, bool is_valid);

    // The record happens; an order that it brings has come at `stamp`. Of an add and a modification, the order there
    // is now; of an execution, the order as it stood. Nothing where the record contradicts the book, or not `is_asked`.
    std::optional<Shown> apply(const Market& record, u64 stamp, bool is_asked) {
        if (own_) return apply_own(record, stamp, is_asked);
        if (count_ == moment_.size()) moment_.resize(2 * count_);
        moment_[count_++] = {&record, stamp, 0, Side::Buy, false, {}};
        return is_asked ? judge() : std::nullopt;
    }
    void on_book(const Market& record, const BookChange& change) override;

    void take(u32 at, i64 qty) { (at & kOfMoment ? moment_[at ^ kOfMoment].taken : known_[at].taken) += qty; }

    // Visits the orders of a side, best level first and by priority, until `visit(Shown)` is false.
    template <class Visit>
    void walk(u32 instrument, Side side, Visit visit) const {
        if (count_ == 0) return books().walk(instrument, side, [&](const RestingOrder& r) { return visit(shown(r)); });
        for (const Shown& one : side_after_moment(instrument, side))
            if (!visit(one)) return;
    }
    // The same of one level.
    template <class Visit>
    void walk_level(u32 instrument, Side side, i64 px, Visit visit) const {
        if (count_ == 0) {
            for (u32 at = books().front(instrument, side, px); at != Books::kNone; at = books().behind(at))
                if (!visit(shown(books().at(at)))) return;
            return;
        }
        for (const Shown& one : side_after_moment(instrument, side))
            if (one.px == px && !visit(one)) return;
    }

    const Books& books() const { return own_ ? *own_ : *engines_; }
    void save(StateWriter& out) const { books().save(out); }  // without what is known of the orders; own books only
    void load(StateReader& in);
    void save_known(StateWriter& out, u32 instrument, Side side) const;
    void load_known(StateReader& in, u32 instrument, Side side);

  private:
    static constexpr u32 kOfMoment = u32(1) << 31;
    static constexpr std::size_t kMomentAtFirst = 64;  // grows to what happens in one moment
    struct Known {                                     // by handle
        u64 stamp;
        i64 taken;
    };
    struct Happening {  // a record that the engine's books do not have yet
        const Market* record;
        u64 stamp;
        i64 taken;
        Side side;  // of the order that it brings
        bool is_void;
        u8 pad[6];
    };

    Shown shown(const RestingOrder& r) const {
        return {r.px, r.qty, known_[r.handle].stamp, known_[r.handle].taken, r.handle, r.side};
    }
    std::optional<Shown> apply_own(const Market& record, u64 stamp, bool is_asked);
    std::optional<Shown> judge() const;
    std::optional<Shown> judge(std::size_t k) const;
    std::optional<Shown> find(u32 instrument, u64 order_id, std::size_t end) const;
    std::vector<Shown> side_after_moment(u32 instrument, Side side) const;

    std::optional<Books> own_;
    const Books* engines_ = nullptr;
    std::vector<Known> known_;
    std::vector<u8> here_;    // by instrument
    std::size_t count_ = 0;   // records of the moment
    std::size_t passed_ = 0;  // records of the moment that the engine has
    // A record is judged when somebody asks, which changes nothing that can be seen.
    mutable std::vector<u8> broken_;  // by instrument: a record contradicted its book
    mutable std::vector<Happening> moment_ = std::vector<Happening>(kMomentAtFirst);
    mutable std::size_t judged_ = 0;
};

}  // namespace openbell
