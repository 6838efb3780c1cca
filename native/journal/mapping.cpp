#include "journal/mapping.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>

#include "journal/segment.h"

namespace openbell {

void throw_errno(const std::string& what, const std::string& path) {
    const int code = errno;
    std::string next;
    if (code == ENOSPC) next = "; free space there or make segments smaller";
    if (code == EACCES) next = "; check owner and permissions";
    throw Error(ErrorKind::Journal, "cannot " + what + " " + path + ": " + std::strerror(code) + next);
}

Mapping::~Mapping() {
    if (data_) ::munmap(data_, size_);
}

Mapping Mapping::map(int fd, std::size_t bytes, int protection, bool resident, const std::string& path) {
    const int flags = MAP_SHARED | (resident ? MAP_POPULATE : 0);
    void* at = ::mmap(nullptr, bytes, protection, flags, fd, 0);
    if (at == MAP_FAILED) throw_errno("map", path);
    Mapping m;
    m.data_ = static_cast<u8*>(at);
    m.size_ = bytes;
    m.is_locked_ = resident && ::mlock(at, bytes) == 0;
    return m;
}

Mapping Mapping::create(const std::string& path, std::size_t bytes, bool resident) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
    if (!fd) throw_errno("create", path);
    try {
        do {
            errno = resident ? ::posix_fallocate(fd.get(), 0, off_t(bytes)) : 0;
        } while (errno == EINTR);
        if (resident ? errno != 0 : ::ftruncate(fd.get(), off_t(bytes)) != 0)
            throw_errno("allocate " + std::to_string(bytes) + " bytes for", path);
        return map(fd.get(), bytes, PROT_READ | PROT_WRITE, resident, path);
    } catch (...) {
        ::unlink(path.c_str());  // or it would be in the way of the next attempt
        throw;
    }
}

Mapping Mapping::open_writable(const std::string& path, bool resident) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd) throw_errno("open", path);
    struct stat st{};
    if (::fstat(fd.get(), &st) != 0) throw_errno("stat", path);
    if (st.st_size == 0) return {};
    return map(fd.get(), std::size_t(st.st_size), PROT_READ | PROT_WRITE, resident, path);
}

Mapping Mapping::open_readable(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
        if (errno == ENOENT) return {};
        throw_errno("open", path);
    }
    return of_descriptor(fd.get(), path);
}

Mapping Mapping::of_descriptor(int fd, const std::string& name) {
    struct stat st{};
    if (::fstat(fd, &st) != 0) throw_errno("stat", name);
    if (st.st_size == 0) return {};
    return map(fd, std::size_t(st.st_size), PROT_READ, false, name);
}

Fd lock_exclusively(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) throw_errno("open", path);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
    if (errno != EWOULDBLOCK) throw_errno("lock", path);
    return Fd();
}

bool file_exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

void make_directories(const std::string& path) {
    std::error_code code;
    std::filesystem::create_directories(path, code);
    if (code) throw Error(ErrorKind::Journal, "cannot create directory " + path + ": " + code.message());
}

std::vector<u64> segments_in(const std::string& dir) { return segments_in(dir, ""); }

// A folder that cannot be read is not one without segments. (The iterators of the library end the process where there
// is no memory.)
std::vector<u64> segments_in(const std::string& dir, const std::string& suffix) {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(dir.c_str()), &::closedir);
    if (!folder) {
        if (errno == ENOENT) return {};
        throw_errno("list", dir);
    }
    std::vector<u64> numbers;
    errno = 0;
    while (const dirent* entry = ::readdir(folder.get())) {
        const u64 number = std::strtoull(entry->d_name, nullptr, 10);
        if (number > 0 && entry->d_name == segment_name(number) + suffix) numbers.push_back(number);
        errno = 0;
    }
    if (errno != 0) throw_errno("list", dir);
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

}  // namespace openbell
