// CRC32C (Castagnoli, RFC 3720 appendix B.4): the damage check of every frame.
#pragma once

#include "bytes.h"

namespace openbell {

// The CRC of `bytes`; by the processor's own instruction where there is one (SSE4.2), else by table.
u32 crc32c(Bytes bytes);

// The table form alone, so that tests can compare the two.
u32 crc32c_table(Bytes bytes);

bool crc32c_is_hardware();

}  // namespace openbell
