// Stands between a program and its disk: records what it asks for, and lets the n-th call fail.
//
// Loaded before the C library (LD_PRELOAD, see tests/journal/faults/shim.py), so that it sees every call of every
// thread, native and Python alike, of the programs as they are. Only calls on files below the watched folders count;
// everything else goes straight on. What goes into mapped memory is not seen: that is shared memory, which a power
// loss empties anyway.
//
// The trace, an entry per call that has changed a disk (little-endian, packed):
//
//   | kind 4 | errno 4 | file 8 | offset 8 | length 8 | durable_seq 8 | epoch 4 | names 2 + 2 | first, second name |
//   data |
//
// `file` is the inode. durable_seq and epoch are those of the control page named by `faults_control` as the call
// began: what had been promised by then.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "faults/calls.h"

OPENBELL_DECLARE(int, open, const char*, int, ...)
OPENBELL_DECLARE(ssize_t, read, int, void*, size_t)
OPENBELL_DECLARE(ssize_t, write, int, const void*, size_t)
OPENBELL_DECLARE(ssize_t, pwrite, int, const void*, size_t, off_t)
OPENBELL_DECLARE(int, ftruncate, int, off_t)
OPENBELL_DECLARE(int, truncate, const char*, off_t)
OPENBELL_DECLARE(int, fsync, int)
OPENBELL_DECLARE(int, fdatasync, int)
OPENBELL_DECLARE(int, rename, const char*, const char*)
OPENBELL_DECLARE(int, unlink, const char*)
OPENBELL_DECLARE(int, mkdir, const char*, mode_t)
OPENBELL_DECLARE(int, flock, int, int)
OPENBELL_DECLARE(int, posix_fallocate, int, off_t, off_t)
OPENBELL_DECLARE(void*, mmap, void*, size_t, int, int, int, off_t)
OPENBELL_DECLARE(DIR*, opendir, const char*)
OPENBELL_DECLARE(dirent*, readdir, DIR*)
OPENBELL_DECLARE(int, pthread_create, pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)

