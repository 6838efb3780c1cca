// How a room writes its state for snapshots and hashes: plain values in a canonical order.
//
// Canonical means: a function of what the room holds, never of how it came to hold it (sort hash tables
// by key, walk levels by price and orders by priority), so that restored and grown state hash alike.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "bytes.h"
#include "error.h"

namespace openbell {

// 64-bit hash of bytes: multiply-and-fold over 8-byte words (after wyhash). Not for adversaries.
inline u64 hash_bytes(Bytes bytes, u64 seed) {
    constexpr u64 kMix = 0x9E37'79B9'7F4A'7C15;
    auto fold = [](u64 a, u64 b) {
        const u128 product = static_cast<u128>(a) * b;
        return u64(product) ^ u64(product >> 64);
    };
    u64 hash = seed ^ kMix;
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
        u64 word;
        std::memcpy(&word, bytes.data() + i, 8);
        hash = fold(hash ^ word, kMix | 1);
    }
    u64 tail = 0;
    if (i < bytes.size()) std::memcpy(&tail, bytes.data() + i, bytes.size() - i);
    return fold(hash ^ tail, (bytes.size() * 2 + 1) ^ kMix);
}

class StateWriter {
  public:
    template <class T>
    void put(const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        const u8* p = reinterpret_cast<const u8*>(&value);
        bytes_.insert(bytes_.end(), p, p + sizeof(T));
    }
    void put_bytes(Bytes b) { bytes_.insert(bytes_.end(), b.begin(), b.end()); }
    const std::vector<u8>& bytes() const { return bytes_; }

  private:
    std::vector<u8> bytes_;
};

class StateReader {
  public:
    explicit StateReader(Bytes bytes) : reader_(bytes) {}
    template <class T>
    T get() {
        T value = reader_.le<T>();
        if (reader_.failed())
            throw Error(ErrorKind::Snapshot, "snapshot ends early: expected more state, found its end");
        return value;
    }
    Bytes get_bytes(std::size_t n) {
        Bytes b = reader_.take(n);
        if (reader_.failed())
            throw Error(ErrorKind::Snapshot, "snapshot ends early: expected more state, found its end");
        return b;
    }
    bool done() const { return reader_.remaining() == 0; }

  private:
    ByteReader reader_;
};

}  // namespace openbell
