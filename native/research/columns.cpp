#include "research/columns.h"

#include <cstring>
#include <new>

namespace openbell {
namespace {

constexpr std::align_val_t kBufferAlignment{64};

void copy_strided(const u8* from, std::size_t stride, std::size_t count, std::size_t width, u8* to) {
    for (std::size_t i = 0; i < count; ++i) std::memcpy(to + i * width, from + i * stride, width);
}

}  // namespace

Buffer make_buffer(std::size_t bytes) {
    return Buffer(static_cast<u8*>(::operator new[](bytes, kBufferAlignment)),
                  [](u8* p) { ::operator delete[](p, kBufferAlignment); });
}

Batch transpose(const void* structs, std::size_t size, std::size_t count, const std::vector<Member>& members) {
    Batch batch;
    batch.rows = count;
    for (const Member& member : members) {
        const std::size_t width = width_of(member.column.kind);
        batch.buffers.push_back(make_buffer(count * width));
        copy_strided(static_cast<const u8*>(structs) + member.offset, size, count, width, batch.buffers.back().get());
    }
    return batch;
}

}  // namespace openbell