namespace {

enum Kind : std::uint32_t { Create, Write, Truncate, Sync, SyncNames, Rename, Unlink, Mkdir, Note };
enum Fault : int { None = 0, Short = -1, Die = -2 };  // or an errno

constexpr int kFoldersMax = 4;
constexpr std::size_t kPathMax = 512;
constexpr std::size_t kEpochAt = 32, kDurableSeqAt = 128 + 16;  // of the control page (native/journal/control.h)

char folders[kFoldersMax][kPathMax];
int folder_count = 0;
char control_path[kPathMax];
std::atomic<int> trace{-1};
std::atomic<long> calls{0};
std::atomic<long> fail_at{0};  // 0: none does
std::atomic<int> fault{None};
std::atomic<int> is_lasting{0};  // every call from that one on
std::atomic<long> allocations{0}, fail_allocation{0};
std::atomic<long> threads{0}, fail_thread{0};
char failed_call[kPathMax + 32];

bool is_watched(const char* path) {
    for (int i = 0; i < folder_count; ++i)
        if (std::strncmp(path, folders[i], std::strlen(folders[i])) == 0) return true;
    return false;
}

// The path of a descriptor; empty when it is no file that is watched.
bool watched_path(int fd, char* path) {
    if (folder_count == 0) return false;
    char link[64];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = ::readlink(link, path, kPathMax - 1);
    path[n > 0 ? n : 0] = 0;
    return is_watched(path);
}

// Counts a call; says which fault it meets.
int meet(const char* call, const char* path) {
    const long n = calls.fetch_add(1) + 1;
    const long wanted = fail_at.load();
    if (wanted == 0 || n < wanted || (n > wanted && !is_lasting.load())) return None;
    if (n == wanted) std::snprintf(failed_call, sizeof failed_call, "%s %s", call, path);
    const int met = fault.load();
    if (met == Die) ::_exit(99);
    return met;
}

struct Promise {
    std::uint64_t durable_seq = 0;
    std::uint32_t epoch = 0;
};

Promise promised() {
    Promise promise;
    const int fd = control_path[0] ? int(::syscall(SYS_openat, AT_FDCWD, control_path, O_RDONLY | O_CLOEXEC)) : -1;
    if (fd < 0) return promise;
    ::syscall(SYS_pread64, fd, &promise.durable_seq, sizeof promise.durable_seq, kDurableSeqAt);
    ::syscall(SYS_pread64, fd, &promise.epoch, sizeof promise.epoch, kEpochAt);
    ::syscall(SYS_close, fd);
    return promise;
}

struct [[gnu::packed]] Entry {
    std::uint32_t kind;
    std::uint32_t error;
    std::uint64_t file, offset, length, durable_seq;
    std::uint32_t epoch;
    std::uint16_t first_bytes, second_bytes;
};

// One write, so that the entries of several processes do not mix.
void record(Kind kind, std::uint64_t file, std::uint64_t offset, std::uint64_t length, const char* first = "",
            const char* second = "", const void* data = nullptr, Promise promise = promised()) {
    const int fd = trace.load();
    if (fd < 0) return;
    const std::size_t data_bytes = data ? length : 0, a = std::strlen(first), b = std::strlen(second);
    const Entry entry{kind,
                      0,
                      file,
                      offset,
                      length,
                      promise.durable_seq,
                      promise.epoch,
                      static_cast<std::uint16_t>(a),
                      static_cast<std::uint16_t>(b)};
    const std::size_t bytes = sizeof entry + a + b + data_bytes;
    auto* out = static_cast<char*>(std::malloc(bytes));
    std::memcpy(out, &entry, sizeof entry);
    std::memcpy(out + sizeof entry, first, a);
    std::memcpy(out + sizeof entry + a, second, b);
    if (data_bytes) std::memcpy(out + sizeof entry + a + b, data, data_bytes);
    if (::syscall(SYS_write, fd, out, bytes) != long(bytes)) std::abort();
    std::free(out);
}

std::uint64_t inode_of(int fd, bool* is_folder = nullptr) {
    struct stat st{};
    ::fstat(fd, &st);
    if (is_folder) *is_folder = S_ISDIR(st.st_mode);
    return st.st_ino;
}

int failed(int error) {
    errno = error;
    return -1;
}

int open_file(const char* path, int flags, mode_t mode) {
    if (!is_watched(path)) return OPENBELL_NEXT(open)(path, flags, mode);
    if (const int met = meet("open", path); met > 0) return failed(met);
    const Promise promise = promised();
    const bool is_new = (flags & O_CREAT) && ::access(path, F_OK) != 0;
    const int fd = OPENBELL_NEXT(open)(path, flags, mode);
    if (fd < 0) return fd;
    if (is_new)
        record(Create, inode_of(fd), 0, 0, path, "", nullptr, promise);
    else if (flags & O_TRUNC)
        record(Truncate, inode_of(fd), 0, 0, path, "", nullptr, promise);
    return fd;
}

template <class Call>
ssize_t write_file(int fd, const void* data, std::size_t bytes, off_t offset, const char* name, const Call& call) {
    char path[kPathMax];
    if (!watched_path(fd, path)) return call(bytes);
    const int met = meet(name, path);
    if (met > 0) return failed(met);
    if (met == Short && bytes > 1) bytes /= 2;
    const Promise promise = promised();
    const ssize_t done = call(bytes);
    if (done > 0) record(Write, inode_of(fd), std::uint64_t(offset), std::uint64_t(done), path, "", data, promise);
    return done;
}

int sync_file(int fd, const char* name, int (*call)(int)) {
    char path[kPathMax];
    if (!watched_path(fd, path)) return call(fd);
    if (const int met = meet(name, path); met > 0) return failed(met);
    const Promise promise = promised();
    const int result = call(fd);
    bool is_folder = false;
    const std::uint64_t file = inode_of(fd, &is_folder);
    if (result == 0) record(is_folder ? SyncNames : Sync, file, 0, 0, path, "", nullptr, promise);
    return result;
}

void* allocate(std::size_t bytes, std::size_t alignment) {
    if (fail_allocation.load(std::memory_order_relaxed) != 0 && allocations.fetch_add(1) + 1 == fail_allocation.load())
        return nullptr;
    return alignment ? ::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment)
                     : std::malloc(bytes ? bytes : 1);
}

}  // namespace

