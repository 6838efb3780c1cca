// What the perimeter of a new process must know of the one that died: a restart buys no second share of the venue's
// limits, and no version of an order leaves again.
#pragma once

#include "journal/reader.h"
#include "node/driver.h"

namespace openbell {

// Gives `gate` what the journal says of the second before `now_ns`, and the last version of every order that lives. Of
// a command without an outcome nobody knows when it left, or whether: as if it left now.
void recall_sends(Gate& gate, const Engine& engine, JournalReader& journal, i64 now_ns);

}  // namespace openbell
