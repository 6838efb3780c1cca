#include "journal/packed.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "journal/segment.h"

namespace openbell {
namespace {

constexpr const char* kPacked = ".zst";

std::atomic<Unpack> unpack{nullptr};  // set once, before the first reader

// The segment unpacked last, for as long as a reader stands in it. A file that replaced it is another one.
struct Recent {
    std::string path;
    struct stat file{};
    std::weak_ptr<const Mapping> mapping;

    std::shared_ptr<const Mapping> find(const std::string& wanted, const struct stat& now) const {
        const bool is_it = wanted == path && now.st_ino == file.st_ino && now.st_size == file.st_size &&
                           now.st_mtim.tv_sec == file.st_mtim.tv_sec && now.st_mtim.tv_nsec == file.st_mtim.tv_nsec;
        return is_it ? mapping.lock() : nullptr;
    }
};
std::mutex recent_guard;
Recent recent;

std::shared_ptr<const Mapping> unpacked(const std::string& path) {
    struct stat file{};
    if (::stat(path.c_str(), &file) != 0) throw_errno("stat", path);
    {
        const std::lock_guard lock(recent_guard);
        if (auto there = recent.find(path, file)) return there;
    }
    const Unpack how = unpack.load(std::memory_order_acquire);
    if (!how) throw Error(ErrorKind::Journal, "expected a plain segment, found " + path + " packed; unpack it first");
    const Fd memory = how(path);  // without the lock: it may wait for the interpreter
    auto mapping = std::make_shared<const Mapping>(Mapping::of_descriptor(memory.get(), path));
    const std::lock_guard lock(recent_guard);
    recent = {path, file, mapping};
    return mapping;
}

}  // namespace

void install_unpack(Unpack how) { unpack.store(how, std::memory_order_release); }

OpenSegment open_segment(const std::string& dir, u64 number) {
    const std::string plain = dir + "/" + segment_name(number);
    if (!file_exists(plain) && file_exists(plain + kPacked)) return {unpacked(plain + kPacked), plain + kPacked, true};
    return {std::make_shared<const Mapping>(Mapping::open_readable(plain)), plain, false};
}

std::vector<u64> readable_segments_in(const std::string& dir) {
    std::vector<u64> numbers = segments_in(dir);
    const std::vector<u64> packed = segments_in(dir, kPacked);
    numbers.insert(numbers.end(), packed.begin(), packed.end());
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    return numbers;
}

}  // namespace openbell
