// Our order id as the 14 characters of an OUCH token, and back.
//
//  0           11      14
//  | cl_ord_id | version |   base 62, fixed width: digits, then upper, then lower case letters
#pragma once

#include <optional>

#include "wire/ouch42.h"

namespace openbell::ouch42 {

inline constexpr std::string_view kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
inline constexpr std::size_t kIdDigits = 11;
inline constexpr std::size_t kVersionDigits = 3;
inline constexpr u32 kVersionLimit = 62 * 62 * 62;  // versions are smaller than this

struct OrderKey {
    u64 cl_ord_id = 0;
    u32 version = 0;
    bool operator==(const OrderKey&) const = default;
};

namespace detail {

constexpr int kNotADigit = -1;

constexpr int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
    if (c >= 'a' && c <= 'z') return c - 'a' + 36;
    return kNotADigit;
}

constexpr void put_base62(u64 value, char* at, std::size_t digits) {
    for (std::size_t i = digits; i-- > 0; value /= 62) at[i] = kBase62[value % 62];
}

constexpr std::optional<u64> get_base62(std::string_view text) {
    u64 value = 0;
    for (char c : text) {
        const int digit = digit_of(c);
        if (digit == kNotADigit) return std::nullopt;
        if (__builtin_mul_overflow(value, u64(62), &value)) return std::nullopt;
        if (__builtin_add_overflow(value, u64(digit), &value)) return std::nullopt;
    }
    return value;
}

}  // namespace detail

// Nothing when the version does not fit three digits: the chain has been replaced too often.
constexpr std::optional<Token> encode_token(OrderKey key) {
    if (key.version >= kVersionLimit) return std::nullopt;
    Token token;
    detail::put_base62(key.cl_ord_id, token.chars.data(), kIdDigits);
    detail::put_base62(key.version, token.chars.data() + kIdDigits, kVersionDigits);
    return token;
}

// Nothing for any token that `encode_token` cannot have made: such an order is not ours.
constexpr std::optional<OrderKey> decode_token(const Token& token) {
    const auto id = detail::get_base62(token.raw().substr(0, kIdDigits));
    const auto version = detail::get_base62(token.raw().substr(kIdDigits));
    if (!id || !version) return std::nullopt;
    return OrderKey{*id, u32(*version)};
}

}  // namespace openbell::ouch42
