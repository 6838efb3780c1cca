// The engine's words in the letters of OUCH 4.2, and back.
#pragma once

#include "exchange/match_event.h"
#include "wire/ouch42.h"

namespace openbell::exchange {

Side side_of(char letter);
i64 px_of(u32 px);  // kMarketPx of the engine for OUCH's
// What the engine is asked for `qty` open shares of an order or replace.
Terms terms_of(const ouch42::OrderTerms& terms, i64 qty);
char letter_of(Refusal why);      // reject reasons
char reason_letter(Cause cause);  // cancel reasons

}  // namespace openbell::exchange
