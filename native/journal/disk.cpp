#include "journal/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

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
    if (!open_ || open_name_ != name) {
        Fd fd(::open(path(name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
        if (!fd) throw_errno("open", path(name));
        open_ = std::move(fd);
        open_name_ = name;
    }
    return open_.get();
}

std::vector<u8> RealDisk::read(const std::string& name) {
    const Mapping m = Mapping::open_readable(path(name));
    return {m.data(), m.data() + m.size()};
}

void RealDisk::append(const std::string& name, Bytes bytes) {
    const int fd = opened(name);
    write_all(fd, bytes, size_of(fd, path(name)), path(name));
}

void RealDisk::overwrite(const std::string& name, Bytes bytes) {
    Fd fd(::open(path(name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640));
    if (!fd) throw_errno("open", path(name));
    write_all(fd.get(), bytes, 0, path(name));
}

void RealDisk::truncate(const std::string& name, u64 bytes) {
    if (::ftruncate(opened(name), off_t(bytes)) != 0) throw_errno("truncate", path(name));
}

void RealDisk::sync(const std::string& name) {
    if (::fdatasync(opened(name)) != 0) throw_errno("sync", path(name));
}

void RealDisk::rename(const std::string& from, const std::string& to) {
    if (open_name_ == from || open_name_ == to) open_ = Fd();
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

std::vector<u8> SimDisk::read(const std::string& name) {
    const auto it = files_.find(name);
    return it == files_.end() ? std::vector<u8>{} : it->second.now;
}

void SimDisk::append(const std::string& name, Bytes bytes) {
    auto& now = files_[name].now;
    now.insert(now.end(), bytes.begin(), bytes.end());
}

void SimDisk::overwrite(const std::string& name, Bytes bytes) {
    auto& now = files_[name].now;
    if (now.size() < bytes.size()) now.resize(bytes.size());
    std::copy(bytes.begin(), bytes.end(), now.begin());
}

void SimDisk::truncate(const std::string& name, u64 bytes) { files_[name].now.resize(bytes); }

void SimDisk::sync(const std::string& name) {
    if (fail_sync_ != 0 && --fail_sync_ == 0) {
        throw Error(ErrorKind::Journal, "cannot sync " + name + ": simulated input/output error");
    }
    files_[name].synced = files_[name].now;
}

void SimDisk::rename(const std::string& from, const std::string& to) {
    File file = std::move(files_[from]);
    files_.erase(from);
    const bool replaces_named = files_.contains(to) && files_[to].is_named;
    file.is_named = file.is_named || replaces_named;
    files_[to] = std::move(file);
}

void SimDisk::sync_names() {
    for (auto& [name, file] : files_) file.is_named = true;
}

void SimDisk::crash(u64 seed) {
    constexpr std::size_t kSector = 512;
    auto draw = [&seed](u64 below) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        return (seed >> 33) % below;
    };
    for (auto it = files_.begin(); it != files_.end();) {
        File& file = it->second;
        const auto& [now, synced, is_named] = file;
        if (!is_named && draw(2) == 0) {
            it = files_.erase(it);
            continue;
        }
        // The size after the crash lies between the synced one and the present one.
        std::vector<u8> kept = synced;
        if (now.size() > synced.size()) kept.resize(synced.size() + draw(now.size() - synced.size() + 1));
        for (std::size_t at = 0; at < std::min(kept.size(), now.size()); at += kSector) {
            const std::size_t end = std::min({at + kSector, kept.size(), now.size()});
            if (draw(2) == 0) std::copy(now.begin() + long(at), now.begin() + long(end), kept.begin() + long(at));
        }
        file = File{kept, kept, true};
        ++it;
    }
}

std::vector<std::string> SimDisk::names() const {
    std::vector<std::string> names;
    for (const auto& [name, file] : files_) names.push_back(name);
    return names;
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
