// A shared file is mapped once in this process, whoever maps it: the linker sends mmap and munmap here (--wrap). Two
// mappings of one file have two addresses, and what the sides do to each other would not be seen.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <map>
#include <mutex>

extern "C" {
void* __real_mmap(void* at, std::size_t bytes, int protection, int flags, int fd, off_t offset);
int __real_munmap(void* at, std::size_t bytes);
}

namespace {

struct Place {
    dev_t device;
    ino_t file;
    std::size_t bytes;
    bool is_writable;
    unsigned users;
};

std::mutex guard;
std::map<void*, Place> places;

void* known_place(const struct stat& file, std::size_t bytes, bool is_writable) {
    for (auto& [at, place] : places) {
        if (place.device != file.st_dev || place.file != file.st_ino || place.bytes != bytes) continue;
        if (is_writable && !place.is_writable) continue;
        ++place.users;
        return at;
    }
    return nullptr;
}

}  // namespace

extern "C" void* __wrap_mmap(void* at, std::size_t bytes, int protection, int flags, int fd, off_t offset) {
    struct stat file{};
    if (fd < 0 || !(flags & MAP_SHARED) || fstat(fd, &file) != 0)
        return __real_mmap(at, bytes, protection, flags, fd, offset);
    const std::lock_guard lock(guard);
    const bool is_writable = protection & PROT_WRITE;
    if (void* known = known_place(file, bytes, is_writable)) return known;
    void* fresh = __real_mmap(at, bytes, protection, flags, fd, offset);
    if (fresh != MAP_FAILED) places[fresh] = {file.st_dev, file.st_ino, bytes, is_writable, 1};
    return fresh;
}

extern "C" int __wrap_munmap(void* at, std::size_t bytes) {
    const std::lock_guard lock(guard);
    const auto found = places.find(at);
    if (found != places.end()) {
        if (--found->second.users > 0) return 0;
        places.erase(found);
    }
    return __real_munmap(at, bytes);
}
