// The snapshot of a feed: the messages that make a newcomer's books those of who has heard everything.
//
// It follows the venue's own ITCH messages, whoever made them, so it serves matched books and tapes alike. Of each
// instrument it keeps the last word on its state, of each displayed order an Add with the shares that are left. Orders
// stand as they joined their levels, so the Adds of one price come in time priority. Source: GLIMPSE 5.0.
#pragma once

#include <map>
#include <memory>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "exchange/message_log.h"
#include "wire/itch50.h"

namespace openbell::exchange {

// One moment's snapshot as SoupBinTCP sequenced packets; whoever reads it holds it, so it does not change.
class SnapshotPackets {
  public:
    void append(Bytes message);
    u64 next_seq() const { return starts_.size() + 1; }
    // Packets `from`.. of at most so many bytes, and the number after the last.
    std::pair<Bytes, u64> packets(u64 from, std::size_t bytes_max) const;

  private:
    std::size_t end_of(u64 seq) const { return seq < starts_.size() ? starts_[seq] : bytes_.size(); }

    std::vector<u8> bytes_;
    std::vector<std::size_t> starts_;
};

class FeedSnapshot {
  public:
    explicit FeedSnapshot(const MessageLog& feed) : feed_(feed) {}

    // Takes in at most so many of the messages that it has not heard; whether it has heard all.
    bool follow(u64 messages_max);
    u64 next_seq() const { return next_seq_; }
    std::size_t orders() const { return places_.size(); }

    // As of the last message it has heard; the same one again while there is nothing new.
    std::shared_ptr<const SnapshotPackets> take();

  private:
    struct Order {
        itch50::AddOrderMpid add;
        bool has_mpid = false;
    };

    void apply(const itch50::SystemEvent&, Bytes raw) { system_event_.assign(raw.begin(), raw.end()); }
    void apply(const itch50::StockDirectory& m, Bytes raw) { keep(0, m.locate, raw); }
    void apply(const itch50::TradingAction& m, Bytes raw) { keep(1, m.locate, raw); }
    void apply(const itch50::RegSho& m, Bytes raw) { keep(2, m.locate, raw); }
    void apply(const itch50::OperationalHalt& m, Bytes raw) { keep(3, m.locate, raw, m.market); }
    void apply(const itch50::RetailInterest& m, Bytes raw) { keep(4, m.locate, raw); }
    void apply(const itch50::AddOrder& m, Bytes raw);
    void apply(const itch50::AddOrderMpid& m, Bytes) { join({m, true}); }
    void apply(const itch50::OrderExecuted& m, Bytes) { reduce(m.order_id, m.qty); }
    void apply(const itch50::OrderExecutedWithPrice& m, Bytes) { reduce(m.order_id, m.qty); }
    void apply(const itch50::OrderCancel& m, Bytes) { reduce(m.order_id, m.qty); }
    void apply(const itch50::OrderDelete& m, Bytes) { leave(m.order_id); }
    void apply(const itch50::OrderReplace& m, Bytes);
    template <class Other>
    void apply(const Other&, Bytes) {}  // not of a book's or an instrument's state

    void keep(int rank, u16 locate, Bytes raw, char market = ' ') {
        states_[{rank, locate, market}].assign(raw.begin(), raw.end());
    }
    void join(const Order& order);
    void reduce(u64 order_id, u32 qty);
    void leave(u64 order_id);
    void close_ranks();

    const MessageLog& feed_;
    u64 next_seq_ = 1;
    std::vector<u8> system_event_;
    std::map<std::tuple<int, u16, char>, std::vector<u8>> states_;
    std::vector<Order> orders_;                    // as they joined; one that left has no shares
    std::unordered_map<u64, std::size_t> places_;  // by reference
    std::shared_ptr<const SnapshotPackets> taken_;
    u64 taken_at_ = 0;
};

}  // namespace openbell::exchange
