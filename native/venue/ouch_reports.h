// What OUCH 4.2 says about our orders, as Report records.
#pragma once

#include <array>

#include "bytes.h"
#include "wire/layout.h"

namespace openbell {

struct OuchReports {
    std::array<Report, 2> records{};  // two when an order is accepted or replaced and dead at once
    std::size_t count = 0;            // 0: the message says nothing about the state of an order
    bool is_foreign = false;          // the token is not one of ours: cl_ord_id stays 0, for the engine to halt on
    Undecoded undecoded = Undecoded::None;

    std::span<const Report> span() const { return {records.data(), count}; }
};

// `midnight_ns`: start of the venue's day, ns UTC; venue times count from it.
// Reports carry kNoInstrument and strategy 0: whose order it is, the OMS knows from cl_ord_id.
OuchReports read_ouch(Bytes message, i64 midnight_ns);

// The venue's reason for a cancel in our words; its own character stands in Report::venue_reason.
constexpr Reason ouch_cancel_reason(char reason) {
    switch (reason) {
        case 'U': return Reason::UserCancel;
        case 'I': return Reason::IocRemainder;
        case 'Q': return Reason::SelfMatch;
        case 'T':                                // time in force ended
        case 'S':                                // supervisory
        case 'D':                                // regulatory
        case 'Z':                                // system
        case 'C':                                // cross cancelled
        case 'H':                                // halted
        case 'E': return Reason::SessionCancel;  // closed
        default: return Reason::VenueReject;     // collar, open protection, post only, and what is new
    }
}

}  // namespace openbell
