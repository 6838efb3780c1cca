#include "journal/counters.h"

namespace openbell {
namespace {
constexpr char kMagic[] = "openctrs";
}

Counters Counters::open(const std::string& path) {
    if (file_exists(path)) {
        Mapping m = Mapping::open_writable(path, true);
        if (m.size() == sizeof(Page) && std::memcmp(m.data(), kMagic, 8) == 0) return Counters(std::move(m));
        throw Error(ErrorKind::Journal,
                    "expected a page of counters in " + path + ", found other bytes; remove that file");
    }
    Counters counters(Mapping::create(path, sizeof(Page), true));
    std::memcpy(counters.page().magic, kMagic, 8);
    return counters;
}

Counters Counters::attach(const std::string& path) {
    Mapping m = Mapping::open_readable(path);
    if (m.size() != sizeof(Page) || std::memcmp(m.data(), kMagic, 8) != 0) {
        throw Error(ErrorKind::Journal,
                    "expected a page of counters in " + path + ", found none; is the node running?");
    }
    return Counters(std::move(m));
}

Counter Counters::counter(std::string_view name) {
    Page& p = page();
    const u64 count = p.count.load(std::memory_order_acquire);
    for (u64 i = 0; i < count; ++i) {
        if (name == p.slots[i].name) return Counter(&p.slots[i].value);
    }
    if (count == kCountersMax || name.empty() || name.size() > kCounterNameMax) {
        throw Error(ErrorKind::Capacity,
                    "counter " + std::string(name) + ": expected a name of 1 to 55 characters and at most " +
                        std::to_string(kCountersMax) + " counters, found " + std::to_string(count));
    }
    Slot& slot = p.slots[count];
    std::memset(slot.name, 0, sizeof slot.name);
    std::memcpy(slot.name, name.data(), name.size());
    slot.value.store(0, std::memory_order_relaxed);
    p.count.store(count + 1, std::memory_order_release);
    return Counter(&slot.value);
}

std::vector<std::pair<std::string, u64>> Counters::read() const {
    std::vector<std::pair<std::string, u64>> out;
    const u64 count = page().count.load(std::memory_order_acquire);
    for (u64 i = 0; i < count && i < kCountersMax; ++i) {
        out.emplace_back(page().slots[i].name, page().slots[i].value.load(std::memory_order_relaxed));
    }
    return out;
}

}  // namespace openbell
