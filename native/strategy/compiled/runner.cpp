#include "strategy/compiled/runner.h"

namespace openbell {
namespace {

std::string text_of(CompiledError error) {
    switch (error) {
        case CompiledError::Overflow: return "OverflowError: an integer beyond 64 bits";
        case CompiledError::DivisionByZero: return "ZeroDivisionError: division by zero";
        case CompiledError::Index: return "IndexError: outside the array";
        case CompiledError::Domain: return "ValueError: a function of openbell.math has no finite result there";
        case CompiledError::Fuel:
            return "TimeoutError: more than " + std::to_string(CompiledRunner::kFuel) +
                   " rounds of loops in a callback";
        case CompiledError::Conversion: return "ValueError: a number without an integer of 64 bits";
        case CompiledError::Other: return "ValueError: negative shift count";
        default: return "RuntimeError: a fault in compiled code";
    }
}

}  // namespace

CompiledRunner::CompiledRunner(CompiledCode code, std::vector<u64> words)
    : Runner(words.size()), code_(std::move(code)) {
    words_ = std::move(words);
    runtime_.runner = this;
}

void CompiledRunner::call_book(u32 instrument) {
    const BookCell cell = book_cell(context_.world(), instrument);
    run(Hook::Book, &cell);
}

void CompiledRunner::run(Hook hook, const void* argument) {
    runtime_.now_ns = context_.now_ns();
    runtime_.seq = context_.seq();
    runtime_.fuel = kFuel;
    runtime_.error = 0;
    if (code_.hooks[u8(hook)](&runtime_, words_.data(), argument) != 0) [[unlikely]]
        fail();
}

// In the words that Python would have used, with the line.
void CompiledRunner::fail() const {
    const auto error = CompiledError(runtime_.error);
    std::string text;
    if (error == CompiledError::Verb)
        text = "StrategyError: " + refusal_;
    else if (error == CompiledError::Raised && u64(runtime_.detail) < code_.raised.size())
        text = code_.raised[std::size_t(runtime_.detail)];
    else
        text = text_of(error);
    const u64 line = u64(runtime_.line);
    const std::string file = (line >> 32) < code_.files.size() ? code_.files[line >> 32] : "";
    throw Error(ErrorKind::Strategy, text + " (" + file + ":" + std::to_string(u32(line)) + ")");
}

BookCell book_cell(const World& world, u32 id) {
    const Touch& touch = world.books.touch(id);
    const Instrument& known = *world.instrument(id);
    return {id,
            touch.bid_px,
            touch.bid_qty,
            touch.ask_px,
            touch.ask_qty,
            known.tick,
            known.lot,
            world.books.is_valid(id),
            i64(world.trading_of(id)),
            known.px_decimals,
            known.qty_decimals};
}

}  // namespace openbell
