// Loops that measure the journal's mechanism without Python in between; bench/journal.py calls them.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <unistd.h>

#include <chrono>

#include "journal/ring.h"
#include "journal/writer.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
namespace {

i64 now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

// What a feed does for one message: begin, header, one Market record, commit. False when hot space is full.
inline bool append_one(JournalWriter& writer, u64 n) {
    FrameHeader* header = writer.begin(FrameClass::In, source::kFeed, kSmallRecord);
    if (!header) return false;
    header->source_seq = n;
    header->ts_recv = i64(n);
    header->ts_seq = i64(n);
    auto& record = *reinterpret_cast<Market*>(header + 1);
    record = Market{u8(Type::BookAdd), kBuy, 0, 1, i64(n), n, 1'000'000, 100, 0};
    writer.commit(header, 1);
    return true;
}

void append_waiting(JournalWriter& writer, u64 n) {
    while (!append_one(writer, n)) {
        if (writer.has_failed()) throw Error(ErrorKind::Journal, "archiver failed while measuring");
    }
}

// ns per append over `n` appends in a row.
double bench_append(JournalWriter& writer, u64 n) {
    const i64 start = now_ns();
    for (u64 i = 0; i < n; ++i) append_waiting(writer, i);
    return double(now_ns() - start) / double(n);
}

// ns of each of `n` appends, one every `interval_ns`; each includes one read of the clock.
std::vector<i64> bench_append_paced(JournalWriter& writer, u64 n, i64 interval_ns) {
    std::vector<i64> took(n);
    i64 due = now_ns();
    for (u64 i = 0; i < n; ++i) {
        due += interval_ns;
        i64 start = now_ns();
        while (start < due) start = now_ns();
        append_waiting(writer, i);
        took[i] = now_ns() - start;
    }
    return took;
}

// ns of each of `n` frames from its append until `durable_seq` covers it.
std::vector<i64> bench_durable(JournalWriter& writer, u64 n) {
    std::vector<i64> took(n);
    for (u64 i = 0; i < n; ++i) {
        const i64 start = now_ns();
        append_waiting(writer, i);
        while (writer.durable_seq() < writer.last_seq()) {
            if (writer.has_failed()) throw Error(ErrorKind::Journal, "archiver failed while measuring");
        }
        took[i] = now_ns() - start;
    }
    return took;
}

// The floor: ns of each of `n` appends of `bytes` to a file with their fdatasync.
std::vector<i64> bench_fdatasync(int fd, u64 n, u64 bytes) {
    const std::vector<u8> record(bytes);
    std::vector<i64> took(n);
    for (i64& t : took) {
        const i64 start = now_ns();
        if (::write(fd, record.data(), bytes) != ssize_t(bytes) || ::fdatasync(fd) != 0) throw_errno("write", "file");
        t = now_ns() - start;
    }
    return took;
}

// Mean ns of a round trip of one record over two rings.
double bench_ring_ping(Ring& requests, Ring& answers, u64 n) {
    u8 record[kRingSlotBytes] = {};
    const i64 start = now_ns();
    for (u64 i = 0; i < n; ++i) {
        requests.push(record, 64);
        while (!answers.front()) {
        }
        answers.pop();
    }
    return double(now_ns() - start) / double(n);
}

void bench_ring_echo(Ring& requests, Ring& answers, u64 n) {
    u8 record[kRingSlotBytes];
    for (u64 i = 0; i < n; ++i) {
        const u8* at = requests.front();
        while (!at) at = requests.front();
        std::memcpy(record, at, 64);
        requests.pop();
        answers.push(record, 64);
    }
}

// ns per record, producer's view.
double bench_ring_push(Ring& ring, u64 n, u64 first) {
    u8 record[kRingSlotBytes] = {};
    const i64 start = now_ns();
    for (u64 i = first; i < first + n; ++i) {
        std::memcpy(record, &i, 8);
        while (!ring.push(record, 64)) {
        }
    }
    return double(now_ns() - start) / double(n);
}

void bench_ring_drain(Ring& ring, u64 n) {
    for (u64 i = 0; i < n; ++i) {
        const u8* at = ring.front();
        while (!at) at = ring.front();
        u64 seen;
        std::memcpy(&seen, at, 8);
        if (seen != i)
            throw Error(ErrorKind::Invariant,
                        "ring: expected record " + std::to_string(i) + ", found " + std::to_string(seen));
        ring.pop();
    }
}

// The floor: one word there and one back, each on a line of its own, in a file of one page.
struct Lines {
    alignas(64) std::atomic<u64> there;  // release by ping, acquire by echo
    alignas(64) std::atomic<u64> back;   // release by echo, acquire by ping
};

double bench_line_ping(const std::string& path, u64 n, u64 first) {
    const Mapping m = Mapping::open_writable(path, true);
    auto& lines = *reinterpret_cast<Lines*>(m.data());
    const i64 start = now_ns();
    for (u64 i = first; i < first + n; ++i) {
        lines.there.store(i, std::memory_order_release);
        while (lines.back.load(std::memory_order_acquire) != i) {
        }
    }
    return double(now_ns() - start) / double(n);
}

void bench_line_echo(const std::string& path, u64 n) {
    const Mapping m = Mapping::open_writable(path, true);
    auto& lines = *reinterpret_cast<Lines*>(m.data());
    for (u64 i = 1; i <= n; ++i) {
        while (lines.there.load(std::memory_order_acquire) != i) {
        }
        lines.back.store(i, std::memory_order_release);
    }
}

}  // namespace

void bind_journal_bench(nb::module_& m) {
    const auto free = nb::call_guard<nb::gil_scoped_release>();
    m.def("bench_append", &bench_append, "writer"_a, "n"_a, free);
    m.def("bench_append_paced", &bench_append_paced, "writer"_a, "n"_a, "interval_ns"_a, free);
    m.def("bench_durable", &bench_durable, "writer"_a, "n"_a, free);
    m.def("bench_fdatasync", &bench_fdatasync, "fd"_a, "n"_a, "bytes"_a, free);
    m.def("bench_ring_ping", &bench_ring_ping, "requests"_a, "answers"_a, "n"_a, free);
    m.def("bench_ring_echo", &bench_ring_echo, "requests"_a, "answers"_a, "n"_a, free);
    m.def("bench_ring_push", &bench_ring_push, "ring"_a, "n"_a, "first"_a = 0, free);
    m.def("bench_ring_drain", &bench_ring_drain, "ring"_a, "n"_a, free);
    m.def("bench_line_ping", &bench_line_ping, "path"_a, "n"_a, "first"_a = 1, free);
    m.def("bench_line_echo", &bench_line_echo, "path"_a, "n"_a, free);
}

}  // namespace openbell
