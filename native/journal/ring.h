// A bounded queue between two processes: one producer, one consumer, records of 128 bytes.
//
//   0  magic 8 | capacity 8 | ...
//  64  tail 8   written by the producer
// 128  head 8   written by the consumer
// 192  ... 4096 zero
// 4096 slots: capacity x 128
//
// Each side keeps the other's index cached and looks at the shared one only when the ring seems full or
// empty, so that in steady flow a push or pop touches one line that the other side writes now and then
// (E. Rigtorp's SPSCQueue). Here the slots hold 48- or 128-byte records; which one, the record's type says.
#pragma once

#include <atomic>

#include "journal/mapping.h"

namespace openbell {

inline constexpr std::size_t kRingSlotBytes = kLargeRecord;
inline constexpr std::size_t kRingSlotsMax = 1 << 20;

class Ring {
  public:
    // Creates the file (which must not exist) with a power of two of slots. Throws Config, Journal.
    static Ring create(const std::string& path, std::size_t capacity);
    // Throws Journal when there is no ring.
    static Ring attach(const std::string& path);

    // False when the ring is full: the caller refuses or conflates, by its stated policy. Producer only.
    bool push(const void* record, std::size_t bytes = kRingSlotBytes) {
        const u64 tail = page().tail.load(std::memory_order_relaxed);
        if (tail - cached_head_ > mask_) {
            cached_head_ = page().head.load(std::memory_order_acquire);
            if (tail - cached_head_ > mask_) return false;
        }
        std::memcpy(slot(tail), record, bytes);
        page().tail.store(tail + 1, std::memory_order_release);
        return true;
    }

    // The oldest record, or nullptr; it stays until pop(). Consumer only.
    const u8* front() {
        const u64 head = page().head.load(std::memory_order_relaxed);
        if (head == cached_tail_) {
            cached_tail_ = page().tail.load(std::memory_order_acquire);
            if (head == cached_tail_) return nullptr;
        }
        return slot(head);
    }
    void pop() {
        const u64 head = page().head.load(std::memory_order_relaxed);
        page().head.store(head + 1, std::memory_order_release);
    }

    std::size_t capacity() const { return mask_ + 1; }
    // As seen now, by anyone.
    std::size_t size() const {
        const u64 head = page().head.load(std::memory_order_acquire);
        return std::size_t(page().tail.load(std::memory_order_acquire) - head);
    }

  private:
    struct Page {
        char magic[8];
        u64 capacity;
        alignas(64) std::atomic<u64> tail;  // release by the producer after the slot; acquire by the consumer
        alignas(64) std::atomic<u64> head;  // release by the consumer after reading; acquire by the producer
    };
    explicit Ring(Mapping mapping);
    Page& page() const { return *reinterpret_cast<Page*>(mapping_.data()); }
    u8* slot(u64 index) const { return slots_ + (index & mask_) * kRingSlotBytes; }

    Mapping mapping_;
    u8* slots_ = nullptr;
    u64 mask_ = 0;
    // Of the producer and of the consumer; apart, should both live in one object.
    alignas(64) u64 cached_head_ = 0;
    alignas(64) u64 cached_tail_ = 0;
};

}  // namespace openbell
