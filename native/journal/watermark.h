// DURABLE: how far the journal on disk is promised, for the day after a power cut.
//
//      0  the watermark at the last of its own syncs: a file is renamed over it, so it is whole after any power cut
//   4096  the watermark as last written, in place and not synced: true when it is whole, and a power cut may tear it
//
// Each is a Watermark (journal/control.h). The first is written before the first frame of a journal is said to be
// durable, so segments without one are a loss.
#pragma once

#include "journal/control.h"
#include "journal/disk.h"

namespace openbell {

inline constexpr u64 kLatestWatermarkAt = 4096;  // in another sector than the first

// Whether it was read from a file that holds one.
bool is_written(const Watermark& watermark);

// Durable when it returns; the latest is the same.
void write_synced(Disk& disk, const Watermark& watermark);
// Whenever it reaches the disk, what it says has been true for long.
void write_latest(Disk& disk, const Watermark& watermark);

// Throws JournalDamaged where a journal was written and nothing says how far: its end could be cut anywhere.
void expect_written(const std::string& journal_dir, const Watermark& watermark);

}  // namespace openbell
