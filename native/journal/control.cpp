#include "journal/control.h"

#include <fcntl.h>
#include <unistd.h>

#include "journal/segment.h"
#include "journal/watermark.h"

namespace openbell {
namespace {

constexpr char kMagic[] = "openbctl";

bool is_page(const Mapping& m) {
    return m.size() == kControlBytes && std::memcmp(m.data(), kMagic, 8) == 0 &&
           reinterpret_cast<const ControlPage*>(m.data())->version == kFormatVersion;
}

void throw_locked(const std::string& path) {
    const Mapping page = Mapping::open_readable(path);
    std::string holder = "unknown";
    if (is_page(page)) {
        holder = std::to_string(
            reinterpret_cast<const ControlPage*>(page.data())->writer_pid.load(std::memory_order_relaxed));
    }
    throw Error(ErrorKind::JournalLocked, "journal has one writer: expected " + path +
                                              " to be free, found it locked by pid " + holder +
                                              "; stop that process first");
}

}  // namespace

JournalControl JournalControl::open_as_writer(const std::string& hot_dir) {
    const std::string path = hot_dir + "/" + kControlName;
    {
        Fd created(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
    }
    JournalControl control;
    control.lock_ = lock_exclusively(path);
    if (!control.lock_) throw_locked(path);
    if (::truncate(path.c_str(), kControlBytes) != 0) throw_errno("size", path);
    control.page_ = Mapping::open_writable(path, true);
    if (!is_page(control.page_)) {
        std::memset(control.page_.data(), 0, kControlBytes);
        control->version = kFormatVersion;
        std::memcpy(control->magic, kMagic, 8);
        control.was_created_ = true;
    }
    control->writer_pid.store(u32(::getpid()), std::memory_order_relaxed);
    return control;
}

JournalControl JournalControl::attach(const std::string& hot_dir, bool writable) {
    const std::string path = hot_dir + "/" + kControlName;
    JournalControl control;
    if (!file_exists(path)) return control;
    Mapping page = writable ? Mapping::open_writable(path, false) : Mapping::open_readable(path);
    if (is_page(page)) control.page_ = std::move(page);
    return control;
}

Watermark make_watermark(u64 seq, u64 segment, u64 offset) {
    Watermark w{seq, segment, offset, 0, 0};
    w.crc32c = crc32c({reinterpret_cast<const u8*>(&w), offsetof(Watermark, crc32c)});
    return w;
}

Watermark read_watermark(Bytes bytes) {
    Watermark found;
    for (const u64 at : {u64(0), kLatestWatermarkAt}) {
        Watermark w;
        if (bytes.size() < at + sizeof w) break;
        std::memcpy(&w, bytes.data() + at, sizeof w);
        if (is_written(w) && (!is_written(found) || w.seq > found.seq)) found = w;
    }
    return found;
}

}  // namespace openbell
