// What Python sees of `journal`.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <bitset>
#include <memory>

#include "journal/archiver.h"
#include "journal/folder_lock.h"
#include "journal/reader.h"
#include "journal/sim_disk.h"
#include "journal/writer.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
void bind_journal_shared(nb::module_& m);  // journal_shared.cpp
void bind_journal_bench(nb::module_& m);   // journal_bench.cpp

namespace {

using ReadOnlyBytes = nb::ndarray<nb::numpy, const u8, nb::ndim<2>, nb::c_contig>;
using Records = nb::ndarray<const u8, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

Bytes view_of(const nb::bytes& b) { return {static_cast<const u8*>(b.data()), b.size()}; }

// A capsule that keeps the segment mapped for as long as an array looks into it.
nb::capsule owner_of(std::shared_ptr<const Mapping> mapping) {
    return nb::capsule(new std::shared_ptr<const Mapping>(std::move(mapping)),
                       [](void* p) noexcept { delete static_cast<std::shared_ptr<const Mapping>*>(p); });
}

// (class, seq, epoch, source, source_seq, cause_seq, ts_recv, ts_seq, flags, records as bytes [count, size]).
std::optional<nb::tuple> next_frame(JournalReader& reader) {
    const FrameView view = reader.next();
    if (!view) return std::nullopt;
    const FrameHeader& h = *view.header;
    ReadOnlyBytes raw(view.record(0), {h.count, h.record_size}, owner_of(reader.mapping()));
    return nb::make_tuple(h.frame_class, h.seq, h.epoch, h.source, h.source_seq, h.cause_seq, h.ts_recv, h.ts_seq,
                          h.flags, raw);
}

// Up to `limit` records (and the rest of the frame that reaches it) whose type is in `types`, copied into one
// array: (records as bytes [n, size], their frames' seq, ts_recv).
nb::tuple gather(JournalReader& reader, std::size_t record_size, const std::vector<u8>& types, std::size_t limit) {
    std::bitset<256> wanted;
    for (u8 type : types) wanted.set(type);
    auto* bytes = new std::vector<u8>();
    auto* seqs = new std::vector<u64>();
    auto* times = new std::vector<i64>();
    nb::capsule keep_bytes(bytes, [](void* p) noexcept { delete static_cast<std::vector<u8>*>(p); });
    nb::capsule keep_seqs(seqs, [](void* p) noexcept { delete static_cast<std::vector<u64>*>(p); });
    nb::capsule keep_times(times, [](void* p) noexcept { delete static_cast<std::vector<i64>*>(p); });
    {
        nb::gil_scoped_release release;
        while (seqs->size() < limit) {
            const FrameView view = reader.next();
            if (!view) break;
            if (view.header->record_size != record_size) continue;
            for (std::size_t i = 0; i < view.count(); ++i) {
                const u8* record = view.record(i);
                if (!wanted[record[0]]) continue;
                bytes->insert(bytes->end(), record, record + record_size);
                seqs->push_back(view.header->seq);
                times->push_back(view.header->ts_recv);
            }
        }
    }
    const std::size_t n = seqs->size();
    return nb::make_tuple(nb::ndarray<nb::numpy, u8, nb::ndim<2>>(bytes->data(), {n, record_size}, keep_bytes),
                          nb::ndarray<nb::numpy, u64, nb::ndim<1>>(seqs->data(), {n}, keep_seqs),
                          nb::ndarray<nb::numpy, i64, nb::ndim<1>>(times->data(), {n}, keep_times));
}

// Counts without Python in between: frames, records, records by type, first and last seq, ts_recv and epochs.
nb::dict summary(JournalReader& reader) {
    u64 frames = 0, records = 0, first_seq = 0, last_seq = 0, bytes = 0;
    i64 first_ts = 0, last_ts = 0;
    std::array<u64, 256> by_type{};
    std::vector<std::pair<u32, u64>> epochs;  // epoch, its first seq
    {
        nb::gil_scoped_release release;
        while (const FrameView view = reader.next()) {
            const FrameHeader& h = *view.header;
            if (frames++ == 0) {
                first_seq = h.seq;
                first_ts = h.ts_recv;
            }
            last_seq = h.seq;
            last_ts = h.ts_recv;
            records += h.count;
            bytes += h.length;
            for (std::size_t i = 0; i < view.count(); ++i) ++by_type[*view.record(i)];
            if (epochs.empty() || epochs.back().first != h.epoch) epochs.emplace_back(h.epoch, h.seq);
        }
    }
    nb::dict out, types;
    nb::list changes;
    for (std::size_t i = 0; i < by_type.size(); ++i) {
        if (by_type[i]) types[nb::int_(i)] = by_type[i];
    }
    for (const auto& [epoch, seq] : epochs) changes.append(nb::make_tuple(epoch, seq));
    out["frames"] = frames;
    out["records"] = records;
    out["bytes"] = bytes;
    out["first_seq"] = first_seq;
    out["last_seq"] = last_seq;
    out["first_ts_recv"] = first_ts;
    out["last_ts_recv"] = last_ts;
    out["types"] = types;
    out["epochs"] = changes;
    return out;
}

// One frame; seq, or None when hot space is full or the writer is closed.
std::optional<u64> append(JournalWriter& writer, u8 frame_class, u16 source, std::size_t record_size,
                          const Records& records, u64 cause_seq, u64 source_seq, i64 ts_recv, i64 ts_seq, u8 flags) {
    const std::size_t size = records.size();
    if ((record_size != kSmallRecord && record_size != kLargeRecord) || size == 0 || size % record_size) {
        throw Error(ErrorKind::Journal, "expected one or more whole records of 48 or 128 bytes, found " +
                                            std::to_string(size) + " bytes for size " + std::to_string(record_size));
    }
    if (sizeof(FrameHeader) + size > kFrameBytesMax) {
        throw Error(ErrorKind::Journal, "expected a frame of at most 262144 bytes, found " + std::to_string(size) +
                                            " of records; split it");
    }
    FrameHeader* header = writer.begin(FrameClass(frame_class), source, record_size);
    if (!header) return std::nullopt;
    header->cause_seq = cause_seq;
    header->source_seq = source_seq;
    header->ts_recv = ts_recv;
    header->ts_seq = ts_seq;
    header->flags = flags;
    std::memcpy(header + 1, records.data(), size);
    return writer.commit(header, u32(size / record_size));
}

void bind_writer(nb::module_& m) {
    nb::class_<JournalWriter>(m, "JournalWriter")
        .def(
            "__init__",
            [](JournalWriter* self, std::string journal_dir, std::string hot_dir, u64 segment_bytes,
               u32 frame_bytes_max, u32 hot_segments_max, u16 node, u32 epoch) {
                new (self) JournalWriter(JournalOptions{std::move(journal_dir), std::move(hot_dir), segment_bytes,
                                                        frame_bytes_max, hot_segments_max, node, epoch});
            },
            "journal_dir"_a, "hot_dir"_a = "", "segment_bytes"_a = kSegmentBytesDefault,
            "frame_bytes_max"_a = u32(kFrameBytesMax), "hot_segments_max"_a = 16, "node"_a = 0, "epoch"_a = 1,
            "Open or recover a journal; without hot_dir: a tape in journal_dir.")
        .def("append", &append, "frame_class"_a, "source"_a, "record_size"_a, "records"_a, "cause_seq"_a = 0,
             "source_seq"_a = 0, "ts_recv"_a = 0, "ts_seq"_a = 0, "flags"_a = 0,
             "Append one frame; its seq, or None when hot space is full or the writer is closed.")
        .def("close", &JournalWriter::close)
        .def_prop_ro("last_seq", &JournalWriter::last_seq)
        .def_prop_ro("durable_seq", &JournalWriter::durable_seq)
        .def_prop_ro("epoch", &JournalWriter::epoch)
        .def_prop_ro("segment", &JournalWriter::segment)
        .def_prop_ro("is_archiver_failed", &JournalWriter::has_failed)
        .def_prop_ro("is_locked_in_memory", &JournalWriter::is_locked_in_memory)
        .def_prop_ro(
            "torn_bytes", [](const JournalWriter& w) { return w.recovery().torn_bytes; },
            "Bytes dropped after the last whole frame when the journal was opened.");
}

void bind_reader(nb::module_& m) {
    nb::class_<JournalReader>(m, "JournalReader")
        .def(nb::init<std::string, std::string, bool>(), "journal_dir"_a, "hot_dir"_a = "", "check_crc"_a = false)
        .def("next", &next_frame, "The next frame as a tuple, or None when no more is committed now.")
        .def("gather", &gather, "record_size"_a, "types"_a, "limit"_a)
        .def("summary", &summary, "Read to the end and count.")
        .def("seek", &JournalReader::seek, "seq"_a)
        .def("expect_end", &JournalReader::expect_end, "After the last frame: raise if what follows is damage.")
        .def_prop_ro("segment", &JournalReader::segment)
        .def_prop_ro("path", &JournalReader::path)
        .def_prop_ro("bytes_after", &JournalReader::bytes_after, "Bytes after the last whole frame that are not zero.")
        .def_prop_ro("offset", &JournalReader::offset)
        .def_prop_ro("next_seq", &JournalReader::next_seq)
        .def_prop_ro("is_hot", &JournalReader::is_hot)
        .def_prop_ro("durable_seq", &JournalReader::durable_seq);
}

// A share of the folder's lock, until it is released.
struct FolderLock {
    Fd fd;
};

void bind_folder_lock(nb::module_& m) {
    nb::class_<FolderLock>(m, "FolderLock", "Held while this process may write into a journal's folder.")
        .def(
            "__init__",
            [](FolderLock* self, const std::string& journal_dir, const std::string& hot_dir) {
                new (self) FolderLock{lock_folder(journal_dir, hot_dir)};
            },
            "journal_dir"_a, "hot_dir"_a,
            "Raises JournalLockedError while processes of another hot folder write there.")
        .def("release", [](FolderLock& lock) { lock.fd.reset(); })
        .def(
            "__enter__", [](FolderLock& lock) -> FolderLock& { return lock; }, nb::rv_policy::reference)
        .def(
            "__exit__", [](FolderLock& lock, const nb::args&) { lock.fd.reset(); },
            nb::sig("def __exit__(self, *args: object) -> None"));
}

// The archiver and the disk that it owns or borrows.
struct ArchiverWithDisk {
    Fd lock;
    std::unique_ptr<RealDisk> own;
    Archiver archiver;
};

void bind_archiver(nb::module_& m) {
    nb::class_<SimDisk>(m, "SimDisk", "Storage in memory that can lose what was not synced.")
        .def(nb::init<>())
        .def(nb::init<const std::string&>(), "dir"_a,
             "Begins with the archive in `dir`, all of it synced, and shows it to others there.")
        .def("names", &SimDisk::names)
        .def(
            "read",
            [](SimDisk& d, const std::string& name) {
                const std::vector<u8> bytes = d.read(name);
                return nb::bytes(bytes.data(), bytes.size());
            },
            "name"_a)
        .def("crash", &SimDisk::crash, "seed"_a)
        .def("fail_sync", &SimDisk::fail_sync, "n"_a)
        .def("fail_call", &SimDisk::fail_call, "n"_a)
        .def("set_room", &SimDisk::set_room, "bytes"_a)
        .def("die_at_call", &SimDisk::die_at_call, "n"_a)
        .def_prop_ro("bytes", &SimDisk::bytes)
        .def_prop_ro("failures", &SimDisk::failures);
    nb::class_<ArchiverWithDisk>(m, "Archiver")
        .def(
            "__init__",
            [](ArchiverWithDisk* self, const std::string& hot_dir, const std::string& journal_dir) {
                Fd lock = lock_folder(journal_dir, hot_dir);
                auto disk = std::make_unique<RealDisk>(journal_dir);
                disk->lock();
                RealDisk& port = *disk;
                new (self) ArchiverWithDisk{std::move(lock), std::move(disk), Archiver(hot_dir, port)};
            },
            "hot_dir"_a, "journal_dir"_a,
            "Raises JournalLockedError when another archiver, or a node with another hot folder, serves the directory.")
        .def(
            "__init__",
            [](ArchiverWithDisk* self, const std::string& hot_dir, SimDisk& disk) {
                new (self) ArchiverWithDisk{Fd(), nullptr, Archiver(hot_dir, disk)};
            },
            "hot_dir"_a, "disk"_a, nb::keep_alive<1, 3>())
        .def(
            "run_once", [](ArchiverWithDisk& a) { return a.archiver.run_once(); },
            nb::call_guard<nb::gil_scoped_release>(), "Copy, sync, publish; the bytes made durable.")
        .def(
            "run", [](ArchiverWithDisk& a, u64 passes, i64 wait_ns) { a.archiver.run(passes, wait_ns); }, "passes"_a,
            "wait_ns"_a, nb::call_guard<nb::gil_scoped_release>())
        .def(
            "take_finished", [](ArchiverWithDisk& a) { return a.archiver.take_finished(); },
            "Numbers of the segments completed since the last call.")
        .def_prop_ro("is_done", [](const ArchiverWithDisk& a) { return a.archiver.is_done(); })
        .def_prop_ro("durable_seq", [](const ArchiverWithDisk& a) { return a.archiver.durable_seq(); });
}

}  // namespace

void bind_journal(nb::module_& m) {
    m.def("crc32c", [](const nb::bytes& b) { return crc32c(view_of(b)); });
    m.def("crc32c_table", [](const nb::bytes& b) { return crc32c_table(view_of(b)); });
    m.def("crc32c_is_hardware", &crc32c_is_hardware);
    bind_writer(m);
    bind_reader(m);
    bind_folder_lock(m);
    bind_archiver(m);
    bind_journal_shared(m);
    bind_journal_bench(m);
}

}  // namespace openbell
