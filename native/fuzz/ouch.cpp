// Any bytes as an OUCH message of either direction: never out of bounds, and what is read is written again.
#include <cstdlib>

#include "wire/token.h"

namespace {

template <class List>
void check(openbell::Bytes bytes) {
    using namespace openbell;
    List::visit(bytes, [bytes]<class M>(const M& message) {
        std::array<u8, M::kLength> buffer;
        ByteWriter out(buffer);
        encode(message, out);
        if (out.failed() || std::memcmp(buffer.data(), bytes.data(), out.size()) != 0) std::abort();
        if constexpr (requires { message.token; }) {
            const auto key = ouch42::decode_token(message.token);
            if (key && ouch42::encode_token(*key) != message.token) std::abort();
        }
    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    check<openbell::ouch42::Inbound>({data, size});
    check<openbell::ouch42::Outbound>({data, size});
    return 0;
}
