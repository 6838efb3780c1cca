#include <thread>

#include "journal/counters.h"
#include "stress/stress.h"

namespace openbell::stress {

// One names counters and counts, another reads the page all the while: what it sees only grows.
std::string run_counters(const Plan& plan) {
    const std::string path = plan.folder + "/counters";
    Counters page = Counters::open(path);
    std::thread writer([&] {
        std::vector<Counter> named;
        for (u64 n = 0; n < plan.rounds; ++n) {
            if (n % 1024 == 0 && named.size() < kCountersMax)
                named.push_back(page.counter("counter_" + std::to_string(named.size())));
            named[n % named.size()].add();
        }
    });
    const Counters seen = Counters::attach(path);
    u64 total = 0, looks = 0;
    for (; total < plan.rounds; ++looks) {
        u64 now = 0;
        for (const auto& [name, value] : seen.read()) {
            if (!name.starts_with("counter_")) broken("counters: a name of", 8, name.size());
            now += value;
        }
        if (now < total) broken("counters: the sum", total, now);
        total = now;
    }
    writer.join();
    return std::to_string(plan.rounds) + " events, read " + std::to_string(looks) + " times";
}

}  // namespace openbell::stress
