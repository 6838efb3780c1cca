#include "exchange/input_journal.h"

#include <algorithm>

#include "journal/reader.h"

namespace openbell::exchange {
namespace {

constexpr std::size_t kBytesPerRecord = sizeof(ExchangeInput::bytes);
constexpr u32 kRecordsPerFrame = u32((kFrameBytesMax - sizeof(FrameHeader)) / sizeof(ExchangeInput));
constexpr std::size_t kInputBytesMax = kRecordsPerFrame * kBytesPerRecord;

JournalOptions journal_options(const InputJournalOptions& o) {
    return {.journal_dir = o.journal_dir,
            .hot_dir = o.hot_dir,
            .segment_bytes = o.segment_bytes,
            .hot_segments_max = o.hot_segments_max};
}

u32 records_of(const Input& input) {
    return std::max<u32>(1, u32((input.bytes.size() + kBytesPerRecord - 1) / kBytesPerRecord));
}

u8* write_input(u8* at, const Input& input) {
    Bytes rest = input.bytes;
    do {
        const Bytes part = rest.first(std::min(rest.size(), kBytesPerRecord));
        rest = rest.subspan(part.size());
        ExchangeInput record{.type = u8(Type::ExchangeInput),
                             .flags = rest.empty() ? u8(0) : kContinues,
                             .length = u16(part.size()),
                             .instrument = input.instrument,
                             .ts_event = input.now_ns,
                             .account = input.account,
                             .verb = u8(input.verb),
                             .pad0 = {},
                             .bytes = {}};
        if (!part.empty()) std::memcpy(record.bytes, part.data(), part.size());
        std::memcpy(at, &record, sizeof record);
        at += sizeof record;
    } while (!rest.empty());
    return at;
}

[[noreturn]] void refuse_frame(const FrameView& frame, const std::string& dir, const char* found) {
    throw Error(ErrorKind::Journal, "expected inputs of an exchange in " + dir + ", found " + found + " in frame " +
                                        std::to_string(frame.header->seq) + "; name the exchange's own directory");
}

// Calls `f` with the inputs of a frame; returns how many.
u64 read_frame(const FrameView& frame, const std::string& dir, const std::function<void(const Input&)>& f) {
    std::vector<u8> joined;  // of an input that takes several records
    u64 count = 0;
    for (std::size_t i = 0; i < frame.count(); ++i) {
        const auto& r = frame.as<ExchangeInput>(i);
        if (r.type != u8(Type::ExchangeInput) || r.length > kBytesPerRecord) refuse_frame(frame, dir, "another record");
        const bool is_whole = joined.empty() && !(r.flags & kContinues);
        if (!is_whole) joined.insert(joined.end(), r.bytes, r.bytes + r.length);
        if (r.flags & kContinues) continue;
        f({Verb(r.verb), r.account, r.instrument, r.ts_event, is_whole ? Bytes(r.bytes, r.length) : Bytes(joined)});
        joined.clear();
        ++count;
    }
    if (!joined.empty()) refuse_frame(frame, dir, "half an input");
    return count;
}

}  // namespace

InputJournal::InputJournal(const InputJournalOptions& options) : writer_(journal_options(options)) {}

std::size_t InputJournal::append(std::span<const Input> inputs) {
    FrameHeader* frame = writer_.begin(FrameClass::In, source::kExchange, sizeof(ExchangeInput));
    if (!frame)
        throw Error(ErrorKind::Capacity,
                    "journal of the exchange: expected room in shared memory, found every hot segment waiting for the "
                    "archiver; is it running? else raise [journal] hot_segments_max");
    frame->ts_recv = frame->ts_seq = inputs.front().now_ns;
    u8* at = reinterpret_cast<u8*>(frame + 1);
    u32 records = 0;
    std::size_t count = 0;
    for (; count < inputs.size() && records + records_of(inputs[count]) <= kRecordsPerFrame; ++count) {
        at = write_input(at, inputs[count]);
        records += records_of(inputs[count]);
    }
    if (count == 0)
        throw Error(ErrorKind::Capacity, "expected an input of at most " + std::to_string(kInputBytesMax) +
                                             " bytes, found " + std::to_string(inputs.front().bytes.size()) +
                                             "; make several of it");
    writer_.commit(frame, records);
    return count;
}

bool InputJournal::is_durable() const {
    if (writer_.has_failed())
        throw Error(ErrorKind::Journal,
                    "journal of the exchange: expected the archiver to write it to disk, found that it has failed; see "
                    "its log, check the disk and start again");
    return writer_.durable_seq() >= writer_.last_seq();
}

u64 InputJournal::read(const InputJournalOptions& options, const std::function<void(const Input&)>& f) {
    JournalReader reader(options.journal_dir, options.hot_dir);
    u64 count = 0;
    while (const FrameView frame = reader.next()) {
        if (frame.header->source != source::kExchange || frame.header->record_size != sizeof(ExchangeInput))
            refuse_frame(frame, options.journal_dir, "those of another source");
        count += read_frame(frame, options.journal_dir, f);
    }
    return count;
}

std::optional<Beginning> beginning_of(const InputJournalOptions& options) {
    JournalReader reader(options.journal_dir, options.hot_dir);
    std::optional<Beginning> found;
    const FrameView frame = reader.next();
    if (!frame) return found;
    if (frame.header->source != source::kExchange || frame.header->record_size != sizeof(ExchangeInput))
        refuse_frame(frame, options.journal_dir, "those of another source");
    read_frame(frame, options.journal_dir, [&found](const Input& input) {
        if (found || input.verb != Verb::Begin || input.bytes.size() != sizeof(Beginning)) return;
        std::memcpy(&found.emplace(), input.bytes.data(), sizeof(Beginning));
    });
    if (!found) refuse_frame(frame, options.journal_dir, "no beginning");
    return found;
}

void check_beginning(const Input& input, const Beginning& expected, const std::string& journal_dir) {
    Beginning found;
    if (input.verb != Verb::Begin || input.bytes.size() != sizeof found)
        throw Error(ErrorKind::Journal, "expected a journal of an exchange from its beginning in " + journal_dir +
                                            ", found one without; restore its first segment");
    std::memcpy(&found, input.bytes.data(), sizeof found);
    if (found.config_hash == expected.config_hash && found.midnight_ns == expected.midnight_ns) return;
    throw Error(ErrorKind::Config,
                "expected the journal in " + journal_dir +
                    " to be of this configuration and day, found that it began with another one: the same inputs would "
                    "be answered otherwise; go on with the file it began with, or name an empty [journal] directory");
}

Bytes bytes_of(const Beginning& beginning) { return {reinterpret_cast<const u8*>(&beginning), sizeof beginning}; }

}  // namespace openbell::exchange
