// Mutation of inputs by luck under a seed, for compilers that bring no fuzzer of their own.
//
// What the driver asks for is in driver.cpp: it keeps an input that reached code which no other had reached
// (GCC's -fsanitize-coverage=trace-pc), and mutates the kept ones.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "rng.h"

namespace openbell::fuzz {

using Input = std::vector<u8>;

inline constexpr std::size_t kInputBytesMax = 1024;
inline constexpr std::size_t kInputsMax = 4096;  // kept in memory; beyond, a new one takes the place of an old one
inline constexpr u64 kMutationsMax = 5;          // of one input at a time

class Mutator {
  public:
    explicit Mutator(u64 seed) : rng_(seed) {}

    u64 below(u64 n) { return rng_.below(n); }

    // `input`, changed in a few places; `other` lends pieces.
    void mutate(Input& input, const Input& other) {
        for (u64 n = 1 + rng_.below(kMutationsMax); n > 0; --n) mutate_once(input, other);
        if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
    }

  private:
    void mutate_once(Input& input, const Input& other) {
        switch (rng_.below(9)) {
            case 0: return flip(input);
            case 1: return set(input, u8(rng_.next()));
            case 2: return set(input, kEdges[rng_.below(kEdges.size())]);
            case 3: return add(input);
            case 4: return set_number(input);
            case 5: return erase(input);
            case 6: return insert_luck(input);
            case 7: return insert_piece(input, input);
            default: return insert_piece(input, other);
        }
    }

    std::size_t place(const Input& input) { return rng_.below(input.size() + 1); }
    // Mostly short, now and then anything.
    std::size_t length(std::size_t limit) {
        const u64 most = rng_.below(4) == 0 ? limit : std::min<std::size_t>(limit, 8);
        return rng_.below(most + 1);
    }

    void flip(Input& input) {
        if (!input.empty()) input[rng_.below(input.size())] ^= u8(1U << rng_.below(8));
    }
    void set(Input& input, u8 byte) {
        if (!input.empty()) input[rng_.below(input.size())] = byte;
    }
    void add(Input& input) {
        if (!input.empty()) input[rng_.below(input.size())] += u8(rng_.below(33) - 16);
    }
    // A big-endian number of 2, 4 or 8 bytes at an edge of its range.
    void set_number(Input& input) {
        const std::size_t bytes = std::size_t(2) << rng_.below(3);
        if (input.size() < bytes) return;
        const u64 value = (rng_.below(2) ? ~u64(0) >> rng_.below(64) : u64(1) << rng_.below(64)) + rng_.below(3) - 1;
        const std::size_t at = rng_.below(input.size() - bytes + 1);
        for (std::size_t i = 0; i < bytes; ++i) input[at + i] = u8(value >> (8 * (bytes - 1 - i)));
    }
    void erase(Input& input) {
        const std::size_t at = place(input);
        const auto from = input.begin() + long(at);
        input.erase(from, from + long(length(input.size() - at)));
    }
    void insert_luck(Input& input) {
        Input piece(length(16));
        for (u8& byte : piece) byte = u8(rng_.next());
        insert(input, piece);
    }
    // Between, or over what is there.
    void insert_piece(Input& input, const Input& from) {
        const std::size_t at = place(from);
        const Input piece(from.begin() + long(at), from.begin() + long(at + length(from.size() - at)));
        if (rng_.below(2)) return insert(input, piece);
        const std::size_t to = place(input);
        std::copy_n(piece.begin(), std::min(piece.size(), input.size() - to), input.begin() + long(to));
    }
    void insert(Input& input, const Input& piece) {
        input.insert(input.begin() + long(place(input)), piece.begin(), piece.end());
    }

    static constexpr std::array<u8, 8> kEdges{0x00, 0x01, 0x20, 0x30, 0x7F, 0x80, 0xFE, 0xFF};
    SplitMix64 rng_;
};

}  // namespace openbell::fuzz
