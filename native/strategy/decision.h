// What the engine wants done, as the records of one OUT frame. Fixed room, nothing allocated.
#pragma once

#include <memory>
#include <new>
#include <span>

#include "error.h"
#include "journal/frame.h"

namespace openbell {

class Decision {
  public:
    static constexpr std::size_t kRecordsMax = 1024;

    Decision() : slots_(std::make_unique<Slot[]>(kRecordsMax)) {}

    void clear() { count_ = 0; }
    void truncate(std::size_t count) { count_ = count; }  // forgets what a failed callback said
    std::size_t count() const { return count_; }
    std::size_t room() const { return kRecordsMax - count_; }
    bool empty() const { return count_ == 0; }

    // A zeroed record at the end. The caller has checked `room()`; a record too many is our own mistake.
    template <class Record>
    Record& add(Type type) {
        static_assert(sizeof(Record) == kLargeRecord);
        check_room();
        Record& record = *new (slots_[count_++].bytes) Record{};
        record.type = u8(type);
        return record;
    }
    template <class Record>
    void add_copy(const Record& record) {
        static_assert(sizeof(Record) == kLargeRecord);
        check_room();
        std::memcpy(slots_[count_++].bytes, &record, kLargeRecord);
    }

    Type type_at(std::size_t i) const { return Type(slots_[i].bytes[0]); }
    template <class Record>
    const Record& as(std::size_t i) const {
        return *reinterpret_cast<const Record*>(slots_[i].bytes);
    }
    Bytes bytes() const { return {reinterpret_cast<const u8*>(slots_.get()), count_ * kLargeRecord}; }

  private:
    void check_room() const {
        if (count_ == kRecordsMax) [[unlikely]]
            throw Error(ErrorKind::Invariant, "decision: expected at most " + std::to_string(kRecordsMax) + " records");
    }
    struct alignas(16) Slot {
        u8 bytes[kLargeRecord];
    };
    std::unique_ptr<Slot[]> slots_;
    std::size_t count_ = 0;
};

}  // namespace openbell
