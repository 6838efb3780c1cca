#include "journal/watermark.h"

#include "journal/packed.h"

namespace openbell {
namespace {

Bytes bytes_of(const Watermark& watermark) { return {reinterpret_cast<const u8*>(&watermark), sizeof watermark}; }

}  // namespace

bool is_written(const Watermark& w) { return w.crc32c == make_watermark(w.seq, w.segment, w.offset).crc32c; }

void write_synced(Disk& disk, const Watermark& watermark) {
    std::vector<u8> file(kLatestWatermarkAt + sizeof watermark);
    for (const u64 at : {u64(0), kLatestWatermarkAt}) std::memcpy(file.data() + at, &watermark, sizeof watermark);
    replace_durably(disk, kWatermarkName, file);
}

void write_latest(Disk& disk, const Watermark& watermark) {
    disk.write_at(kWatermarkName, kLatestWatermarkAt, bytes_of(watermark));
}

void expect_written(const std::string& journal_dir, const Watermark& watermark) {
    if (is_written(watermark)) return;
    std::string found = readable_segments_in(journal_dir).empty() ? "" : "segments";
    for (const char* name : {kEpochName, "snapshots", "runs"}) {
        if (found.empty() && file_exists(journal_dir + "/" + name)) found = name;
    }
    if (found.empty()) return;
    throw Error(
        ErrorKind::JournalDamaged,
        "journal is damaged: expected in " + journal_dir + "/" + kWatermarkName + " how far it is durable, found " +
            found +
            " and no such file that is whole; nothing was cut: restore it from a copy, or see what is whole and "
            "say where the journal ends: openbell journal cut " +
            journal_dir);
}

}  // namespace openbell
