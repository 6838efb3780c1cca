// Any datagrams into a MoldUDP64 receiver: messages come in order and once, memory stays bounded, and a packet or
// request that is read is written again byte for byte.
// Input: repeated | line (1) | size (1) | datagram |.
#include <algorithm>
#include <cstdlib>

#include "feed/mold_receiver.h"

namespace {

using namespace openbell;

struct Ordered final : MoldListener {
    u64 next = 1;

    void on_session(const mold::Session&) override { next = 1; }
    void on_messages(const Delivery& d) override {
        d.for_each([this](u64 seq, Bytes) {
            if (seq != next++) std::abort();
        });
    }
    void on_gap(u64 from, u64 to) override {
        if (from != next || to <= from) std::abort();
    }
    void on_recovered(u64 at) override {
        if (at != next) std::abort();
    }
    void on_lost(u64 from, u64 to) override {
        if (from != next || to <= from) std::abort();
        next = to;
    }
    void on_end_of_session(u64 at) override {
        if (at != next) std::abort();
    }
};

void must_equal(Bytes written, Bytes read) {
    if (!std::equal(written.begin(), written.end(), read.begin(), read.end())) std::abort();
}

void check_codec(Bytes datagram) {
    if (const auto packet = mold::parse(datagram)) {
        mold::PacketBuilder builder(packet->header.session, packet->header.seq);
        packet->for_each([&builder](u64, Bytes message) {
            if (builder.add(message) != mold::PacketBuilder::Packed::Yes) std::abort();
        });
        must_equal(packet->header.is_end_of_session() ? builder.end_of_session() : builder.take(), datagram);
    }
    if (const auto request = mold::parse_request(datagram)) {
        std::array<u8, mold::kHeaderBytes> buffer;
        ByteWriter out(buffer);
        if (!mold::write_request(out, *request)) std::abort();
        must_equal(out.written(), datagram);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    MoldConfig config;
    config.held_packets_max = 4;
    config.packet_bytes_max = 128;
    config.wait_ns = 3;
    config.retry_ns = 5;
    config.tries_max = 2;
    MoldReceiver receiver(config);
    receiver.start(mold::Session(""), 1);
    Ordered listener;
    ByteReader in(Bytes(data, size));
    for (i64 now = 0; in.remaining() > 0; ++now) {
        const u8 line = in.be8();
        const std::size_t bytes = in.be8();
        const Bytes datagram = in.take(bytes);
        check_codec(datagram);
        receiver.on_packet(datagram, line, now, now, listener);
        receiver.poll(now, listener);
        while (receiver.take_request()) {
        }
        if (receiver.next_seq() != listener.next) std::abort();
    }
    return 0;
}
