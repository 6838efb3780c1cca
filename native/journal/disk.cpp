#include "journal/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace openbell {
namespace {

void write_all(int fd, Bytes bytes, off_t offset, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), offset);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) throw_errno("write", path);
        bytes = bytes.subspan(std::size_t(n));
        offset += n;
    }
}

off_t size_of(int fd, const std::string& path) {
    struct stat st{};
    if (::fstat(fd, &st) != 0) throw_errno("stat", path);
    return st.st_size;
}

}  // namespace

RealDisk::RealDisk(std::string dir) : dir_(std::move(dir)) { make_directories(dir_); }

int RealDisk::opened(const std::string& name) {
    if (open_[0].name != name) std::swap(open_[0], open_[1]);
    if (open_[0].name != name) {
        Fd fd(::open(path(name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
        if (!fd) throw_errno("open", path(name));
        open_[0] = {name, std::move(fd)};
    }
    return open_[0].fd.get();
}

std::vector<u8> RealDisk::read(const std::string& name) {
    const Mapping m = Mapping::open_readable(path(name));
    return {m.data(), m.data() + m.size()};
}

void RealDisk::append(const std::string& name, Bytes bytes) {
    const int fd = opened(name);
    write_all(fd, bytes, size_of(fd, path(name)), path(name));
}

void RealDisk::write_at(const std::string& name, u64 offset, Bytes bytes) {
    write_all(opened(name), bytes, off_t(offset), path(name));
}

void RealDisk::truncate(const std::string& name, u64 bytes) {
    if (::ftruncate(opened(name), off_t(bytes)) != 0) throw_errno("truncate", path(name));
}

void RealDisk::sync(const std::string& name) {
    if (::fdatasync(opened(name)) != 0) throw_errno("sync", path(name));
}

void RealDisk::rename(const std::string& from, const std::string& to) {
    for (Open& open : open_)
        if (open.name == from || open.name == to) open = {};
    if (::rename(path(from).c_str(), path(to).c_str()) != 0) throw_errno("rename", path(from));
}

void RealDisk::sync_names() {
    Fd fd(::open(dir_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) throw_errno("sync", dir_);
}

void RealDisk::lock() {
    lock_ = lock_exclusively(dir_);
    if (lock_) return;
    throw Error(ErrorKind::JournalLocked, "journal directory has one archiver: expected " + dir_ +
                                              " to be free, found it locked; stop the other archiver first");
}

void sync_path_to(const std::string& dir) {
    std::filesystem::path folder = std::filesystem::absolute(dir).lexically_normal();
    while (folder.has_relative_path()) {
        folder = folder.parent_path();
        const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!fd && errno == EACCES) return;
        const bool is_synced = fd && (::fsync(fd.get()) == 0 || errno == EINVAL);  // of no disk
        if (!is_synced) throw_errno("sync", folder);
    }
}

void replace_durably(Disk& disk, const std::string& name, Bytes bytes) {
    const std::string fresh = name + ".new";
    disk.truncate(fresh, 0);
    disk.append(fresh, bytes);
    disk.sync(fresh);
    disk.rename(fresh, name);
    disk.sync_names();
}

}  // namespace openbell
