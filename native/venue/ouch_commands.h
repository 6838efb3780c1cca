// Our commands as OUCH 4.2 messages: NewOrder -> Enter, ReplaceOrder -> Replace, CancelOrder -> Cancel.
#pragma once

#include <string_view>

#include "bytes.h"
#include "records.h"

namespace openbell {

// Whether OUCH 4.2 can carry `order`: 0 < qty < 1,000,000 shares, 0 < px <= 199,999.9900 dollars in units of
// 1e-4, versions from 1 to 62^3 - 1: else NotExpressible. Day, IOC, FOK, GTD within 99,997 s, at the open or close (and
// then no replace): else TifNotCarried. Post-only or hidden, not both: else PostOnlyNotCarried; whole:
// DisplayNotCarried.
Reason ouch_expressible(const Order& order, const Instrument& instrument);

// One message without the packet around it; false when `out` is too small. Only for an expressible order.
bool write_ouch(const Order& order, const Instrument& instrument, std::string_view firm, ByteWriter& out);

}  // namespace openbell
