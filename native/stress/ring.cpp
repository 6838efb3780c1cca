#include <thread>

#include "journal/ring.h"
#include "rng.h"
#include "stress/stress.h"

namespace openbell::stress {
namespace {

struct Record {
    u64 number;
    u64 words[15];  // a function of the number
};
static_assert(sizeof(Record) == kRingSlotBytes);

Record made(u64 number, u64 seed) {
    Record record{number, {}};
    SplitMix64 rng(number ^ seed);
    for (u64& word : record.words) word = rng.next();
    return record;
}

void produce(const std::string& path, const Plan& plan) {
    Ring ring = Ring::attach(path);
    for (u64 n = 0; n < plan.rounds;) {
        const Record record = made(n, plan.seed);
        if (ring.push(&record)) {
            ++n;
        } else {
            std::this_thread::yield();
        }
    }
}

}  // namespace

// One record after the other, none lost, none torn; the ring is so small that it is full and empty all the time.
std::string run_ring(const Plan& plan) {
    const std::string path = plan.folder + "/ring";
    Ring ring = Ring::create(path, 8);
    std::thread producer([&] { produce(path, plan); });
    u64 empty = 0;
    for (u64 n = 0; n < plan.rounds;) {
        const u8* slot = ring.front();
        if (slot == nullptr) {
            ++empty;
            std::this_thread::yield();
            continue;
        }
        const Record expected = made(n, plan.seed);
        if (std::memcmp(slot, &expected, sizeof expected) != 0)
            broken("ring: a record", n, Record(*reinterpret_cast<const Record*>(slot)).number);
        ring.pop();
        ++n;
    }
    producer.join();
    return std::to_string(plan.rounds) + " records, found empty " + std::to_string(empty) + " times";
}

}  // namespace openbell::stress
