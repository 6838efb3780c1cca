// Runs a fuzz target where the compiler has no libFuzzer: replays a corpus, then mutates it.
//
//     build/fuzz/ouch50 native/fuzz/corpus/ouch50 --runs 1000000 --seed 7
//
// Arguments are files and folders to replay, then how often to mutate (0: only replay) and from which seed; the
// same seed over the same corpus makes the same inputs. A finding ends the process with status 1 and leaves the
// input beside the program, as <program>.finding.
#include "fuzz/driver.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// A report of a sanitizer becomes SIGABRT, for which `on_finding` waits.
extern "C" const char* __asan_default_options() { return "abort_on_error=1:detect_leaks=0"; }
extern "C" const char* __ubsan_default_options() { return "abort_on_error=1:print_stacktrace=1"; }

namespace {

using namespace openbell;
using fuzz::Input;

constexpr u64 kProgressRuns = 1 << 20;
constexpr unsigned kHangSeconds = 20;  // a run that takes longer does not end
constexpr int kFound = 1;
constexpr int kUsage = 2;

// ---- coverage ------------------------------------------------------------------------------------

constexpr std::size_t kEdgesMax = 1 << 16;
std::array<u8, kEdgesMax> edges_seen;
u64 edges = 0;
std::uintptr_t previous_place = 0;

// ---- the run at hand, where a signal handler finds it --------------------------------------------

std::string finding_path;
const Input* running = nullptr;
volatile u64 runs = 0;
u64 runs_at_last_alarm = ~u64(0);
u64 seed = 7;

void on_finding(int signal) {
    const int file = ::open(finding_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    const bool kept =
        running && file >= 0 && ::write(file, running->data(), running->size()) == ssize_t(running->size());
    std::fprintf(stderr, "FINDING in run %llu of seed %llu%s; %s %s\n", static_cast<unsigned long long>(runs),
                 static_cast<unsigned long long>(seed), signal == SIGALRM ? ": it does not end" : "",
                 kept ? "its input is in" : "its input could not be written to", finding_path.c_str());
    std::_Exit(kFound);
}

void on_alarm(int signal) {
    if (runs == runs_at_last_alarm) on_finding(signal);
    runs_at_last_alarm = runs;
    ::alarm(kHangSeconds);
}

// True when the input reached something new.
bool run(const Input& input) {
    running = &input;
    previous_place = 0;
    const u64 edges_before = edges;
    // A block of its own, so that one byte too far is seen.
    const std::unique_ptr<u8[]> exact(new u8[input.size()]);
    std::copy(input.begin(), input.end(), exact.get());
    LLVMFuzzerTestOneInput(exact.get(), input.size());
    running = nullptr;
    return edges != edges_before;
}

// ---- corpus and arguments ------------------------------------------------------------------------

[[noreturn]] void usage(const std::string& wrong) {
    std::fprintf(stderr, "expected FILE|FOLDER... [--runs N] [--seed S], found %s\n", wrong.c_str());
    std::exit(kUsage);
}

Input read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) usage(path.string() + ", which cannot be read");
    return Input(std::istreambuf_iterator<char>(file), {});
}

// By name, so that every machine has the same order.
void read_corpus(const std::filesystem::path& path, std::vector<Input>& corpus) {
    if (!std::filesystem::is_directory(path)) return corpus.push_back(read_file(path));
    std::vector<std::filesystem::path> files(std::filesystem::directory_iterator(path), {});
    std::sort(files.begin(), files.end());
    for (const auto& file : files) corpus.push_back(read_file(file));
}

u64 number(int argc, char** argv, int at) {
    char* end = nullptr;
    const u64 value = at < argc ? std::strtoull(argv[at], &end, 10) : 0;
    if (at >= argc || end == argv[at] || *end) usage(std::string(argv[at - 1]) + " without a number");
    return value;
}

// ---- the loop ------------------------------------------------------------------------------------

using Time = std::chrono::steady_clock;

void report(const char* name, Time::time_point start, std::size_t kept) {
    const double seconds = std::chrono::duration<double>(Time::now() - start).count();
    std::printf("%s: %llu runs, %.0f/s, %zu inputs, %llu edges\n", name, static_cast<unsigned long long>(runs),
                double(runs) / std::max(seconds, 1e-9), kept, static_cast<unsigned long long>(edges));
    std::fflush(stdout);
}

void keep(const Input& input, std::vector<Input>& corpus, fuzz::Mutator& mutator) {
    if (corpus.size() < fuzz::kInputsMax)
        corpus.push_back(input);
    else
        corpus[mutator.below(corpus.size())] = input;
}

void mutate(const char* name, std::vector<Input>& corpus, u64 runs_max, Time::time_point start) {
    fuzz::Mutator mutator(seed);
    Input input;
    while (runs < runs_max) {
        input = corpus[mutator.below(corpus.size())];
        mutator.mutate(input, corpus[mutator.below(corpus.size())]);
        runs = runs + 1;
        if (run(input)) keep(input, corpus, mutator);
        if (runs % kProgressRuns == 0) report(name, start, corpus.size());
    }
}

}  // namespace

// Called at every branch of the target; this file is compiled without it.
extern "C" void __sanitizer_cov_trace_pc() {
    const auto place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
    u8& seen = edges_seen[(place ^ previous_place) % kEdgesMax];
    previous_place = place >> 1;
    if (seen == 0) seen = 1, ++edges;
}

int main(int argc, char** argv) {
    const char* name = std::strrchr(argv[0], '/') ? std::strrchr(argv[0], '/') + 1 : argv[0];
    std::vector<Input> corpus;
    u64 runs_max = 0;
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--runs") == 0)
            runs_max = number(argc, argv, ++i);
        else if (std::strcmp(argv[i], "--seed") == 0)
            seed = number(argc, argv, ++i);
        else if (std::filesystem::exists(argv[i]))
            read_corpus(argv[i], corpus);
        else
            usage(argv[i]);
    }
    if (corpus.empty()) usage("no input");

    finding_path = std::string(argv[0]) + ".finding";
    std::signal(SIGABRT, on_finding);
    std::signal(SIGALRM, on_alarm);
    ::alarm(kHangSeconds);
    std::printf("%s: seed %llu, %zu inputs of the corpus\n", name, static_cast<unsigned long long>(seed),
                corpus.size());
    std::fflush(stdout);
    const auto start = Time::now();
    for (const Input& input : corpus) run(input);
    mutate(name, corpus, runs_max, start);
    report(name, start, corpus.size());
    return 0;
}
