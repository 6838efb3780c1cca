// The bounds-checked cursors through which all foreign bytes are read and written.
//
// A read past the end returns zero and sets `failed`; the caller checks once, after the last field.
// So a truncated message costs one branch per field and can never read outside its bytes.
#pragma once

#include <bit>
#include <cstring>
#include <span>
#include <string_view>

#include "records.h"

namespace openbell {

static_assert(std::endian::native == std::endian::little, "openbell's formats are little-endian in memory");

using Bytes = std::span<const u8>;

class ByteReader {
  public:
    explicit ByteReader(Bytes bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    bool failed() const { return failed_; }
    std::size_t remaining() const { return std::size_t(end_ - at_); }

    u8 be8() { return has(1) ? *at_++ : u8(0); }
    u16 be16() { return __builtin_bswap16(raw<u16>()); }
    u32 be32() { return __builtin_bswap32(raw<u32>()); }
    u64 be64() { return __builtin_bswap64(raw<u64>()); }
    // Inlined by force: a cursor that is passed by reference lives in memory, and every check stays.
    [[gnu::always_inline]] u64 be48() {
        u64 high = be16();
        return high << 32 | be32();
    }
    template <class T>
    T le() {
        return raw<T>();
    }

    // `n` bytes as they are; empty on overrun.
    Bytes take(std::size_t n) {
        if (!has(n)) return {};
        Bytes out(at_, n);
        at_ += n;
        return out;
    }
    std::string_view text(std::size_t n) {
        Bytes b = take(n);
        return {reinterpret_cast<const char*>(b.data()), b.size()};
    }
    void skip(std::size_t n) { take(n); }

  private:
    bool has(std::size_t n) {
        if (remaining() >= n) return true;
        failed_ = true;
        at_ = end_;
        return false;
    }
    template <class T>
    T raw() {
        static_assert(std::is_trivially_copyable_v<T>);
        T value{};
        if (has(sizeof(T))) {
            std::memcpy(&value, at_, sizeof(T));
            at_ += sizeof(T);
        }
        return value;
    }

    const u8* at_;
    const u8* end_;
    bool failed_ = false;
};

// Bytes whose length was checked once for all fields of a layout: a table that is compared with that length at
// compile time says where they are (feed/itch_orders.h).
class CheckedBytes {
  public:
    explicit CheckedBytes(Bytes bytes) : at_(bytes.data()) {}

    u8 be8(std::size_t at) const { return at_[at]; }
    u16 be16(std::size_t at) const { return __builtin_bswap16(raw<u16>(at)); }
    u32 be32(std::size_t at) const { return __builtin_bswap32(raw<u32>(at)); }
    u64 be64(std::size_t at) const { return __builtin_bswap64(raw<u64>(at)); }

  private:
    template <class T>
    T raw(std::size_t at) const {
        T value;
        std::memcpy(&value, at_ + at, sizeof(T));
        return value;
    }

    const u8* at_;
};

// Writes into a fixed buffer; a write that does not fit sets `failed` and writes nothing.
class ByteWriter {
  public:
    explicit ByteWriter(std::span<u8> bytes) : begin_(bytes.data()), at_(bytes.data()), end_(begin_ + bytes.size()) {}

    bool failed() const { return failed_; }
    std::size_t size() const { return std::size_t(at_ - begin_); }
    Bytes written() const { return {begin_, size()}; }

    void be8(u8 v) { raw(v); }
    void be16(u16 v) { raw(__builtin_bswap16(v)); }
    void be32(u32 v) { raw(__builtin_bswap32(v)); }
    void be64(u64 v) { raw(__builtin_bswap64(v)); }
    void be48(u64 v) {
        be16(u16(v >> 32));
        be32(u32(v));
    }
    template <class T>
    void le(T v) {
        raw(v);
    }

    void put(Bytes b) {
        if (!has(b.size())) return;
        if (!b.empty()) std::memcpy(at_, b.data(), b.size());
        at_ += b.size();
    }
    // `s` left-justified in `n` bytes, padded on the right.
    void text(std::string_view s, std::size_t n, char pad = ' ') {
        if (!has(n)) return;
        std::size_t used = s.size() < n ? s.size() : n;
        if (used) std::memcpy(at_, s.data(), used);
        std::memset(at_ + used, pad, n - used);
        at_ += n;
    }

  private:
    bool has(std::size_t n) {
        if (std::size_t(end_ - at_) >= n) return true;
        failed_ = true;
        return false;
    }
    template <class T>
    void raw(T v) {
        static_assert(std::is_trivially_copyable_v<T>);
        if (!has(sizeof(T))) return;
        std::memcpy(at_, &v, sizeof(T));
        at_ += sizeof(T);
    }

    u8* begin_;
    u8* at_;
    u8* end_;
    bool failed_ = false;
};

}  // namespace openbell
