// How the host and a compiled strategy meet: plain structs, C functions, no Python, no exceptions across.
//
// A compiled callback is `i32 hook(Runtime*, void* words, const void* argument)`: 0, or 1 with `Runtime::error` set.
// Its argument is the record itself (Market, Report, Signal), a `BookCell`, a timer's id, or nothing.
#pragma once

#include <span>

#include "integers.h"

namespace openbell {

enum class CompiledError : i64 {
    None = 0,
    Overflow = 1,        // an integer beyond 64 bits
    DivisionByZero = 2,  // of / // %
    Index = 3,           // outside an array
    Domain = 4,          // openbell.math: a finite argument without a finite result
    Fuel = 5,            // more loop rounds than a callback may take
    Raised = 6,          // `raise` or `assert`; detail = number of its text
    Verb = 7,            // ctx refused: its words are in CompiledRunner
    Conversion = 8,      // a float without an int, an id beyond 63 bits
    Other = 9,           // a shift by a negative count
};

struct Runtime {
    i64 now_ns;
    u64 seq;
    i64 fuel;  // rounds of loops left in this callback
    i64 line;  // where it failed: the number of the source file above, the line in the lower 32 bits
    i64 error;
    i64 detail;
    void* runner;
};
static_assert(sizeof(Runtime) == 56);

// What `book` is to a compiled strategy, as of the end of the frame.
struct BookCell {
    i64 instrument;
    i64 bid_px;
    i64 bid_qty;
    i64 ask_px;
    i64 ask_qty;
    i64 tick;
    i64 lot;
    i64 is_valid;
    i64 trading;  // TradingState
    i64 px_decimals;
    i64 qty_decimals;
};
static_assert(sizeof(BookCell) == 88);

// One of our live orders, see LiveOrder.
struct OrderCell {
    i64 cl_ord_id;
    i64 instrument;
    i64 px;
    i64 qty;
    i64 cum_qty;
    i64 leaves_qty;
    i64 version;
    i64 state;  // OrderState
    i64 side;
    i64 tag;
};
static_assert(sizeof(OrderCell) == 80);

using CompiledHook = i32 (*)(Runtime*, void* words, const void* argument);

// One C function that compiled code may call. `signature` is "i64(rt,i64,f64)"; `verb` is how a strategy writes it
// on ctx or book, with its defaults, and empty where no strategy does.
struct CompiledFunction {
    const char* name;
    const char* signature;
    const char* verb;
    const void* address;
};

std::span<const CompiledFunction> compiled_functions();

}  // namespace openbell
