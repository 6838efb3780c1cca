#include "backtest/tape_import.h"

#include <algorithm>

namespace openbell {

namespace {

constexpr std::size_t kLengthBytes = 2;
constexpr std::size_t kTrackingAt = 3;  // TotalView-ITCH 5.0: type, locate, tracking number, timestamp

u16 be16_at(Bytes bytes, std::size_t at) { return u16(bytes[at] << 8 | bytes[at + 1]); }

Error damaged(const std::string& found, u64 offset) {
    return Error(ErrorKind::Decode,
                 "expected ITCH 5.0 messages behind 2-byte big-endian lengths, as in NASDAQ's sample files, found " +
                     found + " at byte " + std::to_string(offset) + "; is this another format?");
}

}  // namespace

TapeImport::TapeImport(JournalWriter& journal, const TapeOptions& options)
    : journal_(journal),
      itch_(options.symbols, options.midnight_ns, 0, options.checks),
      split_by_tracking_(options.split_by_tracking) {}

void TapeImport::feed(Bytes bytes) {
    // Complete the message that was cut; its length itself may be cut.
    while (!cut_.empty() && !bytes.empty()) {
        const std::size_t whole = cut_.size() < kLengthBytes ? kLengthBytes : kLengthBytes + be16_at(cut_, 0);
        const std::size_t n = std::min(whole - cut_.size(), bytes.size());
        cut_.insert(cut_.end(), bytes.begin(), bytes.begin() + std::ptrdiff_t(n));
        bytes = bytes.subspan(n);
        if (take_whole(cut_) > 0) cut_.clear();
    }
    if (!cut_.empty()) return;
    bytes = bytes.subspan(take_whole(bytes));
    cut_.assign(bytes.begin(), bytes.end());
}

void TapeImport::finish() {
    close_frame();
    if (!cut_.empty()) throw damaged("the end of the file inside a message", offset_);
    if (counters().messages == 0) throw damaged("no message", 0);
}

// The bytes of the whole messages that `bytes` begins with.
std::size_t TapeImport::take_whole(Bytes bytes) {
    std::size_t at = 0;
    while (bytes.size() - at >= kLengthBytes) {
        const std::size_t length = be16_at(bytes, at);
        if (length < itch50::kHeadBytes) throw damaged("a message of " + std::to_string(length) + " bytes", offset_);
        if (bytes.size() - at < kLengthBytes + length) break;
        on_message(bytes.subspan(at + kLengthBytes, length));
        at += kLengthBytes + length;
        offset_ += kLengthBytes + length;
    }
    return at;
}

void TapeImport::on_message(Bytes message) {
    const u64 malformed = counters().malformed;
    Market records[kRecordsPerMessageMax];
    const Emitted emitted = itch_.on_message(message, records);
    // A feed skips what it cannot read; a file that is cut or of another format is not to become a tape.
    if (counters().malformed != malformed || counters().unknown == counters().messages)
        throw damaged("type '" + std::string(1, char(message[0])) + "' in " + std::to_string(message.size()) + " bytes",
                      offset_);
    switch (emitted) {
        case Emitted::None:
        case Emitted::Market:
        case Emitted::Two:
        case Emitted::Three:
            for (std::size_t i = 0; i < std::size_t(emitted); ++i) put(message, records[i], records[i].ts_event);
            if (itch_.checks().has_quarantined()) {
                const Quarantined& aside = itch_.checks().take_quarantined();
                put(message, aside, aside.ts_event);
            }
            return;
        case Emitted::Instrument: {
            Instrument instrument = itch_.instrument();
            instrument.instrument = itch_.instrument_of(u16(instrument.locate));
            if (instrument.instrument == kNoInstrument) instrument.instrument = next_instrument_++;
            itch_.assign(instrument);
            put(message, instrument, instrument.ts_event);
        }
    }
}

// Where the next record goes: in the open frame if it is of the same moment, else in a new one.
u8* TapeImport::room_for(Bytes message, i64 ts_event, std::size_t record_size) {
    const u16 tracking = be16_at(message, kTrackingAt);
    const bool joins = frame_ && ts_event == frame_->ts_recv && record_size == frame_->record_size &&
                       count_ < kTapeFrameRecordsMax && !(split_by_tracking_ && tracking != tracking_);
    if (!joins) {
        close_frame();
        frame_ = journal_.begin(FrameClass::In, source::kFeed, record_size);
        if (!frame_) throw Error(ErrorKind::Journal, "tape: expected room for a frame, found the writer closed");
        ts_seq_ = std::max(ts_seq_, ts_event);
        frame_->flags = kSyntheticTime;
        frame_->source_seq = counters().messages;
        frame_->ts_recv = ts_event;
        frame_->ts_seq = ts_seq_;
        tracking_ = tracking;
    }
    return reinterpret_cast<u8*>(frame_ + 1) + record_size * count_++;
}

void TapeImport::close_frame() {
    if (!frame_) return;
    journal_.commit(frame_, count_);
    records_ += count_;
    ++frames_;
    frame_ = nullptr;
    count_ = 0;
}

}  // namespace openbell
