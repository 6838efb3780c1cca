// Any bytes as an ITCH message: never out of bounds, and what is read is written again.
#include <cstdlib>

#include "feed/itch_feed.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace openbell;
    const Bytes bytes(data, size);
    itch50::visit(bytes, [bytes]<class M>(const M& message) {
        std::array<u8, M::kLength> buffer;
        ByteWriter out(buffer);
        encode(message, out);
        if (out.failed() || std::memcmp(buffer.data(), bytes.data(), M::kLength) != 0) std::abort();
    });
    static ItchFeed feed({}, 0, 0);
    Market market;
    if (feed.on_message(bytes, market) == Emitted::Instrument) feed.assign(u16(feed.instrument().locate), 1);
    return 0;
}
