// Columns of values, as Arrow and NumPy want them: what research hands out, a batch at a time.
//
// Records lie one behind the other in a tape and a column's values must lie side by side, so one copy is made,
// from the mapped tape into the column; nothing behind it copies again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "records.h"

namespace openbell {

// The Arrow type of a column. Decimal: 128 bits, exact, with a scale.
enum class Kind : u8 { U8, U16, U32, U64, I64, F64, Decimal };
constexpr std::size_t width_of(Kind kind) {
    constexpr std::size_t kWidths[] = {1, 2, 4, 8, 8, 8, 16};
    return kWidths[std::size_t(kind)];
}

struct Column {
    std::string name;
    Kind kind = Kind::I64;
    int scale = 0;  // Decimal: digits after the point
};

using Buffer = std::shared_ptr<u8[]>;
Buffer make_buffer(std::size_t bytes);  // aligned as Arrow recommends, contents undefined

// `rows` values of each column. Buffers are shared with whoever imported them and never change again.
struct Batch {
    std::vector<Buffer> buffers;
    std::size_t rows = 0;
};

// Where batches come from, in the order of `columns`; an empty one ends them. Throws what reading throws.
class BatchSource {
  public:
    virtual ~BatchSource() = default;
    virtual const std::vector<Column>& columns() const = 0;
    virtual Batch next() = 0;
};

// A column made of one member of structs that lie one behind the other.
struct Member {
    Column column;
    std::size_t offset;
};
// All of them as one batch.
Batch transpose(const void* structs, std::size_t size, std::size_t count, const std::vector<Member>& members);

}  // namespace openbell
