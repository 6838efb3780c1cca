// stress [--rounds N] [--seed S] [--folder DIR] [TARGET ...]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "error.h"
#include "stress/stress.h"

namespace openbell::stress {
namespace {

struct Target {
    const char* name;
    std::string (*run)(const Plan&);
    u64 rounds_share;  // of a round, that one of this target costs
};
constexpr Target kTargets[] = {
    {"ring", run_ring, 1},
    {"journal", run_journal, 10},
    {"kill_cell", run_kill_cell, 100},
    {"counters", run_counters, 1},
};

int run(const std::vector<std::string>& words) {
    Plan plan{200'000, 7, ""};
    std::string folder = std::filesystem::temp_directory_path().string();
    std::vector<std::string> wanted;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const bool has_value = i + 1 < words.size();
        if (words[i] == "--rounds" && has_value) {
            plan.rounds = std::strtoull(words[++i].c_str(), nullptr, 10);
        } else if (words[i] == "--seed" && has_value) {
            plan.seed = std::strtoull(words[++i].c_str(), nullptr, 10);
        } else if (words[i] == "--folder" && has_value) {
            folder = words[++i];
        } else {
            wanted.push_back(words[i]);
        }
    }
    for (const Target& target : kTargets) {
        if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), target.name) == wanted.end()) continue;
        std::string made = folder + "/openbell-stress-XXXXXX";
        if (::mkdtemp(made.data()) == nullptr)
            throw Error(ErrorKind::Config, "expected a folder to write to: " + folder);
        const Plan own{std::max<u64>(1, plan.rounds / target.rounds_share), plan.seed, made};
        std::printf("%-10s seed %llu: ", target.name, static_cast<unsigned long long>(plan.seed));
        std::fflush(stdout);
        std::printf("%s\n", target.run(own).c_str());
        std::filesystem::remove_all(made);
    }
    return 0;
}

}  // namespace

void broken(const std::string& what, u64 expected, u64 found) {
    std::fprintf(stderr, "%s: expected %llu, found %llu\n", what.c_str(), static_cast<unsigned long long>(expected),
                 static_cast<unsigned long long>(found));
    std::abort();  // at once, with every thread where it is
}

}  // namespace openbell::stress

int main(int count, char** words) {
    try {
        return openbell::stress::run({words + 1, words + count});
    } catch (const openbell::Error& error) {
        std::fprintf(stderr, "stress: %s\n", error.what());
        return 1;
    }
}
