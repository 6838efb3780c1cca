#include "exchange/chunk_store.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace openbell::exchange {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kExtentBytesMin = 64 << 10;  // of the process: small venues stay small
constexpr std::size_t kExtentBytesMax = 64 << 20;
constexpr char kExtension[] = ".mem";

constexpr std::size_t rounded(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

void remove_extents(const std::string& dir) {
    for (const auto& entry : std::filesystem::directory_iterator(dir))
        if (entry.path().extension() == kExtension) ::unlink(entry.path().c_str());
}

}  // namespace

ChunkStore::ChunkStore(std::string dir) : dir_(std::move(dir)) {
    if (dir_.empty()) return;
    make_directories(dir_);
    remove_extents(dir_);
}

// The files are memory: whoever wants the day again has the journal.
ChunkStore::~ChunkStore() {
    if (!dir_.empty()) remove_extents(dir_);
}

std::span<u8> ChunkStore::take(std::size_t bytes) {
    const std::size_t alignment = bytes < kPageBytes ? kAlignment : kPageBytes;
    const std::size_t size = rounded(bytes, alignment);
    std::size_t skip = rounded(u64(free_.data()), alignment) - u64(free_.data());
    if (free_.size() < skip + size) {
        add_extent(size);
        skip = rounded(u64(free_.data()), alignment) - u64(free_.data());
    }
    const std::span<u8> chunk = free_.subspan(skip, bytes);
    free_ = free_.subspan(skip + size);
    return chunk;
}

void ChunkStore::add_extent(std::size_t bytes) {
    extent_bytes_ = dir_.empty() ? std::clamp(2 * extent_bytes_, kExtentBytesMin, kExtentBytesMax) : kExtentBytesMax;
    const std::size_t size = std::max(extent_bytes_, rounded(bytes + kPageBytes, kPageBytes));
    if (dir_.empty()) {
        extents_.push_back(std::make_unique_for_overwrite<u8[]>(size));
        free_ = {extents_.back().get(), size};
        return;
    }
    char name[32];
    std::snprintf(name, sizeof name, "/%06zu%s", files_.size() + 1, kExtension);
    files_.push_back(Mapping::create(dir_ + name, size, false));
    free_ = {files_.back().data(), size};
}

void ChunkStore::let_go(std::span<u8> chunk) const {
    if (dir_.empty() || chunk.size() < kPageBytes) return;
    const u64 begin = rounded(u64(chunk.data()), kPageBytes);
    const u64 end = u64(chunk.data() + chunk.size()) / kPageBytes * kPageBytes;
    if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace openbell::exchange
