// The journal of a venue's inputs: openbell's journal (journal/writer.h), one IN frame per batch, appended before the
// batch is done. Hot segments are shared memory, so what was answered survives the process; an archiver makes it
// survive the host.
//
// An input is one ExchangeInput record; longer bytes carry on in the records that follow.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "exchange/input.h"
#include "journal/writer.h"

namespace openbell::exchange {

struct InputJournalOptions {
    std::string journal_dir;  // on disk
    std::string hot_dir;      // in shared memory
    u64 segment_bytes = kSegmentBytesDefault;
    u32 hot_segments_max = 16;  // when as many wait for the archiver, append() throws
};

class InputJournal {
  public:
    // Opens or recovers; a torn tail is cut off. Throws JournalLocked, JournalDamaged, Journal, Config.
    explicit InputJournal(const InputJournalOptions& options);

    // Appends as many of `inputs` as one frame holds and returns how many. Throws Capacity, and nothing was appended,
    // when the archiver is so far behind that there is no room.
    std::size_t append(std::span<const Input> inputs);

    // Calls `f` with every input from the first one on; returns how many. Throws Journal for a journal of another kind.
    static u64 read(const InputJournalOptions& options, const std::function<void(const Input&)>& f);

    // Everything that was appended survives the host. Throws Journal when the archiver has failed.
    bool is_durable() const;
    u64 torn_bytes() const { return writer_.recovery().torn_bytes; }

  private:
    JournalWriter writer_;
};

// The beginning of the journal in these directories, if there is one.
std::optional<Beginning> beginning_of(const InputJournalOptions& options);

// Throws Config unless `input` begins a journal of `expected`.
void check_beginning(const Input& input, const Beginning& expected, const std::string& journal_dir);

Bytes bytes_of(const Beginning& beginning);

}  // namespace openbell::exchange
