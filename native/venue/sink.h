// Where an order session puts what it learned.
#pragma once

#include <span>

#include "records.h"

namespace openbell {

struct VenueSink {
    virtual ~VenueSink() = default;
    // The records of one venue message; they belong in one frame. `source_seq` is the venue's message number.
    virtual void on_reports(std::span<const Report> reports, u64 source_seq) = 0;
    // Connected, Disconnected, Gap, Resolved: of the session itself, so they have no message number.
    virtual void on_control(const Control& control) = 0;
};

}  // namespace openbell
