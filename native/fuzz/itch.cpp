// Any stream of ITCH messages, through codec, feed and its checks: never out of bounds, what is read is written again,
// and a message makes no more than it may.
// Input: repeated | size (2, big-endian) | message |, as Nasdaq frames its files. The first message's bytes are the
// policies of the checks too.
#include <algorithm>
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

// Narrow limits and little room, so that a few messages meet each of them.
constexpr char kSymbol[] = "S";
ItchFeed make_feed(CheckPolicy policy) {
    EdgeConfig config;
    for (std::size_t i = 0; i < kChecks; ++i) config.policies.set(Check(i), policy);
    config.left_out_max = 2;
    config.clock_back_ns = 100;
    config.types = "L";
    EdgeLimits limits;
    limits.px_low = 10, limits.px_high = 1 << 24, limits.band_bps = 5'000;
    limits.tick = 3, limits.lot = 2, limits.qty_max = 1 << 16;
    limits.keep_low = 5, limits.keep_high = 1 << 28;
    config.limits.push_back({kSymbol, limits});
    return ItchFeed({}, 0, 0, config);
}

// Large; what a run assigns it takes back. Inputs of each length have a policy of their own.
ItchFeed& feed_for(std::size_t size) {
    static std::array<ItchFeed, 3> feeds{make_feed(CheckPolicy::Mark), make_feed(CheckPolicy::Drop),
                                         make_feed(CheckPolicy::Halt)};
    ItchFeed& feed = feeds[size % feeds.size()];
    feed.checks().start_session();
    return feed;
}

void check_quarantined(EdgeChecks& checks, Bytes message) {
    if (!checks.has_quarantined()) return;
    const Quarantined& aside = checks.take_quarantined();
    if (aside.length > sizeof aside.bytes || aside.length > message.size()) std::abort();
    if (!std::equal(aside.bytes, aside.bytes + aside.length, message.begin())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ItchFeed& feed = feed_for(size);
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
            std::copy_n(kSymbol, sizeof kSymbol, assigned.back().symbol);
            feed.assign(assigned.back());
            continue;
        }
        for (std::size_t i = 0; i < std::size_t(emitted); ++i)
            if (records[i].instrument != kNoInstrument && assigned.empty()) std::abort();
        check_quarantined(feed.checks(), message);
    }
    for (Instrument& gone : assigned) {
        gone.instrument = kNoInstrument;
        feed.assign(gone);
    }
    return 0;
}
