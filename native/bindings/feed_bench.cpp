// Loops that measure the feed without Python or sockets in between; bench/arbitration.py and bench/feed_book.py call
// them.
#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include <ctime>
#include <vector>

#include "book/books.h"
#include "feed/collector.h"
#include "feed/mold_receiver.h"
#include "journal/writer.h"

namespace nb = nanobind;

namespace openbell {
void bind_feed_bench(nb::module_& m);  // called by bind_feed

namespace {

using namespace nb::literals;

constexpr i64 kSpacingNs = 1'000;  // between packets
constexpr i64 kTrailNs = 300;      // of line B behind line A

// Of this thread's processor: what others do to the machine is not the receiver's.
i64 thread_time_ns() {
    timespec t;
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return i64(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

// The cheapest listener that still looks at what it is told.
class CountingListener final : public MoldListener {
  public:
    void on_session(const mold::Session&) override {}
    void on_messages(const Delivery& delivery) override { messages += delivery.end() - delivery.seq; }
    void on_gap(u64, u64) override { ++gaps; }
    void on_recovered(u64) override {}
    void on_lost(u64, u64) override {}
    void on_end_of_session(u64) override {}

    u64 messages = 0;
    u64 gaps = 0;
};

struct Arrival {
    Bytes datagram;
    u8 line;
    i64 at_ns;
};

// Both lines' packets as they arrive: A, then B, of each; of those that A loses B comes alone.
class Lines {
  public:
    Lines(std::size_t packets, u32 messages, std::size_t message_bytes, u32 lost_one_in) {
        mold::PacketBuilder builder(mold::Session("BENCH00001"), 1);
        const std::vector<u8> message(message_bytes, 'A');
        for (std::size_t i = 0; i < packets; ++i) {
            for (u32 k = 0; k < messages; ++k) builder.add(message);
            const Bytes packet = builder.take();
            store_.emplace_back(packet.begin(), packet.end());
            store_.emplace_back(packet.begin(), packet.end());
        }
        for (std::size_t i = 0; i < packets; ++i) {
            const i64 at_ns = i64(i + 1) * kSpacingNs;
            if (lost_one_in == 0 || (i + 1) % lost_one_in != 0) arrivals.push_back({store_[2 * i], line::kA, at_ns});
            arrivals.push_back({store_[2 * i + 1], line::kB, at_ns + kTrailNs});
        }
    }
    std::vector<Arrival> arrivals;

  private:
    std::vector<std::vector<u8>> store_;
};

// ns a datagram of each repetition.
std::vector<double> arbitrate(std::size_t packets, u32 messages, std::size_t message_bytes, u32 lost_one_in,
                              std::size_t repetitions) {
    const Lines lines(packets, messages, message_bytes, lost_one_in);
    MoldReceiver receiver(MoldConfig{});
    std::vector<double> out;
    for (std::size_t r = 0; r < repetitions; ++r) {
        CountingListener listener;
        receiver.start(mold::Session("BENCH00001"), 1);
        const i64 began = thread_time_ns();
        for (const Arrival& a : lines.arrivals) receiver.on_packet(a.datagram, a.line, a.at_ns, a.at_ns, listener);
        out.push_back(double(thread_time_ns() - began) / double(lines.arrivals.size()));
        if (listener.messages != packets * messages) throw nb::value_error("the receiver lost messages");
    }
    return out;
}

// What any receiver does at least: reads number and count of each datagram, and compares once.
std::vector<double> bare(std::size_t packets, u32 messages, std::size_t message_bytes, std::size_t repetitions) {
    const Lines lines(packets, messages, message_bytes, 0);
    std::vector<double> out;
    for (std::size_t r = 0; r < repetitions; ++r) {
        u64 next = 1, delivered = 0;
        const i64 began = thread_time_ns();
        for (const Arrival& a : lines.arrivals) {
            ByteReader in(a.datagram);
            in.skip(10);
            const u64 seq = in.be64();
            const u16 count = in.be16();
            if (seq == next) {
                next += count;
                ++delivered;
            }
        }
        out.push_back(double(thread_time_ns() - began) / double(lines.arrivals.size()));
        if (delivered != packets) throw nb::value_error("the loop lost packets");
    }
    return out;
}

// What a node does with a datagram: its messages become the records of one frame in the journal's shared memory, and
// the books take them from there. `data` is in Nasdaq's file framing; returns how many records the books refused.
std::size_t journal_and_apply(JournalWriter& writer, Books& books, const nb::bytes& data, u32 messages) {
    Bytes left(static_cast<const u8*>(data.data()), data.size());
    nb::gil_scoped_release unlocked;
    ItchFeed feed({}, 0, 0);
    Collector directory(feed);
    std::size_t faults = 0;
    while (true) {
        FrameHeader* header = writer.begin(FrameClass::In, source::kFeed, kSmallRecord);
        if (!header) throw Error(ErrorKind::Journal, "expected room for the whole run, found hot space full");
        const std::span<Market> room(reinterpret_cast<Market*>(header + 1), messages + kRecordsPerMessageMax - 1);
        const Framed done = feed.on_framed(left, room);
        writer.commit(header, u32(done.records));
        for (std::size_t i = 0; i < done.records; ++i) {
            books.look_ahead(room.first(done.records), i);
            faults += books.apply(room[i]).fault != BookChange::Ok;
        }
        if (done.has_instrument) directory.add_instrument(feed.instrument());
        if (done.bytes == 0) return faults;
        left = left.subspan(done.bytes);
    }
}

}  // namespace

void bind_feed_bench(nb::module_& m) {
    m.def("bench_arbitration", &arbitrate, "packets"_a, "messages"_a, "message_bytes"_a, "lost_one_in"_a,
          "repetitions"_a, nb::call_guard<nb::gil_scoped_release>(),
          "ns a datagram of two lines, of each repetition; line A loses one packet in `lost_one_in`, 0: none.");
    m.def("bench_arbitration_bare", &bare, "packets"_a, "messages"_a, "message_bytes"_a, "repetitions"_a,
          nb::call_guard<nb::gil_scoped_release>(), "The same of a loop that reads and compares numbers only.");
    m.def("bench_journal_and_apply", &journal_and_apply, "writer"_a, "books"_a, "data"_a, "messages"_a,
          "Decode framed ITCH into frames of `messages` records each, commit them, apply them; returns the refused.");
}

}  // namespace openbell
