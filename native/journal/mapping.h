// Files as memory: the owner of a mapped range.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bytes.h"
#include "error.h"
#include "owned_fd.h"

namespace openbell {

// Throws Error(Journal): "cannot <what> <path>: <reason of errno>".
[[noreturn]] void throw_errno(const std::string& what, const std::string& path);

// A shared mapping of a whole file; unmapped with its owner.
class Mapping {
  public:
    Mapping() = default;
    Mapping(Mapping&& other) noexcept { swap(other); }
    Mapping& operator=(Mapping&& other) noexcept {
        swap(other);
        return *this;
    }
    ~Mapping();

    // Creates `path` (which must not exist) with `bytes` zero bytes. `resident`: allocate, prefault and try
    // to lock every page now, so that no store into it ever waits; else the file stays sparse.
    static Mapping create(const std::string& path, std::size_t bytes, bool resident);
    // Empty when the file is empty (and, for reading, when it does not exist).
    static Mapping open_writable(const std::string& path, bool resident);
    static Mapping open_readable(const std::string& path);
    static Mapping of_descriptor(int fd, const std::string& name);

    u8* data() const { return data_; }
    std::size_t size() const { return size_; }
    Bytes bytes() const { return {data_, size_}; }
    bool is_locked() const { return is_locked_; }
    explicit operator bool() const { return data_ != nullptr; }

  private:
    static Mapping map(int fd, std::size_t bytes, int protection, bool resident, const std::string& path);
    void swap(Mapping& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(is_locked_, other.is_locked_);
    }
    u8* data_ = nullptr;
    std::size_t size_ = 0;
    bool is_locked_ = false;
};

// Takes an exclusive lock on `path` (a file or a directory) for the life of the descriptor; empty if held.
Fd lock_exclusively(const std::string& path);

bool file_exists(const std::string& path);
void make_directories(const std::string& path);
// Numbers of the `<n>.seg` files in a directory, ascending; empty when the directory does not exist.
std::vector<u64> segments_in(const std::string& dir);
std::vector<u64> segments_in(const std::string& dir, const std::string& suffix);  // of `<n>.seg<suffix>`

}  // namespace openbell
