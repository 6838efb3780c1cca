// Verbs: each makes an input of what is asked.
#include <utility>

#include "exchange/venue_core.h"

namespace openbell::exchange {
namespace {

Phase phase_of(char state) {
    if (state == 'T') return Phase::Continuous;
    return state == 'H' ? Phase::Halted : Phase::ReopeningCall;
}

}  // namespace

u64 VenueCore::take(const Input& input) {
    if (journal_) journal_->append({&input, 1});
    return apply(input);
}

void VenueCore::open_day(i64 now_ns) { take({.verb = Verb::OpenDay, .now_ns = now_ns}); }

void VenueCore::close_day(i64 now_ns) {
    if (is_open_) take({.verb = Verb::CloseDay, .now_ns = now_ns});
}

void VenueCore::set_state(u32 instrument, char state, i64 now_ns) {
    const InputBytes values(phase_of(state), u8(state == 'P'));
    take({.verb = Verb::SetPhase, .instrument = instrument, .now_ns = now_ns, .bytes = values.bytes()});
}

void VenueCore::advance(i64 now_ns) {
    if (next_due() <= now_ns) take({.verb = Verb::Advance, .now_ns = now_ns});
}

void VenueCore::index(i64 value, i64 now_ns) {
    const InputBytes values(value);
    take({.verb = Verb::Index, .now_ns = now_ns, .bytes = values.bytes()});
}

bool VenueCore::receive(u32 account, Bytes message, i64 now_ns) {
    return take({.verb = Verb::Message, .account = account, .now_ns = now_ns, .bytes = message});
}

void VenueCore::cancel_all(u32 account, i64 now_ns) {
    take({.verb = Verb::CancelAll, .account = account, .now_ns = now_ns});
}

u64 VenueCore::submit(u32 account, u32 instrument, Side side, const Terms& terms, i64 now_ns) {
    InputBytes values(side);
    values.put(terms);
    return take({.verb = Verb::Submit,
                 .account = account,
                 .instrument = instrument,
                 .now_ns = now_ns,
                 .bytes = values.bytes()});
}

bool VenueCore::reduce(u64 order_id, i64 leaves, i64 now_ns) {
    const InputBytes values(order_id, leaves);
    return take({.verb = Verb::Reduce, .now_ns = now_ns, .bytes = values.bytes()});
}

Amended VenueCore::bust(u64 match_number, char reason, i64 now_ns) {
    const InputBytes values(match_number, reason);
    return Amended(take({.verb = Verb::Bust, .now_ns = now_ns, .bytes = values.bytes()}));
}

Amended VenueCore::correct(u64 match_number, i64 px, i64 qty, char reason, i64 now_ns) {
    const InputBytes values(match_number, reason, px, qty);
    return Amended(take({.verb = Verb::Correct, .now_ns = now_ns, .bytes = values.bytes()}));
}

void VenueCore::reject_next(u32 account, u32 count, i64 now_ns) {
    const InputBytes values(count);
    take({.verb = Verb::RejectNext, .account = account, .now_ns = now_ns, .bytes = values.bytes()});
}

void VenueCore::shift_clock(i64 ns, i64 now_ns) {
    const InputBytes values(ns);
    take({.verb = Verb::ShiftClock, .now_ns = now_ns, .bytes = values.bytes()});
}

void VenueCore::divert(std::optional<u32> account, bool on, i64 now_ns) {
    const InputBytes values{u8(on)};
    take({.verb = Verb::Divert, .account = account.value_or(kFeed), .now_ns = now_ns, .bytes = values.bytes()});
}

void VenueCore::end_faults(i64 now_ns) {
    if (clock_.shift_ns != 0) shift_clock(0, now_ns);
    if (itch_.log().is_diverted()) divert(std::nullopt, false, now_ns);
    for (u32 account = 0; account < accounts_.size(); ++account) {
        if (accounts_[account].reports.is_diverted()) divert(account, false, now_ns);
        if (accounts_[account].rejects_ordered > 0) reject_next(account, 0, now_ns);
    }
}

void VenueCore::settle(std::optional<u32> account, const std::vector<Bytes>& messages, i64 now_ns) {
    std::vector<u8> bytes;
    for (Bytes message : messages) {
        if (message.size() > 0xFFFF)
            throw Error(ErrorKind::Decode,
                        "settle: expected messages of at most 65535 bytes, found " + std::to_string(message.size()));
        bytes.push_back(u8(message.size()));
        bytes.push_back(u8(message.size() >> 8));
        bytes.insert(bytes.end(), message.begin(), message.end());
    }
    take({.verb = Verb::Settle, .account = account.value_or(kFeed), .now_ns = now_ns, .bytes = bytes});
}

void VenueCore::publish(Bytes itch_message) {
    if (journal_)
        throw Error(ErrorKind::Config,
                    "expected no journal where a tape is passed through, found one; leave out [journal], or use "
                    "another [flow]");
    itch_.pass(itch_message);
}

}  // namespace openbell::exchange
