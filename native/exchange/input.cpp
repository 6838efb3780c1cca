#include "exchange/input.h"

#include <string>

#include "error.h"

namespace openbell::exchange {
namespace {

// Every field once, for writing and reading.
void each_field(auto& t, auto&& f) {
    f(t.px), f(t.qty), f(t.tif), f(t.type), f(t.post_only), f(t.peg), f(t.self_trade), f(t.keeps_place), f(t.group);
    f(t.display), f(t.min_qty), f(t.stop_px), f(t.peg_offset);
}

}  // namespace

InputBytes& InputBytes::put(const Terms& terms) {
    each_field(terms, [this](const auto& value) { out_.le(value); });
    return *this;
}

Terms read_terms(ByteReader& in) {
    Terms terms;
    each_field(terms, [&in]<class T>(T& value) { value = in.le<T>(); });
    return terms;
}

void check_done(const Input& input, const ByteReader& in) {
    if (!in.failed() && in.remaining() == 0) return;
    throw Error(ErrorKind::Journal, "journal of the exchange: expected the values of verb " +
                                        std::to_string(int(input.verb)) + ", found " +
                                        std::to_string(input.bytes.size()) +
                                        " bytes of another version; recover it with the version that wrote it");
}

}  // namespace openbell::exchange
