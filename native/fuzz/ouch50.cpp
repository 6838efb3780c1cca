// Any bytes as an OUCH 5.0 message of either direction: never out of bounds, and what is read is written again,
// every byte of it.
#include <cstdlib>

#include "wire/ouch50.h"

namespace {

template <class List>
void check(openbell::Bytes bytes) {
    using namespace openbell;
    List::visit(bytes, [bytes]<class M>(const M& message) {
        std::array<u8, length_max<M>()> buffer;
        ByteWriter out(buffer);
        encode(message, out);
        if (out.failed() || out.size() != bytes.size()) std::abort();
        if (std::memcmp(buffer.data(), bytes.data(), out.size()) != 0) std::abort();
    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    check<openbell::ouch50::Inbound>({data, size});
    check<openbell::ouch50::Outbound>({data, size});
    return 0;
}
