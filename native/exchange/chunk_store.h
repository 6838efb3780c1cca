// Memory for what only grows during a day: messages and rows that are written once and read again now and then.
//
// It comes in extents: of the process, or, with a directory, of files that are mapped. Of a file only what is in use
// needs to be resident: who has filled a chunk, or read an old one, lets go of it, and the kernel brings it back when
// somebody asks. So ten million orders lie on disk and not in memory.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "journal/mapping.h"

namespace openbell::exchange {

class ChunkStore {
  public:
    // Extents are the files `<dir>/000001.mem`, ...; those of a process that ended are removed. Without `dir`: memory
    // of the process, which stays.
    explicit ChunkStore(std::string dir);
    ~ChunkStore();
    ChunkStore(const ChunkStore&) = delete;
    ChunkStore& operator=(const ChunkStore&) = delete;

    // Lives as long as the store; its bytes are not cleared. Throws Journal when there is no room on the disk.
    std::span<u8> take(std::size_t bytes);

    // Nobody needs the chunk soon.
    void let_go(std::span<u8> chunk) const;

  private:
    void add_extent(std::size_t bytes);

    std::string dir_;  // empty: memory of the process
    std::vector<std::unique_ptr<u8[]>> extents_;
    std::vector<Mapping> files_;
    std::span<u8> free_;
    std::size_t extent_bytes_ = 0;
};

// Rows of one size, numbered from 0, in the order in which they were appended.
template <class Row>
class RowLog {
  public:
    explicit RowLog(ChunkStore& store) : store_(store) {}

    u64 append(const Row& row) {
        if (size_ % kRowsPerChunk == 0) begin_chunk();
        std::memcpy(chunks_.back().data() + size_ % kRowsPerChunk * sizeof(Row), &row, sizeof(Row));
        return size_++;
    }
    u64 size() const { return size_; }
    const Row& operator[](u64 n) const {
        return *reinterpret_cast<const Row*>(chunks_[n / kRowsPerChunk].data() + n % kRowsPerChunk * sizeof(Row));
    }
    // For the rare change of a row that has been written: a bust.
    Row& change(u64 n) { return const_cast<Row&>(std::as_const(*this)[n]); }
    // After rows were read: all but the newest need not stay in memory.
    void let_go() const {
        for (std::size_t n = 0; n + 1 < chunks_.size(); ++n) store_.let_go(chunks_[n]);
    }

  private:
    static_assert(std::is_trivially_copyable_v<Row>);
    static constexpr u64 kRowsPerChunk = 4096;

    void begin_chunk() {
        if (!chunks_.empty()) store_.let_go(chunks_.back());
        chunks_.push_back(store_.take(kRowsPerChunk * sizeof(Row)));
    }

    ChunkStore& store_;
    std::vector<std::span<u8>> chunks_;
    u64 size_ = 0;
};

}  // namespace openbell::exchange
