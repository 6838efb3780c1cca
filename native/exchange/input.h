// What changes a venue. Every such thing is an input: numbered, journalled, then done; so the venue is a function of
// its inputs, and a venue that does them again says the same again.
#pragma once

#include <tuple>

#include "bytes.h"
#include "exchange/matching/order_terms.h"

namespace openbell::exchange {

// The numbers are the format of the journal: append, never reuse. What `bytes` hold is said beside.
enum class Verb : u8 {
    Begin = 1,      // first of a journal: `Beginning`
    Message = 2,    // an order-entry message of an account
    Submit = 3,     // an internal order: side, terms
    Reduce = 4,     // of an internal order: reference, what is left open
    CancelAll = 5,  // of an account whose session is gone
    OpenDay = 6,
    CloseDay = 7,
    SetPhase = 8,     // of an instrument: phase, whether after a volatility pause
    Advance = 9,      // time passes, what is due happens
    Divert = 10,      // of an account or kFeed: whether
    Settle = 11,      // of an account or kFeed: messages, each with its size (2) first
    Bust = 12,        // match number, reason
    Correct = 13,     // match number, reason, price, quantity
    RejectNext = 14,  // of an account: how many
    ShiftClock = 15,  // ns
    Index = 16,       // value
};

inline constexpr u32 kFeed = 0xFFFF'FFFF;  // instead of an account

struct Input {
    Verb verb{};
    u32 account = 0;
    u32 instrument = kNoInstrument;
    i64 now_ns = 0;  // when the venue took it; time never goes back
    Bytes bytes{};
};

// What a journal begins with: whose inputs these are. A venue of another configuration would answer otherwise.
struct Beginning {
    u64 config_hash = 0;
    i64 midnight_ns = 0;
    char session[16]{};  // name of the feed's and of the order-entry session, padded with NUL
};

// The values of a verb as bytes, and back. A journal that was written by another version shows in `done`.
class InputBytes {
  public:
    template <class... Values>
    explicit InputBytes(const Values&... values) : out_(buffer_) {
        (out_.le(values), ...);
    }
    InputBytes(const InputBytes&) = delete;  // the writer points into the buffer
    InputBytes& operator=(const InputBytes&) = delete;
    InputBytes& put(const Terms& terms);
    Bytes bytes() const { return out_.written(); }

  private:
    u8 buffer_[104]{};
    ByteWriter out_;
};

Terms read_terms(ByteReader& in);

// Throws Journal unless everything was read and nothing is left.
void check_done(const Input& input, const ByteReader& in);

template <class... Values>
std::tuple<Values...> values_of(const Input& input) {
    ByteReader in(input.bytes);
    std::tuple<Values...> values{in.le<Values>()...};
    check_done(input, in);
    return values;
}

}  // namespace openbell::exchange
