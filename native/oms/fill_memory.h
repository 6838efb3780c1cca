// The last fills, by (our order, venue execution): a second copy changes nothing (I11), a bust or correction
// finds exactly what it reverses (I14). Oldest forgotten first; the session's own sequence numbers guard the rest.
#pragma once

#include <vector>

#include "oms/slot_index.h"

namespace openbell {

struct Fill {
    u64 cl_ord_id;
    u64 exec_id;
    i64 px;  // as last corrected
    i64 qty;
    i64 fee;  // of px and qty, in 1e-4 of the currency
    u32 instrument;
    u16 strategy;
    u8 side;
    u8 flags;      // kBusted ...
    u8 liquidity;  // the venue's flag
    u8 pad[7];
};
static_assert(sizeof(Fill) == 56);

// Fill::flags
inline constexpr u8 kBusted = 1;
inline constexpr u8 kUntold = 2;  // its bust or correction came first: what is remembered is what it will be

constexpr bool is_busted(const Fill& f) { return f.flags & kBusted; }
constexpr bool is_untold(const Fill& f) { return f.flags & kUntold; }

class FillMemory {
  public:
    explicit FillMemory(u32 fills_max) : ring_(fills_max), index_(fills_max) {}

    Fill* find(u64 cl_ord_id, u64 exec_id) {
        const u32 slot = index_.find(key(cl_ord_id, exec_id), [&](u32 s) {
            return ring_[s].cl_ord_id == cl_ord_id && ring_[s].exec_id == exec_id;
        });
        return slot == SlotIndex::kNone ? nullptr : &ring_[slot];
    }
    void remember(const Fill& fill) {
        const u32 slot = u32(seen_ % ring_.size());
        if (seen_ >= ring_.size()) forget(slot);
        ring_[slot] = fill;
        index_.insert(key(fill.cl_ord_id, fill.exec_id), slot);
        seen_ += 1;
    }
    void clear() {
        index_.clear();
        seen_ = 0;
    }

    u32 capacity() const { return u32(ring_.size()); }
    u32 size() const { return u32(seen_ < ring_.size() ? seen_ : ring_.size()); }
    const Fill& oldest(u32 i) const { return ring_[(seen_ - size() + i) % ring_.size()]; }

  private:
    static u64 key(u64 cl_ord_id, u64 exec_id) { return mix_id(cl_ord_id ^ mix_id(exec_id)); }
    void forget(u32 slot) {
        index_.erase(key(ring_[slot].cl_ord_id, ring_[slot].exec_id), slot,
                     [&](u32 s) { return key(ring_[s].cl_ord_id, ring_[s].exec_id); });
    }

    std::vector<Fill> ring_;
    SlotIndex index_;
    u64 seen_ = 0;
};

}  // namespace openbell
