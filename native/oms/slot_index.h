// Hash -> slot number: open addressing at most half full, linear probes, deletion without tombstones.
#pragma once

#include <vector>

#include "records.h"

namespace openbell {

class SlotIndex {
  public:
    static constexpr u32 kNone = 0xFFFF'FFFF;

    explicit SlotIndex(u32 slots_max) : cells_(cells_for(slots_max), kNone), mask_(cells_.size() - 1) {}

    // The first slot of that hash for which `is_it(slot)`; kNone if there is none.
    template <class IsIt>
    u32 find(u64 hash, IsIt&& is_it) const {
        for (u64 i = hash & mask_; cells_[i] != kNone; i = (i + 1) & mask_) {
            if (is_it(cells_[i])) return cells_[i];
        }
        return kNone;
    }

    void insert(u64 hash, u32 slot) {
        u64 i = hash & mask_;
        while (cells_[i] != kNone) i = (i + 1) & mask_;
        cells_[i] = slot;
    }

    // Knuth 6.4, algorithm R: move later members of the run into the hole they may reach.
    template <class HashOf>
    void erase(u64 hash, u32 slot, HashOf&& hash_of) {
        u64 hole = place_of(hash, slot);
        for (u64 i = (hole + 1) & mask_; cells_[i] != kNone; i = (i + 1) & mask_) {
            const u64 home = hash_of(cells_[i]) & mask_;
            if (((i - home) & mask_) < ((i - hole) & mask_)) continue;
            cells_[hole] = cells_[i];
            hole = i;
        }
        cells_[hole] = kNone;
    }

    void clear() { cells_.assign(cells_.size(), kNone); }

  private:
    static u64 cells_for(u32 slots_max) {
        u64 cells = 2;
        while (cells <= u64(slots_max) * 2) cells *= 2;
        return cells;
    }
    u64 place_of(u64 hash, u32 slot) const {
        u64 i = hash & mask_;
        while (cells_[i] != slot) i = (i + 1) & mask_;
        return i;
    }

    std::vector<u32> cells_;
    u64 mask_;
};

// Fibonacci multiply and fold: ids that differ only in a counter spread over the table.
constexpr u64 mix_id(u64 id) {
    const u64 h = id * 0x9E37'79B9'7F4A'7C15;
    return h ^ h >> 32;
}

}  // namespace openbell
