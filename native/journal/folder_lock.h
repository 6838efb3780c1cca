// LOCK in a journal's folder: whatever writes there belongs to one hot folder (law 1).
//
// The file is locked (flock) for as long as any process of the node lives: its supervisor, its writer, its archiver.
// They share the lock, and the hot folder that the file names is theirs. The kernel frees it with the last of them,
// however that ended. Among processes of one hot folder journal.ctl has the writer's lock.
#pragma once

#include <string>

#include "owned_fd.h"

namespace openbell {

inline constexpr char kFolderLockName[] = "LOCK";

// A share of the lock for the life of the descriptor. Makes both folders; of the journal's it reads nothing else.
// Throws JournalLocked, naming the holder, while processes of another hot folder live.
Fd lock_folder(const std::string& journal_dir, const std::string& hot_dir);

}  // namespace openbell
