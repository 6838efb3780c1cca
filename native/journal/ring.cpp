#include "journal/ring.h"

#include <unistd.h>

#include <bit>

namespace openbell {
namespace {
constexpr std::size_t kSlotsAt = 4096;
constexpr char kMagic[] = "openring";
}  // namespace

Ring Ring::create(const std::string& path, std::size_t capacity) {
    if (!std::has_single_bit(capacity) || capacity > kRingSlotsMax) {
        throw Error(ErrorKind::Config, "ring " + path + ": expected a capacity that is a power of two up to " +
                                           std::to_string(kRingSlotsMax) + ", found " + std::to_string(capacity));
    }
    // Made under another name: whoever attaches sees a whole ring or none.
    const std::string fresh = path + ".new";
    ::unlink(fresh.c_str());
    Mapping m = Mapping::create(fresh, kSlotsAt + capacity * kRingSlotBytes, true);
    auto* page = reinterpret_cast<Page*>(m.data());
    page->capacity = capacity;
    std::memcpy(page->magic, kMagic, 8);
    if (::link(fresh.c_str(), path.c_str()) != 0) {
        ::unlink(fresh.c_str());
        throw_errno("create ring", path);
    }
    ::unlink(fresh.c_str());
    return Ring(std::move(m));
}

Ring Ring::attach(const std::string& path) {
    Mapping m = Mapping::open_writable(path, true);
    const bool is_ring = m.size() > kSlotsAt && std::memcmp(m.data(), kMagic, 8) == 0 &&
                         m.size() == kSlotsAt + reinterpret_cast<const Page*>(m.data())->capacity * kRingSlotBytes;
    if (!is_ring)
        throw Error(ErrorKind::Journal, "expected a ring in " + path + ", found other bytes; create it first");
    return Ring(std::move(m));
}

Ring::Ring(Mapping mapping) : mapping_(std::move(mapping)) {
    slots_ = mapping_.data() + kSlotsAt;
    mask_ = page().capacity - 1;
    cached_head_ = page().head.load(std::memory_order_acquire);
    cached_tail_ = cached_head_;
}

}  // namespace openbell
