// Any stream of ITCH messages, through codec and feed: never out of bounds, and what is read is written again.
// Input: repeated | size (2, big-endian) | message |, as Nasdaq frames its files.
#include <cstdlib>

#include "feed/itch_feed.h"
#include "wire/glimpse.h"

namespace {

using namespace openbell;

void check_codec(Bytes bytes) {
    itch50::visit(bytes, [bytes]<class M>(const M& message) {
        std::array<u8, M::kLength> buffer;
        ByteWriter out(buffer);
        encode(message, out);
        if (out.failed() || std::memcmp(buffer.data(), bytes.data(), M::kLength) != 0) std::abort();
    });
}

void check_end_of_snapshot(Bytes bytes) {
    const auto seq = glimpse::parse_end_of_snapshot(bytes);
    if (!seq) return;
    std::array<u8, glimpse::kEndOfSnapshotBytes> buffer;
    ByteWriter out(buffer);
    if (!glimpse::write_end_of_snapshot(out, *seq)) std::abort();
    if (glimpse::parse_end_of_snapshot(out.written()) != seq) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static ItchFeed feed({}, 0, 0);  // large; what a run assigns it takes back
    std::vector<Instrument> assigned;
    ByteReader in(Bytes(data, size));
    while (in.remaining() > 0) {
        const Bytes message = in.take(in.be16());
        check_codec(message);
        check_end_of_snapshot(message);
        Market records[kRecordsPerMessageMax];
        const Emitted emitted = feed.on_message(message, records);
        if (emitted == Emitted::Instrument) {
            assigned.push_back(feed.instrument());
            assigned.back().instrument = 1;
            feed.assign(assigned.back());
            continue;
        }
        for (std::size_t i = 0; i < std::size_t(emitted); ++i)
            if (records[i].instrument != kNoInstrument && assigned.empty()) std::abort();
    }
    for (Instrument& gone : assigned) {
        gone.instrument = kNoInstrument;
        feed.assign(gone);
    }
    return 0;
}