// ---- the calls ---------------------------------------------------------------------------------------

extern "C" {

int open(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_file(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_file(path, flags, mode);
}

ssize_t read(int fd, void* data, size_t bytes) {
    char path[kPathMax];
    if (folder_count && watched_path(fd, path))
        if (const int met = meet("read", path); met > 0) return failed(met);
    return OPENBELL_NEXT(read)(fd, data, bytes);
}
ssize_t write(int fd, const void* data, size_t bytes) {
    const off_t at = folder_count ? ::lseek(fd, 0, SEEK_CUR) : 0;
    return write_file(fd, data, bytes, at, "write", [&](size_t n) { return OPENBELL_NEXT(write)(fd, data, n); });
}
ssize_t pwrite(int fd, const void* data, size_t bytes, off_t at) {
    return write_file(fd, data, bytes, at, "pwrite", [&](size_t n) { return OPENBELL_NEXT(pwrite)(fd, data, n, at); });
}
ssize_t pwrite64(int fd, const void* data, size_t bytes, off_t at) { return pwrite(fd, data, bytes, at); }

int ftruncate(int fd, off_t bytes) {
    char path[kPathMax];
    if (!watched_path(fd, path)) return OPENBELL_NEXT(ftruncate)(fd, bytes);
    if (const int met = meet("ftruncate", path); met > 0) return failed(met);
    const Promise promise = promised();
    const int result = OPENBELL_NEXT(ftruncate)(fd, bytes);
    if (result == 0) record(Truncate, inode_of(fd), 0, std::uint64_t(bytes), path, "", nullptr, promise);
    return result;
}
int ftruncate64(int fd, off_t bytes) { return ftruncate(fd, bytes); }

int truncate(const char* path, off_t bytes) {
    if (!is_watched(path)) return OPENBELL_NEXT(truncate)(path, bytes);
    if (const int met = meet("truncate", path); met > 0) return failed(met);
    const Promise promise = promised();
    const int result = OPENBELL_NEXT(truncate)(path, bytes);
    struct stat st{};
    if (result == 0 && ::stat(path, &st) == 0)
        record(Truncate, st.st_ino, 0, std::uint64_t(bytes), path, "", nullptr, promise);
    return result;
}
int truncate64(const char* path, off_t bytes) { return truncate(path, bytes); }

int fsync(int fd) { return sync_file(fd, "fsync", OPENBELL_NEXT(fsync)); }
int fdatasync(int fd) { return sync_file(fd, "fdatasync", OPENBELL_NEXT(fdatasync)); }

int rename(const char* from, const char* to) {
    if (!is_watched(from)) return OPENBELL_NEXT(rename)(from, to);
    if (const int met = meet("rename", to); met > 0) return failed(met);
    const Promise promise = promised();
    const int result = OPENBELL_NEXT(rename)(from, to);
    if (result == 0) record(Rename, 0, 0, 0, from, to, nullptr, promise);
    return result;
}
int unlink(const char* path) {
    if (!is_watched(path)) return OPENBELL_NEXT(unlink)(path);
    if (const int met = meet("unlink", path); met > 0) return failed(met);
    const Promise promise = promised();
    const int result = OPENBELL_NEXT(unlink)(path);
    if (result == 0) record(Unlink, 0, 0, 0, path, "", nullptr, promise);
    return result;
}
int mkdir(const char* path, mode_t mode) {
    if (!is_watched(path)) return OPENBELL_NEXT(mkdir)(path, mode);
    if (const int met = meet("mkdir", path); met > 0) return failed(met);
    const Promise promise = promised();
    const int result = OPENBELL_NEXT(mkdir)(path, mode);
    if (result == 0) record(Mkdir, 0, 0, 0, path, "", nullptr, promise);
    return result;
}
int flock(int fd, int operation) {
    char path[kPathMax];
    if (watched_path(fd, path))
        if (const int met = meet("flock", path); met > 0) return failed(met);
    return OPENBELL_NEXT(flock)(fd, operation);
}
int posix_fallocate(int fd, off_t at, off_t bytes) {
    char path[kPathMax];
    if (watched_path(fd, path))
        if (const int met = meet("posix_fallocate", path); met > 0) return met;
    return OPENBELL_NEXT(posix_fallocate)(fd, at, bytes);
}
int posix_fallocate64(int fd, off_t at, off_t bytes) { return posix_fallocate(fd, at, bytes); }

void* mmap(void* at, size_t bytes, int protection, int flags, int fd, off_t offset) {
    char path[kPathMax];
    if (fd >= 0 && watched_path(fd, path))
        if (const int met = meet("mmap", path); met > 0) return failed(met), MAP_FAILED;
    return OPENBELL_NEXT(mmap)(at, bytes, protection, flags, fd, offset);
}
void* mmap64(void* at, size_t bytes, int protection, int flags, int fd, off_t offset) {
    return mmap(at, bytes, protection, flags, fd, offset);
}

DIR* opendir(const char* path) {
    if (is_watched(path))
        if (const int met = meet("opendir", path); met > 0) return failed(met), nullptr;
    return OPENBELL_NEXT(opendir)(path);
}
dirent* readdir(DIR* folder) {
    char path[kPathMax];
    if (watched_path(::dirfd(folder), path))
        if (const int met = meet("readdir", path); met > 0) return failed(met), nullptr;
    return OPENBELL_NEXT(readdir)(folder);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) {
    if (fail_thread.load() != 0 && threads.fetch_add(1) + 1 == fail_thread.load()) return EAGAIN;
    return OPENBELL_NEXT(pthread_create)(thread, attributes, run, argument);
}

// ---- what the program that tests asks for ----------------------------------------------------------

void faults_watch(const char* folder) {
    if (folder_count < kFoldersMax) std::snprintf(folders[folder_count++], kPathMax, "%s", folder);
}
void faults_forget() {
    folder_count = 0;
    control_path[0] = 0;
}
void faults_control(const char* path) { std::snprintf(control_path, kPathMax, "%s", path); }
// Appends to the trace until `faults_stop`; 0 or an errno.
int faults_record(const char* path) {
    const int fd = int(::syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    trace.store(fd);
    return fd < 0 ? errno : 0;
}
void faults_stop() {
    if (const int fd = trace.exchange(-1); fd >= 0) ::close(fd);
}
void faults_note(const char* text) { record(Note, 0, 0, 0, text); }
// The n-th call from now on meets `what`: an errno, -1 a write of half the bytes, -2 the end of the process.
void faults_arm(long n, int what, int lasting) {
    failed_call[0] = 0;
    calls.store(0);
    fault.store(what);
    is_lasting.store(lasting);
    fail_at.store(n);
}
long faults_calls() { return calls.load(); }
const char* faults_met() { return failed_call; }
void faults_arm_allocation(long n) {
    allocations.store(0);
    fail_allocation.store(n);
}
long faults_allocations() { return allocations.load(); }
void faults_arm_thread(long n) {
    threads.store(0);
    fail_thread.store(n);
}
long faults_threads() { return threads.load(); }

}  // extern "C"

// ---- allocation ------------------------------------------------------------------------------------

void* operator new(std::size_t bytes) {
    if (void* at = allocate(bytes, 0)) return at;
    throw std::bad_alloc();
}
void* operator new[](std::size_t bytes) { return operator new(bytes); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    if (void* at = allocate(bytes, std::size_t(alignment))) return at;
    throw std::bad_alloc();
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) { return operator new(bytes, alignment); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes, 0); }
void operator delete(void* at) noexcept { std::free(at); }
void operator delete[](void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t) noexcept { std::free(at); }
void operator delete[](void* at, std::size_t) noexcept { std::free(at); }
void operator delete(void* at, std::align_val_t) noexcept { std::free(at); }
void operator delete[](void* at, std::align_val_t) noexcept { std::free(at); }
void operator delete(void* at, std::size_t, std::align_val_t) noexcept { std::free(at); }
void operator delete[](void* at, std::size_t, std::align_val_t) noexcept { std::free(at); }
