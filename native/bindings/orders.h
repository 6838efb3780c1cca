// Records as bytes, 128-bit integers and saved state, shared by the bindings of oms, risk and execution.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <cstring>
#include <string>

#include "error.h"
#include "oms/exposure.h"
#include "state.h"

namespace openbell::orders {

namespace nb = nanobind;

template <class Record>
Record record_from(const nb::bytes& bytes) {
    if (bytes.size() != sizeof(Record)) {
        throw Error(ErrorKind::Decode, "expected a record of " + std::to_string(sizeof(Record)) + " bytes, got " +
                                           std::to_string(bytes.size()) + "; pass one record's tobytes()");
    }
    Record record;
    std::memcpy(&record, bytes.c_str(), sizeof(Record));
    return record;
}

template <class Record>
nb::bytes bytes_of(const Record* records, std::size_t count) {
    return nb::bytes(reinterpret_cast<const char*>(records), count * sizeof(Record));
}
template <class Record>
nb::bytes bytes_of(const Record& record) {
    return bytes_of(&record, 1);
}

template <class T>
std::string dtype_of() {
    return std::string(std::is_signed_v<T> ? "<i" : "<u") + std::to_string(sizeof(T));
}

inline nb::object int_of(i128 v) { return (nb::int_(i64(v >> 64)) << nb::int_(64)) | nb::int_(u64(v)); }

template <class Room>
nb::bytes save(const Room& room) {
    StateWriter w;
    room.save(w);
    return nb::bytes(reinterpret_cast<const char*>(w.bytes().data()), w.bytes().size());
}

template <class Room>
void load(Room& room, const nb::bytes& bytes) {
    StateReader r(Bytes(reinterpret_cast<const u8*>(bytes.c_str()), bytes.size()));
    room.load(r);
}

}  // namespace openbell::orders
