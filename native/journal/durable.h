// How far a journal is safe, asked before a command leaves. One level of durability is one implementation: `local` is
// the JournalWriter's (its archiver has synced); `quorum` would be that of who hears from other hosts.
#pragma once

#include "integers.h"

namespace openbell {

class Durable {
  public:
    virtual ~Durable() = default;
    // Everything up to here survives what this level names. Never goes back. The trading thread polls it.
    virtual u64 durable_seq() const = 0;
    // It does not grow any more, until somebody has looked after it.
    virtual bool has_failed() const = 0;
};

}  // namespace openbell
