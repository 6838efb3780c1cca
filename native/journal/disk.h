// The Disk port: what the journal asks of durable storage, one directory of flat names.
//
// Every call throws Error(Journal) when it fails. A failed sync is final: the pages it would have written
// may already be marked clean, so nobody retries it (the caller stops).
#pragma once

#include <array>
#include <string>
#include <vector>

#include "journal/mapping.h"

namespace openbell {

class Disk {
  public:
    virtual ~Disk() = default;
    virtual std::vector<u8> read(const std::string& name) = 0;                    // empty when absent
    virtual void append(const std::string& name, Bytes bytes) = 0;                // creates the file
    virtual void write_at(const std::string& name, u64 offset, Bytes bytes) = 0;  // creates the file
    virtual void truncate(const std::string& name, u64 bytes) = 0;
    virtual void sync(const std::string& name) = 0;  // contents, and size
    virtual void rename(const std::string& from, const std::string& to) = 0;
    virtual void sync_names() = 0;  // creations and renames
};

// A directory of the file system.
class RealDisk final : public Disk {
  public:
    explicit RealDisk(std::string dir);
    std::vector<u8> read(const std::string& name) override;
    void append(const std::string& name, Bytes bytes) override;
    void write_at(const std::string& name, u64 offset, Bytes bytes) override;
    void truncate(const std::string& name, u64 bytes) override;
    void sync(const std::string& name) override;
    void rename(const std::string& from, const std::string& to) override;
    void sync_names() override;
    const std::string& dir() const { return dir_; }
    // One archiver per directory. Throws JournalLocked; held until the disk goes.
    void lock();

  private:
    std::string path(const std::string& name) const { return dir_ + "/" + name; }
    int opened(const std::string& name);

    struct Open {
        std::string name;
        Fd fd;
    };
    std::string dir_;
    std::array<Open, 2> open_;  // the files used last: a segment and the watermark are written many times
    Fd lock_;
};

// After a directory was made: its name, and those of the folders above it. What is not ours is left to its owner.
void sync_path_to(const std::string& dir);

// Write under another name, sync, rename, sync the directory: a reader sees the old file or the new one.
void replace_durably(Disk& disk, const std::string& name, Bytes bytes);

}  // namespace openbell
