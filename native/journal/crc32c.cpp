#include "journal/crc32c.h"

#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace openbell {
namespace {

constexpr u32 kPolynomial = 0x82F6'3B78;  // Castagnoli, bit-reversed

// v times x modulo the polynomial, in the reflected representation (bit 31 is x^0).
constexpr u32 times_x(u32 v) { return v & 1 ? v >> 1 ^ kPolynomial : v >> 1; }

constexpr std::array<u32, 256> make_byte_table() {
    std::array<u32, 256> table{};
    for (u32 i = 0; i < 256; ++i) {
        u32 v = i;
        for (int bit = 0; bit < 8; ++bit) v = times_x(v);
        table[i] = v;
    }
    return table;
}
constexpr std::array<u32, 256> kByteTable = make_byte_table();

u32 by_table(const u8* p, std::size_t n) {
    u32 crc = 0xFFFF'FFFF;
    for (std::size_t i = 0; i < n; ++i) crc = crc >> 8 ^ kByteTable[(crc ^ p[i]) & 0xFF];
    return ~crc;
}

#if defined(__x86_64__)
// One CRC instruction has a latency of three cycles and a throughput of one, so three lanes run at once
// and are joined: crc(A|B) = shift(crc(A), |B|) ^ crc(B), where the shift by n bytes is one carry-less
// product with x^(8n-33) and one more CRC step. (V. Gopal et al., "Fast CRC Computation for iSCSI
// Polynomial Using CRC32 Instruction", Intel 2011.)
constexpr std::size_t kLaneWordsMax = 128;
constexpr std::size_t kLaneWordsMin = 4;

constexpr std::array<u32, 2 * kLaneWordsMax + 1> make_shifts() {
    std::array<u32, 2 * kLaneWordsMax + 1> shifts{};
    u32 power = 0x8000'0000;  // x^0
    for (int i = 0; i < 64 - 33; ++i) power = times_x(power);
    for (std::size_t words = 1; words < shifts.size(); ++words) {
        shifts[words] = power;
        for (int i = 0; i < 64; ++i) power = times_x(power);
    }
    return shifts;
}
constexpr std::array<u32, 2 * kLaneWordsMax + 1> kShifts = make_shifts();

__attribute__((target("sse4.2"))) inline u64 step(u64 crc, const u8* p) {
    u64 word;
    std::memcpy(&word, p, 8);
    return _mm_crc32_u64(crc, word);
}

__attribute__((target("sse4.2,pclmul"))) inline u64 shifted(u64 crc, std::size_t words) {
    const __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128(i64(crc)), _mm_cvtsi32_si128(int(kShifts[words])), 0);
    return _mm_crc32_u64(0, u64(_mm_cvtsi128_si64(product)));
}

__attribute__((target("sse4.2,pclmul"))) u32 by_hardware(const u8* p, std::size_t n) {
    u64 crc = 0xFFFF'FFFF;
    while (n >= 24 * kLaneWordsMin) {
        const std::size_t words = n / 24 < kLaneWordsMax ? n / 24 : kLaneWordsMax;
        const u8* b = p + 8 * words;
        const u8* c = b + 8 * words;
        u64 crc_b = 0, crc_c = 0;
        for (std::size_t i = 0; i < 8 * words; i += 8) {
            crc = step(crc, p + i);
            crc_b = step(crc_b, b + i);
            crc_c = step(crc_c, c + i);
        }
        crc = shifted(crc, 2 * words) ^ shifted(crc_b, words) ^ crc_c;
        p += 24 * words;
        n -= 24 * words;
    }
    for (; n >= 8; n -= 8, p += 8) crc = step(crc, p);
    u32 tail = u32(crc);
    for (; n > 0; --n, ++p) tail = _mm_crc32_u8(tail, *p);
    return ~tail;
}

bool has_hardware() { return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"); }
#else
u32 by_hardware(const u8* p, std::size_t n) { return by_table(p, n); }
bool has_hardware() { return false; }
#endif

using Crc = u32 (*)(const u8*, std::size_t);
const Crc kBest = has_hardware() ? by_hardware : by_table;

}  // namespace

u32 crc32c(Bytes bytes) { return kBest(bytes.data(), bytes.size()); }
u32 crc32c_table(Bytes bytes) { return by_table(bytes.data(), bytes.size()); }
bool crc32c_is_hardware() { return kBest == by_hardware; }

}  // namespace openbell
