// A fixed row of numbers in a strategy's declared state: `window: Array = array(float, 100)`.
#pragma once

#include <nanobind/nanobind.h>

#include <vector>

#include "integers.h"

namespace openbell {

namespace nb = nanobind;

// The word that a value of kind 'i', 'f' or 'b' is journalled as. Raises TypeError or OverflowError, naming `what`.
u64 word_of(nb::handle value, char kind, const char* what);
nb::object value_of(u64 word, char kind);

struct Array {
    Array(char kind_, std::size_t length) : kind(kind_), words(length, 0) {}
    char kind;  // 'i', 'f' or 'b'
    std::vector<u64> words;
};

void bind_array(nb::module_& m);

}  // namespace openbell
