// The simulated side of the Disk port: memory with an unsynced layer, that fails and forgets as a disk does.
#pragma once

#include <map>
#include <memory>

#include "journal/disk.h"

namespace openbell {

// `crash` keeps what was synced and, of the rest, only what the seed says: whole files never named, tails cut anywhere,
// sectors of 512 bytes left at their old value or zero.
class SimDisk final : public Disk {
  public:
    SimDisk() = default;
    // Begins with the archive in `dir`, all of it synced, and shows it to others there as a page cache does.
    explicit SimDisk(const std::string& dir);

    std::vector<u8> read(const std::string& name) override;
    void append(const std::string& name, Bytes bytes) override;
    void write_at(const std::string& name, u64 offset, Bytes bytes) override;
    void truncate(const std::string& name, u64 bytes) override;
    void sync(const std::string& name) override;
    void rename(const std::string& from, const std::string& to) override;
    void sync_names() override;

    void crash(u64 seed);
    // The n-th sync from now (1 = the next) fails once; 0 = none does. What it would have written counts as written
    // from then on, and is not: a later sync that succeeds does not bring it back.
    void fail_sync(u32 n) { fail_sync_ = n; }
    // Appends that would need more than this fail half written.
    void set_room(u64 bytes) { room_ = bytes; }
    // The n-th call from now that writes, cuts or names fails once, and nothing of it is done; 0 = none does.
    void fail_call(u32 n) { fail_call_ = n; }
    // The n-th call that changes the disk is not done, and nothing after it is; 0 = none.
    void die_at_call(u32 n) { die_at_call_ = n; }
    u64 failures() const { return failures_; }
    u64 bytes() const;
    std::vector<std::string> names() const;

  private:
    struct File {
        std::vector<u8> now;                     // what a reader sees
        std::vector<u8> synced;                  // what a power loss must keep
        bool is_named = false;                   // its name has reached the disk
        std::size_t lost_from = 0, lost_to = 0;  // bytes that a failed sync gave up
    };
    void look_for_death();
    void look_for_failure(const std::string& what);
    [[noreturn]] void fail(const std::string& what);

    std::unique_ptr<RealDisk> shown_;
    std::map<std::string, File> files_;
    u32 fail_sync_ = 0;
    u32 fail_call_ = 0;
    u32 die_at_call_ = 0;
    u64 room_ = UINT64_MAX;
    u64 failures_ = 0;
};

}  // namespace openbell
