// openbell-kill: closes the gate of a node, by its cell or its control socket. No Python, no configuration: it starts
// in about a millisecond. `openbell kill` runs it first and reports afterwards what it did; docs/control.md.
//
//   openbell-kill [NODE] [--all | --strategy NAME | --instrument SYMBOL] [--soft | --hard | --cord] [--why TEXT]
//
// Exit codes: 0 closed; 2 there is no such node or it refused, nothing was done; 3 closed, the trading thread did not
// answer; 64 the command line is wrong, nothing was done.
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "journal/control.h"
#include "journal/kill_cell.h"
#include "sender/node_file.h"

namespace openbell {
namespace {

constexpr int kRefused = 2, kNotAnswered = 3, kUsage = 64;
constexpr i64 kAnswerWithinNs = 75'000'000;  // the warden loses patience after 50 ms; this leaves it time to act
constexpr i64 kSpinNs = 20'000;              // it may answer at once; after that it may need this processor
constexpr timespec kNap{0, 50'000};
constexpr timeval kSocketPatience{5, 0};

i64 clock_ns(clockid_t id) {
    timespec now{};
    ::clock_gettime(id, &now);
    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

struct Options {
    std::string node, strategy, instrument, why;
    KillLevel level = KillLevel::Hard;
    bool is_all = false;
    bool is_for_machines = false;  // one line of numbers, for `openbell kill`
};

struct Asked {
    i64 at_ns = 0;
    i64 closed_ns = 0;
    bool was_killed = false;
    i64 answered_ns = -1;  // not at all
    u64 after_seq = 0;     // of the journal, when it was asked
};

const char* name_of(KillLevel level) {
    return level == KillLevel::Soft ? "soft" : level == KillLevel::Hard ? "hard" : "cord";
}

bool take_level(std::string_view word, KillLevel& level) {
    for (const KillLevel known : {KillLevel::Soft, KillLevel::Hard, KillLevel::Cord}) {
        if (word != name_of(known)) continue;
        level = known;
        return true;
    }
    return false;
}

bool parse(const std::vector<std::string>& words, Options& out) {
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        const bool has_value = i + 1 < words.size();
        if (word == "--all")
            out.is_all = true;
        else if (word == "--numbers")
            out.is_for_machines = true;
        else if (word == "--json")
            continue;  // the report's
        else if (word == "--strategy" && has_value)
            out.strategy = words[++i];
        else if (word == "--instrument" && has_value)
            out.instrument = words[++i];
        else if (word == "--why" && has_value)
            out.why = words[++i];
        else if (word == "--level" && has_value && take_level(words[++i], out.level))
            continue;
        else if (word.starts_with("--") && take_level(std::string_view(word).substr(2), out.level))
            continue;
        else if (!word.starts_with("-") && out.node.empty())
            out.node = word;
        else
            return false;
    }
    const int scopes = int(out.is_all) + int(!out.strategy.empty()) + int(!out.instrument.empty());
    return scopes <= 1 && (out.level != KillLevel::Cord || (out.strategy.empty() && out.instrument.empty()));
}

template <class IsAnswered>
void await(Asked& asked, i64 began, IsAnswered&& is_answered) {
    for (i64 waited = 0; waited < kAnswerWithinNs; waited = clock_ns(CLOCK_MONOTONIC) - began) {
        if (is_answered()) {
            asked.answered_ns = clock_ns(CLOCK_MONOTONIC) - began;
            return;
        }
        if (waited >= kSpinNs) ::nanosleep(&kNap, nullptr);
    }
}

Asked kill_node(KillCell& cell, KillLevel level) {
    Asked asked{.at_ns = clock_ns(CLOCK_REALTIME), .was_killed = cell.level() >= level};
    const i64 began = clock_ns(CLOCK_MONOTONIC);
    cell.request(level, asked.at_ns, ::getuid());
    cell.await_sends();
    asked.closed_ns = clock_ns(CLOCK_MONOTONIC) - began;
    cell.ring();
    await(asked, began, [&] { return cell.acked() >= level; });
    return asked;
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (u8(c) >= 0x20) out += c;
    }
    return out + "\"";
}

std::string ask(const std::string& path, const std::string& line) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw Error(ErrorKind::Net, path + ": too long for a socket");
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const Fd sock(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::setsockopt(sock.get(), SOL_SOCKET, SO_RCVTIMEO, &kSocketPatience, sizeof kSocketPatience);
    if (::connect(sock.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::send(sock.get(), line.data(), line.size(), MSG_NOSIGNAL) != ssize_t(line.size()))
        throw Error(ErrorKind::Net, path + ": expected the node's control process, found: " + std::strerror(errno) +
                                        "; openbell-kill NODE --all works without it");
    std::string said;
    char part[4096];
    while (said.find('\n') == std::string::npos) {
        const ssize_t n = ::recv(sock.get(), part, sizeof part, 0);
        if (n <= 0) throw Error(ErrorKind::Net, path + ": the control process did not answer; use --all");
        said.append(part, std::size_t(n));
    }
    return said;
}

Asked kill_scope(const std::string& hot_dir, KillCell& cell, const Options& options) {
    const bool is_strategy = !options.strategy.empty();
    const std::string line = std::string("{\"verb\": \"kill\", \"level\": \"") + name_of(options.level) + "\", \"" +
                             (is_strategy ? "strategy" : "instrument") +
                             "\": " + quoted(is_strategy ? options.strategy : options.instrument) +
                             ", \"why\": " + quoted(options.why) + "}\n";
    Asked asked{.at_ns = clock_ns(CLOCK_REALTIME)};
    const i64 began = clock_ns(CLOCK_MONOTONIC);
    const std::string said = ask(hot_dir + "/control.sock", line);
    if (said.find("\"ok\": true") == std::string::npos) throw Error(ErrorKind::Net, "refused: " + said);
    asked.closed_ns = clock_ns(CLOCK_MONOTONIC) - began;
    await(asked, began, [&] { return !cell.awaits_scoped(); });
    return asked;
}

void tell(const Asked& asked, const Options& options, const std::string& hot_dir) {
    if (options.is_for_machines) {
        std::printf("%lld %lld %d %lld %llu\n", static_cast<long long>(asked.at_ns),
                    static_cast<long long>(asked.closed_ns), int(asked.was_killed),
                    static_cast<long long>(asked.answered_ns), static_cast<unsigned long long>(asked.after_seq));
        return;
    }
    const std::string& what = options.strategy.empty() ? options.instrument : options.strategy;
    std::printf("%s: %s kill%s%s: gate closed within %.0f us\n", hot_dir.c_str(), name_of(options.level),
                what.empty() ? "" : " of ", what.c_str(), double(asked.closed_ns) / 1e3);
    if (asked.answered_ns >= 0)
        std::printf("trading thread answered after %.2f ms\n", double(asked.answered_ns) / 1e6);
    else
        std::printf("the trading thread did not answer within 50 ms; where it trades, the warden shuts its sockets\n");
}

int run(const std::vector<std::string>& words) {
    Options options;
    if (!parse(words, options)) {
        std::fprintf(stderr,
                     "usage: openbell-kill [NODE] [--all | --strategy NAME | --instrument SYMBOL] "
                     "[--soft | --hard | --cord] [--why TEXT]; nothing was done\n");
        return kUsage;
    }
    try {
        const std::string hot_dir = find_hot_dir(options.node);
        const JournalControl page = JournalControl::attach(hot_dir, false);
        const u64 after_seq = page ? page->committed_seq.load(std::memory_order_acquire) : 0;
        KillCell cell = KillCell::open(hot_dir + "/kill");
        const bool is_node = options.strategy.empty() && options.instrument.empty();
        Asked asked = is_node ? kill_node(cell, options.level) : kill_scope(hot_dir, cell, options);
        asked.after_seq = after_seq;
        tell(asked, options, hot_dir);
        return asked.answered_ns >= 0 ? 0 : kNotAnswered;
    } catch (const Error& error) {
        std::fprintf(stderr, "openbell-kill: %s\n", error.what());
        return kRefused;
    }
}

}  // namespace
}  // namespace openbell

int main(int count, char** words) { return openbell::run({words + 1, words + count}); }
