// Between a protocol and the venue, in words of neither: what a door asks for an account, and what an account is told.
//
// A door keeps nothing: what its protocol has to remember of an account stands in the account, so that it is part of
// the venue's state.
#pragma once

#include <optional>

#include "exchange/ledger.h"
#include "exchange/matching/match_event.h"
#include "exchange/message_log.h"

namespace openbell::exchange {

// A message that changes nothing, and why; counted.
enum class Ignored : u8 { Duplicate, NotLive, Unsupported };

struct MassCancelFilter {
    std::optional<u32> instrument;
    std::optional<char> side;  // the letter: B, S, T, E
    std::optional<u16> group;
    std::optional<Alpha<4>> firm;
};

// Where a report goes, and its time.
struct Addressee {
    MessageLog& log;
    u64 ts;  // ns since midnight
};

// The venue as a door sees it.
class Desk {
  public:
    virtual ~Desk() = default;

    virtual u32 find_instrument(const Alpha<8>& symbol) const = 0;  // kNoInstrument
    virtual Alpha<8> symbol(u32 instrument) const = 0;

    // The open order of that name; nullptr when there is none, or none any more.
    virtual LiveOrder* find(u32 account, const OrderName& name) = 0;
    // An order to fill in, for one of the two verbs below. nullptr: the name was used before, or there is no memory for
    // another one; then the message never arrived, and that was counted.
    virtual LiveOrder* begin(u32 account, const OrderName& name) = 0;
    // `words` is what the door itself finds wrong. A refusal is told as a reject.
    virtual void enter(LiveOrder& order, Refusal words) = 0;
    // `order.qty` is the total of the chain. Whether the new name is used from now on.
    virtual bool replace(LiveOrder& prev, LiveOrder& order, Refusal words) = 0;
    virtual void reduce(LiveOrder& order, i64 total_qty) = 0;
    // As `reduce`, and another letter for the side; told as modified. A total that grows changes nothing.
    virtual void modify(LiveOrder& order, char side, i64 total_qty) = 0;
    virtual void mass_cancel(u32 account, const MassCancelFilter& filter) = 0;

    // The highest UserRefNum that a channel of the account has used.
    virtual u32& last_user_ref(u32 account, u8 channel) = 0;
    virtual void enable(u32 account, bool on) = 0;

    virtual Addressee addressee(u32 account) = 0;
    virtual void ignore(Ignored why) = 0;
    virtual i64 now_ns() const = 0;
};

class Door {
  public:
    virtual ~Door() = default;

    // False for bytes that are no message of the protocol: the session should be closed.
    virtual bool receive(Desk& desk, u32 account, Bytes message) const = 0;

    virtual void system_event(Addressee to, char event) const = 0;
    virtual void accepted(Addressee to, Alpha<8> symbol, const LiveOrder& order, u32 px) const = 0;
    virtual void replaced(Addressee to, Alpha<8> symbol, const LiveOrder& order, const LiveOrder& prev,
                          u32 px) const = 0;
    virtual void rejected(Addressee to, const LiveOrder& order, Refusal why) const = 0;
    virtual void canceled(Addressee to, const LiveOrder& order, i64 qty, Cause cause) const = 0;
    virtual void modified(Addressee to, const LiveOrder& order) const = 0;
    // Quantity that self-trade prevention took away, and what would have traded at px.
    virtual void prevented(Addressee to, const LiveOrder& order, const MatchEvent& e) const = 0;
    virtual void executed(Addressee to, const LiveOrder& order, i64 px, i64 qty, Liquidity liquidity,
                          u64 match_number) const = 0;
    // The order stands elsewhere on the feed: moved to a band, or the next slice of an iceberg.
    virtual void repriced(Addressee to, const LiveOrder& order, const MatchEvent& e) const = 0;
    virtual void refreshed(Addressee to, const LiveOrder& order, const MatchEvent& e) const = 0;
    virtual void broken(Addressee to, const FillRow& fill, char reason) const = 0;
    // False when the protocol has no words for it.
    virtual bool can_correct() const = 0;
    virtual void corrected(Addressee to, const FillRow& fill, char reason) const = 0;
};

// What doors share.
inline constexpr u32 kSecondsToLiveMax = 86'399;

template <class Message>
void tell(Addressee to, const Message& message) {
    u8 buffer[length_max<Message>()];
    ByteWriter out(buffer);
    encode(message, out);
    to.log.append(out.written());
}

}  // namespace openbell::exchange
