// Any bytes as a SoupBinTCP stream: packets tile it, and every login parser survives every payload.
#include <cstdlib>

#include "wire/soupbintcp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace openbell;
    Bytes stream(data, size);
    for (;;) {
        const soup::Parsed parsed = soup::parse(stream);
        if (parsed.framing != soup::Framing::Complete) {
            if (parsed.used != 0) std::abort();
            return 0;
        }
        if (parsed.used != soup::kHeaderBytes + parsed.packet.payload.size()) std::abort();
        soup::parse_login_request(parsed.packet.payload);
        soup::parse_login_accepted(parsed.packet.payload);
        soup::parse_login_rejected(parsed.packet.payload);
        stream = stream.subspan(parsed.used);
    }
}
