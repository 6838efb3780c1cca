// Batches of columns through the Arrow C data interface: Polars, PyArrow and DuckDB take them over as they are.
//
// The structs are the interface's own (https://arrow.apache.org/docs/format/CDataInterface.html), to be copied into
// every project that speaks it. What is exported owns its buffers; the consumer calls `release`.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "research/columns.h"

struct ArrowSchema {
    const char* format;
    const char* name;
    const char* metadata;
    std::int64_t flags;
    std::int64_t n_children;
    ArrowSchema** children;
    ArrowSchema* dictionary;
    void (*release)(ArrowSchema*);
    void* private_data;
};

struct ArrowArray {
    std::int64_t length;
    std::int64_t null_count;
    std::int64_t offset;
    std::int64_t n_buffers;
    std::int64_t n_children;
    const void** buffers;
    ArrowArray** children;
    ArrowArray* dictionary;
    void (*release)(ArrowArray*);
    void* private_data;
};

struct ArrowArrayStream {
    int (*get_schema)(ArrowArrayStream*, ArrowSchema* out);
    int (*get_next)(ArrowArrayStream*, ArrowArray* out);
    const char* (*get_last_error)(ArrowArrayStream*);
    void (*release)(ArrowArrayStream*);
    void* private_data;
};

namespace openbell {

// A capsule "arrow_array_stream" of the batches that `source` still has, of rows of a struct.
nanobind::capsule arrow_stream_of(std::shared_ptr<BatchSource> source);

}  // namespace openbell
