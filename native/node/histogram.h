// Latency histograms in shared memory: log-linear buckets, written by one thread, read by any process.
//
// 16 buckets an octave: a recorded value is known to within 6.25 %. The percentile of a bucket is its
// upper edge, so a figure never flatters.
#pragma once

#include <atomic>
#include <bit>

#include "records.h"

namespace openbell {

struct Histogram {
    static constexpr u32 kSubBits = 4;
    static constexpr u32 kBuckets = 64 << kSubBits;
    u64 buckets[kBuckets];

    static u32 bucket_of(u64 value) {
        if (value < (1u << kSubBits)) return u32(value);
        const u32 octave = u32(std::bit_width(value)) - 1;
        return ((octave - kSubBits + 1) << kSubBits) + u32(value >> (octave - kSubBits) & ((1u << kSubBits) - 1));
    }
    static u64 upper_edge(u32 bucket) {
        const u32 octave = bucket >> kSubBits;
        if (octave == 0) return bucket;
        const u64 step = u64(1) << (octave - 1);
        return ((u64(1) << kSubBits) + (bucket & ((1u << kSubBits) - 1))) * step + step - 1;
    }

    void record(i64 value_ns) {
        u64& bucket = buckets[bucket_of(u64(value_ns < 0 ? 0 : value_ns))];
        // Relaxed: readers want a recent count, and nothing is published through it.
        std::atomic_ref(bucket).store(bucket + 1, std::memory_order_relaxed);
    }
    u64 count() const {
        u64 n = 0;
        for (u64 b : buckets) n += b;
        return n;
    }
    // The value below which `q` of all recorded values lie, in ns; 0 when empty.
    u64 percentile(double q) const {
        const double rank = q * double(count());
        u64 seen = 0;
        for (u32 b = 0; b < kBuckets; ++b) {
            seen += buckets[b];
            if (seen > 0 && double(seen) >= rank) return upper_edge(b);
        }
        return 0;
    }
};

// The stations of a tick on its way to an order: each histogram counts the time from `received`.
enum class Hop : u32 { Sequenced, Decided, Journalled, Durable, Sent };
inline constexpr u32 kHops = 5;

struct Latency {
    Histogram hops[kHops];
    void record(Hop hop, i64 ns) { hops[u32(hop)].record(ns); }
};

}  // namespace openbell
