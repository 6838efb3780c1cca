#include "journal/sim_disk.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "clock.h"
#include "journal/control.h"

namespace openbell {
namespace {

constexpr std::size_t kSectorBytes = 512;

bool is_archive(const std::filesystem::path& path) {
    return path.extension() == ".seg" || path.filename() == kWatermarkName;
}

// Numbers below `below` that follow from the seed.
struct Draw {
    u64 seed;
    u64 operator()(u64 below) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        return (seed >> 33) % below;
    }
};

}  // namespace

SimDisk::SimDisk(const std::string& dir) : shown_(std::make_unique<RealDisk>(dir)) {
    for (const auto& entry : std::filesystem::directory_iterator(dir)) {
        if (!entry.is_regular_file() || !is_archive(entry.path())) continue;
        const std::vector<u8> bytes = shown_->read(entry.path().filename());
        files_[entry.path().filename()] = File{bytes, bytes, true};
    }
}

std::vector<u8> SimDisk::read(const std::string& name) {
    const auto it = files_.find(name);
    return it == files_.end() ? std::vector<u8>{} : it->second.now;
}

void SimDisk::look_for_death() {
    if (die_at_call_ != 0 && --die_at_call_ == 0) throw SimulatedDeath();
}

void SimDisk::look_for_failure(const std::string& what) {
    if (fail_call_ != 0 && --fail_call_ == 0) fail(what + ": simulated input/output error");
}

void SimDisk::fail(const std::string& what) {
    ++failures_;
    throw Error(ErrorKind::Journal, "cannot " + what);
}

void SimDisk::append(const std::string& name, Bytes bytes) { write_at(name, files_[name].now.size(), bytes); }

void SimDisk::write_at(const std::string& name, u64 offset, Bytes bytes) {
    look_for_death();
    look_for_failure("write " + name);
    File& file = files_[name];
    const std::size_t end = std::size_t(offset) + bytes.size();
    const std::size_t grows = end > file.now.size() ? end - file.now.size() : 0;
    const u64 used = this->bytes();
    const std::size_t fits = used + grows <= room_
                                 ? bytes.size()
                                 : bytes.size() - grows + std::min(grows / 2, room_ - std::min(room_, used));
    if (file.now.size() < offset + fits) file.now.resize(offset + fits);
    std::copy(bytes.begin(), bytes.begin() + std::ptrdiff_t(fits), file.now.begin() + std::ptrdiff_t(offset));
    // Written again, the pages that a failed sync gave up are dirty again.
    if (offset <= file.lost_from) file.lost_from = std::min(std::max(file.lost_from, offset + fits), file.lost_to);
    if (shown_) shown_->write_at(name, offset, bytes.first(fits));
    if (fits < bytes.size()) fail("write " + name + ": simulated: no space left on device");
}

void SimDisk::truncate(const std::string& name, u64 bytes) {
    look_for_death();
    look_for_failure("cut " + name);
    File& file = files_[name];
    file.now.resize(bytes);
    file.lost_to = std::min(file.lost_to, std::size_t(bytes));
    if (shown_) shown_->truncate(name, bytes);
}

void SimDisk::sync(const std::string& name) {
    look_for_death();
    File& file = files_[name];
    if (fail_sync_ != 0 && --fail_sync_ == 0) {
        file.lost_from = std::min(file.synced.size(), file.now.size());
        file.lost_to = file.now.size();
        fail("sync " + name + ": simulated input/output error");
    }
    file.synced = file.now;
    const std::size_t to = std::min(file.lost_to, file.now.size());
    for (std::size_t i = file.lost_from; i < to; ++i) file.synced[i] = 0;
}

void SimDisk::rename(const std::string& from, const std::string& to) {
    look_for_death();
    look_for_failure("rename " + from);
    File file = std::move(files_[from]);
    files_.erase(from);
    const bool is_known = files_.contains(to);
    const bool is_shown = shown_ && file_exists(shown_->dir() + "/" + to);  // the writer's, and durable
    const bool replaces_named = is_known ? files_[to].is_named : is_shown;
    file.is_named = file.is_named || replaces_named;
    files_[to] = std::move(file);
    if (shown_) shown_->rename(from, to);
}

void SimDisk::sync_names() {
    look_for_death();
    look_for_failure("sync the folder");
    for (auto& [name, file] : files_) file.is_named = true;
}

void SimDisk::crash(u64 seed) {
    Draw draw{seed};
    for (auto it = files_.begin(); it != files_.end();) {
        File& file = it->second;
        const auto& [now, synced, is_named, lost_from, lost_to] = file;
        if (!is_named && draw(2) == 0) {
            if (shown_) ::unlink((shown_->dir() + "/" + it->first).c_str());
            it = files_.erase(it);
            continue;
        }
        // The size after the crash lies between the synced one and the present one.
        std::vector<u8> kept = synced;
        if (now.size() > synced.size()) kept.resize(synced.size() + draw(now.size() - synced.size() + 1));
        for (std::size_t at = 0; at < std::min(kept.size(), now.size()); at += kSectorBytes) {
            const std::size_t end = std::min({at + kSectorBytes, kept.size(), now.size()});
            const bool is_lost = at < lost_to && end > lost_from;
            if (!is_lost && draw(2) == 0)
                std::copy(now.begin() + long(at), now.begin() + long(end), kept.begin() + long(at));
        }
        if (shown_) {
            shown_->truncate(it->first, 0);
            shown_->append(it->first, kept);
        }
        file = File{kept, kept, true};
        ++it;
    }
}

u64 SimDisk::bytes() const {
    u64 sum = 0;
    for (const auto& [name, file] : files_) sum += file.now.size();
    return sum;
}

std::vector<std::string> SimDisk::names() const {
    std::vector<std::string> names;
    for (const auto& [name, file] : files_) names.push_back(name);
    return names;
}

}  // namespace openbell
