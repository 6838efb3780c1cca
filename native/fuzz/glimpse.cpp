// Any bytes of a snapshot server to a client that logs in: what it makes of them does not depend on where they were
// cut, a snapshot ends once, and nothing comes before the login was accepted. Input: | pieces (1) | size of a piece
// less 1 (1), that many times | stream |; the sizes repeat.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "feed/glimpse_client.h"

namespace {

using namespace openbell;

void must(bool claim) {
    if (!claim) std::abort();
}

struct Snapshot final : GlimpseListener {
    u64 begun = 0, ended = 0, next_seq = 0, bytes = 0, messages = 0;

    void on_snapshot_begin() override { must(++begun == 1); }
    void on_snapshot_message(Bytes message) override {
        must(begun == 1 && ended == 0);
        bytes = bytes * 31 + message.size();
        ++messages;
    }
    bool on_snapshot_end(u64 seq) override {
        must(begun == 1 && ++ended == 1);
        next_seq = seq;
        return seq % 2 == 0;
    }
    bool operator==(const Snapshot& o) const {
        return begun == o.begun && ended == o.ended && next_seq == o.next_seq && bytes == o.bytes &&
               messages == o.messages;
    }
};

struct Login {
    GlimpseClient client{GlimpseClient::Config{}};
    Snapshot snapshot;

    void read(Bytes stream, const std::vector<std::size_t>& sizes) {
        client.on_connected(0);
        must(client.outgoing().size() == soup::kHeaderBytes + soup::kLoginRequestBytes);
        client.taken(client.outgoing().size());
        for (std::size_t i = 0; !stream.empty(); ++i) {
            const std::size_t n = std::min(stream.size(), sizes[i % sizes.size()]);
            client.on_bytes(stream.first(n), i64(i), snapshot);
            stream = stream.subspan(n);
        }
        must((snapshot.ended == 1) == (client.end() == GlimpseEnd::Complete || client.end() == GlimpseEnd::Unusable));
        must(client.messages() >= snapshot.messages + snapshot.ended);
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader in(Bytes(data, size));
    std::vector<std::size_t> sizes;
    for (std::size_t pieces = in.be8(); pieces > 0 && !in.failed(); --pieces)
        sizes.push_back(std::size_t(in.be8()) + 1);
    if (in.failed() || sizes.empty()) return 0;
    const Bytes stream = in.take(in.remaining());
    Login pieces, whole;
    pieces.read(stream, sizes);
    whole.read(stream, {std::max<std::size_t>(stream.size(), 1)});
    must(pieces.snapshot == whole.snapshot && pieces.client.end() == whole.client.end());
    return 0;
}
