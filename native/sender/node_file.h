// Where a node's shared memory lies, from its name, its hot directory or its file; as src/openbell/ops/find.py finds
// it.
#pragma once

#include <string>

namespace openbell {

inline constexpr char kSharedMemory[] = "/dev/shm/openbell";

// `node` empty: the only node of this host. Throws Config: there is none, or more than one.
std::string find_hot_dir(const std::string& node);

}  // namespace openbell
