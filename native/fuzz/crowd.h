// A venue full of accounts, moved by bytes, and what must be true of it whatever they are. For the fuzz targets.
//
// Input: steps, each one byte `who` and what it takes:
//     who & 3    0 to 2: a client sends a message; 3: whoever runs the venue does something, see `operate`
//     who & 4    the message as it stands: | size (1) | bytes |. Else `Talk` composes one of the bytes that follow
//     who & 8    a composed message has one wrong byte: | place (1) | byte (1) |
//
// Beside them stands a bystander, who has entered orders and says nothing more: nobody may do anything to these but
// trade with them, at their price or better.
#pragma once

#include <cstdlib>
#include <map>

#include "exchange/doors/ouch_letters.h"
#include "exchange/venue_core.h"

namespace openbell::fuzz {

using namespace openbell::exchange;

inline void must(bool claim) {
    if (!claim) std::abort();
}

// ---- words, made of one byte each ----------------------------------------------------------------

inline constexpr std::array<std::string_view, 2> kSymbols{"OBEL", "RING"};
inline constexpr i64 kMidPx = 50'0000;
inline constexpr i64 kTick = 100;

inline char one_of(std::string_view letters, u8 byte) { return letters[byte % letters.size()]; }

// Mostly a price near the middle; now and then one at an edge.
inline u32 px_of(u8 byte) {
    constexpr std::array<u32, 5> kEdges{ouch42::kMarketPx, 0, ouch42::kPxMax, ouch42::kPxMax + 1, kMidPx + 1};
    return byte < kEdges.size() ? kEdges[byte] : u32(kMidPx + (i64(byte % 64) - 32) * kTick);
}

inline u32 qty_of(u8 byte) {
    constexpr std::array<u32, 4> kEdges{0, 1, ouch42::kQtyLimit - 1, ouch42::kQtyLimit};
    return byte < kEdges.size() ? kEdges[byte] : 100 * (1 + byte % 8);
}

// The number of one of the last orders, which may be over or have never been.
inline u32 old_name(u32 names, u8 byte) { return names - byte % 16; }
// Mostly the next number; else one that was used.
inline u32 new_name(u32& names, u8 byte) { return byte == 0xFF ? names : ++names; }

inline Alpha<14> token_of(u32 name) { return Alpha<14>("T" + std::to_string(name)); }

// ---- an account as its reports tell it -----------------------------------------------------------

class Tally {
  public:
    struct Order {
        i64 leaves = 0;
        i64 px = 0;
        u32 instrument = 0;
        Side side = Side::Buy;
    };

    void accepted(const OrderName& name, char side, std::string_view symbol, i64 px, i64 qty) {
        must(is_side(side) && !open_.contains(name.chars));
        open_[name.chars] = {qty, px, u32(symbol == kSymbols[1]), side_of(side)};
    }
    void replaced(const OrderName& prev, const OrderName& name, char side, std::string_view symbol, i64 px, i64 qty) {
        must(open_.erase(prev.chars) == 1);
        accepted(name, side, symbol, px, qty);
    }
    void executed(const OrderName& name, i64 px, i64 qty, u64 match) {
        const Order order = find(name);
        must(order.side == Side::Buy ? px <= order.px : px >= order.px);
        lost(name, qty);
        must(fills_.try_emplace({match, name.chars}, Fill{order, px, qty}).second);
        book(order, px, qty);
    }
    void broken(const OrderName& name, u64 match) {
        Fill& fill = fills_.at({match, name.chars});
        book(fill.order, fill.px, -fill.qty);
        fill.qty = 0;
    }
    void corrected(const OrderName& name, i64 px, i64 qty, u64 match) {
        broken(name, match);
        Fill& fill = fills_.at({match, name.chars});
        book(fill.order, fill.px = px, fill.qty = qty);
    }
    void lost(const OrderName& name, i64 qty) { left(name, find(name).leaves - qty); }
    void left(const OrderName& name, i64 leaves) {
        must(leaves >= 0 && leaves < find(name).leaves + (leaves > 0));
        if (leaves == 0)
            open_.erase(name.chars);
        else
            open_[name.chars].leaves = leaves;
    }
    void agrees(const VenueCore& venue, u32 account) const {
        const auto orders = venue.open_orders_of(account);
        must(orders.size() == open_.size());
        for (const LiveOrder* order : orders) must(find(order->name).leaves == order->leaves_qty);
        for (u32 i = 0; i < kSymbols.size(); ++i) {
            const Holding held = venue.ledger().holding(account, i);
            must(held.position == held_[i].position && held.cash == held_[i].cash);
        }
    }

  private:
    struct Fill {
        Order order;
        i64 px = 0;
        i64 qty = 0;
    };
    using Name = std::array<char, 14>;

