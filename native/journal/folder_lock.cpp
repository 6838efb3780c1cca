#include "journal/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "journal/mapping.h"

namespace openbell {
namespace {

constexpr std::size_t kHolderBytesMax = 8192;
constexpr int kTriesMax = 1000;  // a millisecond each; whoever writes the file needs some microseconds

std::string first_line_of(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

struct stat status_of(const std::string& path) {
    struct stat st{};
    if (::stat(path.c_str(), &st) != 0) throw_errno("stat", path);
    return st;
}

// Two containers may give different folders one path. The boot is the kernel's own, and what it mounted has a number.
std::string identity_of(const std::string& hot_dir) {
    const struct stat st = status_of(hot_dir);
    return first_line_of("/proc/sys/kernel/random/boot_id") + "/" + std::to_string(st.st_dev) + "/" +
           std::to_string(st.st_ino);
}

// What the file says of who holds it: one `name value` a line.
std::string describe(const std::string& hot_dir) {
    return "hot " + std::filesystem::canonical(hot_dir).string() + "\npid " + std::to_string(::getpid()) + "\nhost " +
           first_line_of("/proc/sys/kernel/hostname") + "\nfolder " + identity_of(hot_dir) + "\n";
}

std::string told(const std::string& description, const std::string& name) {
    std::istringstream lines(description);
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind(name + " ", 0) == 0) return line.substr(name.size() + 1);
    }
    return "unknown";
}

void write_description(const Fd& fd, const std::string& path, const std::string& text) {
    if (::ftruncate(fd.get(), 0) != 0) throw_errno("truncate", path);
    for (std::size_t at = 0; at < text.size();) {
        const ssize_t n = ::pwrite(fd.get(), text.data() + at, text.size() - at, off_t(at));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) throw_errno("write", path);
        at += std::size_t(n);
    }
}

std::string read_description(const Fd& fd, const std::string& path) {
    std::array<char, kHolderBytesMax> text;
    const ssize_t n = ::pread(fd.get(), text.data(), text.size(), 0);
    if (n < 0) throw_errno("read", path);
    return {text.data(), std::size_t(n)};
}

bool locks(const Fd& fd, int how, const std::string& path) {
    if (::flock(fd.get(), how | LOCK_NB) == 0) return true;
    if (errno == EWOULDBLOCK) return false;
    throw Error(ErrorKind::Journal, "cannot lock " + path + ": " + std::strerror(errno) +
                                        "; a journal lies on a file system that has locks (flock), or a second node "
                                        "could write into it");
}

// Processes that hold it now, as far as this one may know them: who wrote the file may have ended before the others.
std::string holders(const std::string& path, const std::string& description) {
    const struct stat st = status_of(path);
    std::array<char, 64> place;
    std::snprintf(place.data(), place.size(), "%02x:%02x:%lu", major(st.st_dev), minor(st.st_dev), st.st_ino);
    std::ifstream table("/proc/locks");
    std::set<std::string> pids;
    for (std::string line; std::getline(table, line);) {
        std::istringstream fields(line);
        std::string number, kind, sort, mode, pid, where;
        fields >> number >> kind >> sort >> mode >> pid >> where;
        if (kind == "FLOCK" && where == place.data()) pids.insert(pid);
    }
    std::string all;
    for (const std::string& pid : pids) all += (all.empty() ? "" : ", ") + pid;
    return all.empty() ? told(description, "pid") : all;
}

[[noreturn]] void throw_held(const std::string& journal_dir, const std::string& path, const std::string& description) {
    throw Error(ErrorKind::JournalLocked,
                "journal has one node: expected " + journal_dir +
                    " to be free, found it held by the node with the hot " + "folder " + told(description, "hot") +
                    ", pid " + holders(path, description) + " on host " + told(description, "host") + " (" + path +
                    "); nothing was read or written: stop that node first, or give this one a journal_dir of its own");
}

}  // namespace

Fd lock_folder(const std::string& journal_dir, const std::string& hot_dir) {
    make_directories(journal_dir);
    make_directories(hot_dir);
    const std::string path = journal_dir + "/" + kFolderLockName;
    Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
    if (!fd) throw_errno("open", path);
    for (int i = 0; i < kTriesMax; ++i) {
        // Nobody holds it: the file names our hot folder before anyone shares. Where another comes between the two
        // locks, the file names theirs.
        if (locks(fd, LOCK_EX, path)) write_description(fd, path, describe(hot_dir));
        if (locks(fd, LOCK_SH, path)) {
            const std::string description = read_description(fd, path);
            if (told(description, "folder") == identity_of(hot_dir)) return fd;
            locks(fd, LOCK_UN, path);  // or this process would be named as one that holds it
            throw_held(journal_dir, path, description);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    throw_held(journal_dir, path, read_description(fd, path));
}

}  // namespace openbell
