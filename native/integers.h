// Fixed-width integers, by their short names.
#pragma once

#include <cstdint>

namespace openbell {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;
__extension__ typedef __int128 i128;  // sums of price x quantity
__extension__ typedef unsigned __int128 u128;

}  // namespace openbell