    const Order& find(const OrderName& name) const {
        const auto at = open_.find(name.chars);
        must(at != open_.end());
        return at->second;
    }
    void book(const Order& order, i64 px, i64 qty) {
        const i64 bought = order.side == Side::Buy ? qty : -qty;
        held_[order.instrument].position += bought;
        held_[order.instrument].cash -= px * bought;
    }

    std::map<Name, Order> open_;
    std::map<std::pair<u64, Name>, Fill> fills_;
    std::array<Holding, kSymbols.size()> held_{};
};

// ---- the venue and who is there ------------------------------------------------------------------

// `Talk` is a protocol: `kProtocol`; `compose(in, names, out)` writes a message; `enter(name, side, px, qty, symbol,
// out)` an order that is right; `hear(report, tally)` tells the tally what a report says, and aborts if it is none.
template <class Talk>
class Crowd {
  public:
    Crowd() : venue_(rules(), 0, {.orders_max = 48, .tokens_max = 400, .messages_max = 100'000}, true) {
        internal_ = venue_.add_account({.protocol = Protocol::Internal});
        const AccountSettings plain{.protocol = Talk::kProtocol};
        clients_[0] = venue_.add_account(plain);
        clients_[1] = venue_.add_account({.protocol = Talk::kProtocol, .orders_per_s = 20, .burst = 20});
        clients_[2] = venue_.add_account({.protocol = Talk::kProtocol, .group = 7, .self_trade = SelfTrade::Decrement});
        bystander_ = venue_.add_account(plain);
        venue_.open_day(++now_ns_);
        for (u32 i = 0; i < kBystanding.size(); ++i) {
            u8 buffer[kMessageBytesMax];
            ByteWriter out(buffer);
            const auto& [side, px] = kBystanding[i];
            Talk::enter(i + 1, side, px, kBystandingQty, kSymbols[i % 2], out);
            must(venue_.receive(bystander_, out.written(), ++now_ns_));
        }
        must(venue_.open_orders_of(bystander_).size() == kBystanding.size());
    }

    void play(Bytes input) {
        ByteReader in(input);
        for (u32 steps = 1; in.remaining() > 0; ++steps) {
            step(in);
            if (steps % kStepsPerCheck == 0) check();
        }
        check();
        hear_all();
    }

    // The day ends, and with it every order.
    void close() {
        venue_.close_day(++now_ns_);
        must(venue_.engine().open_orders() == 0);
        check();
        hear_all();
    }

    u64 state_hash() const { return venue_.state_hash(); }

  private:
    static constexpr u32 kStepsPerCheck = 8;
    static constexpr std::size_t kMessageBytesMax = 256;
    static constexpr i64 kBystandingQty = 500;
    static constexpr std::array<std::pair<char, u32>, 8> kBystanding{{{'B', kMidPx},
                                                                      {'B', kMidPx},
                                                                      {'S', kMidPx + kTick},
                                                                      {'S', kMidPx + kTick},
                                                                      {'B', kMidPx - 9 * kTick},
                                                                      {'B', kMidPx - 9 * kTick},
                                                                      {'S', kMidPx + 9 * kTick},
                                                                      {'S', kMidPx + 9 * kTick}}};

    static std::vector<InstrumentRules> rules() {
        InstrumentRules fifo, shared;
        fifo.symbol = kSymbols[0];
        fifo.ticks = {{0, kTick}};
        fifo.listed_px = kMidPx;
        shared = fifo;
        shared.symbol = kSymbols[1];
        shared.allocation = Allocation::ProRata;
        shared.pro_rata = {.grants_top = true, .fifo_percent = 30, .min_allocation = 2};
        shared.limit_collar_bps = 5'000;
        shared.market_collar_bps = 50;
        return {fifo, shared};
    }

    void step(ByteReader& in) {
        const u8 who = in.be8();
        if ((who & 3) == 3) return operate(who, in);
        const u32 client = clients_[who & 3];
        if (who & 4) {
            venue_.receive(client, in.take(in.be8()), now_ns_);
            return;
        }
        u8 buffer[kMessageBytesMax];
        ByteWriter out(buffer);
        Talk::compose(in, names_[who & 3], out);
        must(!out.failed() && out.size() > 0);
        if (who & 8) {
            const std::size_t place = in.be8() % out.size();
            buffer[place] = in.be8();
        }
        const std::vector<u8> exact(buffer, buffer + out.size());  // so that one byte too far is seen
        must(venue_.receive(client, exact, now_ns_) || who & 8);
    }

    // who >> 2 & 7 is what happens, who >> 5 & 1 where, who >> 6 to which client.
    void operate(u8 who, ByteReader& in) {
        const u32 instrument = who >> 5 & 1;
        switch (who >> 2 & 7) {
            case 0: return venue_.advance(now_ns_ += 20'000'000 * i64(in.be8()));
            case 1: return amend(in);
            case 2: return venue_.set_state(instrument, 'H', now_ns_);
            case 3: return venue_.set_state(instrument, 'Q', now_ns_);
            case 4: return venue_.set_state(instrument, 'P', now_ns_);
            case 5: return venue_.set_state(instrument, 'T', now_ns_);
            case 6: return venue_.cancel_all(clients_[(who >> 6) % clients_.size()], now_ns_);
            default: return submit(instrument, in);
        }
    }

    // A trade is busted, or corrected.
    void amend(ByteReader& in) {
        const u64 match = in.be8();
        const u8 how = in.be8();
        if (how & 1)
            venue_.bust(match, 'E', now_ns_);
        else
            venue_.correct(match, px_of(how), qty_of(in.be8()), 'E', now_ns_);
    }

    // An internal account enters an order, and takes its oldest one out when it has many.
    void submit(u32 instrument, ByteReader& in) {
        const u8 look = in.be8(), more = in.be8();
        Terms terms{.px = px_of(in.be8()), .qty = qty_of(in.be8())};
        terms.tif = std::array{Tif::Day, Tif::Day, Tif::Ioc, Tif::Fok}[look >> 1 & 3];
        terms.type =
            std::array{OrderType::Limit,  OrderType::Limit,  OrderType::Stop,          OrderType::StopLimit,
                       OrderType::Pegged, OrderType::Market, OrderType::MarketToLimit, OrderType::Limit}[look >> 3 & 7];
        if (terms.type == OrderType::Pegged) terms.peg = std::array{Peg::Primary, Peg::Mid, Peg::Market}[more % 3];
        if (look & 0x40) terms.display = 100;
        terms.post_only = std::array{PostOnly::No, PostOnly::No, PostOnly::Reject, PostOnly::Slide}[more >> 2 & 3];
        if (more & 0x10) terms.min_qty = 100, terms.display = 0;
        terms.stop_px = kMidPx + (i64(more >> 5) - 4) * kTick;
        venue_.submit(internal_, instrument, look & 1 ? Side::Sell : Side::Buy, terms, now_ns_);
        const auto open = venue_.open_orders_of(internal_);
        if (open.size() > kInternalOrdersMax) must(venue_.reduce(open.front()->ref, 0, now_ns_));
    }

    void check() {
        venue_.ledger().audit();
        venue_.engine().audit();
        std::size_t open = 0;
        for (u32 account = 0; account < venue_.accounts(); ++account) {
            for (const LiveOrder* order : venue_.open_orders_of(account)) {
                must(order->leaves_qty > 0 && order->leaves_qty <= order->qty - order->cum_qty);
                must(venue_.leaves(order->ref) == order->leaves_qty);
                ++open;
            }
        }
        must(open == venue_.engine().open_orders());
    }

    // Every account's reports say what the venue holds of it.
    void hear_all() {
        for (const u32 client : clients_) hear(client).agrees(venue_, client);
        const Tally bystander = hear(bystander_);
        bystander.agrees(venue_, bystander_);
        if (venue_.is_open()) must_be_unharmed();
    }

    Tally hear(u32 account) const {
        Tally tally;
        const MessageLog& reports = venue_.reports(account);
        for (u64 seq = 1; seq < reports.next_seq(); ++seq) Talk::hear(reports.message(seq), tally);
        return tally;
    }

    // What the bystander has open and what it has traded are what it entered.
    void must_be_unharmed() const {
        std::size_t orders = 0;
        for (const LiveOrder* order : venue_.open_orders_of(bystander_))
            must(order->cum_qty + order->leaves_qty == kBystandingQty && ++orders);
        for (const OrderRow& order : venue_.ledger().orders_of(bystander_))
            must(order.status == OrderStatus::Filled && order.cum_qty == kBystandingQty && ++orders);
        must(orders == kBystanding.size());
    }

    static constexpr std::size_t kInternalOrdersMax = 16;

    VenueCore venue_;
    u32 internal_ = 0;
    std::array<u32, 3> clients_{};
    std::array<u32, 3> names_{};  // of the orders that were composed
    u32 bystander_ = 0;
    i64 now_ns_ = 0;
};

// The input twice: a venue is a function of what it was told.
template <class Talk>
void play_twice(Bytes input) {
    Crowd<Talk> one, other;
    one.play(input);
    other.play(input);
    must(one.state_hash() == other.state_hash());
    one.close();
}

}  // namespace openbell::fuzz
