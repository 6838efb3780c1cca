// Records crossing the binding in batches: in through the buffer protocol, out as rows of bytes.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <span>

#include "records.h"

namespace openbell {

// The bytes of a Python object as records: bytes, memoryview, or a contiguous NumPy array of any dtype.
template <class Record>
class RecordBuffer {
  public:
    explicit RecordBuffer(const nanobind::object& source) {
        if (PyObject_GetBuffer(source.ptr(), &view_, PyBUF_SIMPLE) != 0) throw nanobind::python_error();
        if (view_.len % Py_ssize_t(sizeof(Record)) == 0) return;
        PyBuffer_Release(&view_);
        throw nanobind::value_error("expected whole records, found a buffer that is no multiple of the record's size");
    }
    RecordBuffer(const RecordBuffer&) = delete;
    RecordBuffer& operator=(const RecordBuffer&) = delete;
    ~RecordBuffer() { PyBuffer_Release(&view_); }

    std::span<const Record> records() const {
        return {static_cast<const Record*>(view_.buf), std::size_t(view_.len) / sizeof(Record)};
    }

  private:
    Py_buffer view_{};
};

// Rows to be returned as a uint8 array of shape (count, sizeof(Row)), which Python views by its dtype.
template <class Row>
struct Rows {
    explicit Rows(std::size_t n) : rows(new Row[n + 1]()), count(n) {}
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;
    ~Rows() { delete[] rows; }

    nanobind::object to_python() {
        Row* owned = rows;
        rows = nullptr;
        nanobind::capsule owner(owned, [](void* p) noexcept { delete[] static_cast<Row*>(p); });
        return nanobind::cast(nanobind::ndarray<nanobind::numpy, u8>(owned, {count, sizeof(Row)}, owner));
    }

    Row* rows;
    std::size_t count;
};

}  // namespace openbell
