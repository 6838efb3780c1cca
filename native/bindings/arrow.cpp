#include "bindings/arrow.h"

#include <array>
#include <cerrno>

namespace nb = nanobind;

namespace openbell {
namespace {

std::string format_of(const Column& column) {
    constexpr const char* kFormats[] = {"C", "S", "I", "L", "l", "g"};
    if (column.kind == Kind::Decimal) return "d:38," + std::to_string(column.scale);
    return kFormats[std::size_t(column.kind)];
}

// ---- schema: a struct of the columns ---------------------------------------------------------------

struct SchemaParts {
    std::string format;
    std::string name;
    std::vector<ArrowSchema> children;
    std::vector<ArrowSchema*> pointers;
};

void release_schema(ArrowSchema* schema) {
    auto* parts = static_cast<SchemaParts*>(schema->private_data);
    for (ArrowSchema* child : parts->pointers)
        if (child->release) child->release(child);
    delete parts;
    schema->release = nullptr;
}

void fill_schema(ArrowSchema& out, std::string format, std::string name, std::vector<ArrowSchema> children = {}) {
    auto* parts = new SchemaParts{std::move(format), std::move(name), std::move(children), {}};
    for (ArrowSchema& child : parts->children) parts->pointers.push_back(&child);
    out = {parts->format.c_str(),
           parts->name.c_str(),
           nullptr,
           0,
           std::int64_t(parts->children.size()),
           parts->pointers.data(),
           nullptr,
           &release_schema,
           parts};
}

void export_schema(const std::vector<Column>& columns, ArrowSchema& out) {
    std::vector<ArrowSchema> children(columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) fill_schema(children[i], format_of(columns[i]), columns[i].name);
    fill_schema(out, "+s", "", std::move(children));
}

// ---- arrays ----------------------------------------------------------------------------------------

struct ArrayParts {
    Buffer values;                         // null for the struct
    std::array<const void*, 2> buffers{};  // validity (none: nothing is null), values
    std::vector<ArrowArray> children;
    std::vector<ArrowArray*> pointers;
};

void release_array(ArrowArray* array) {
    auto* parts = static_cast<ArrayParts*>(array->private_data);
    for (ArrowArray* child : parts->pointers)
        if (child->release) child->release(child);
    delete parts;
    array->release = nullptr;
}

void fill_array(ArrowArray& out, std::size_t rows, Buffer values, std::vector<ArrowArray> children = {}) {
    auto* parts = new ArrayParts{std::move(values), {}, std::move(children), {}};
    parts->buffers[1] = parts->values.get();
    for (ArrowArray& child : parts->children) parts->pointers.push_back(&child);
    out = {std::int64_t(rows),
           0,
           0,
           parts->values ? 2 : 1,
           std::int64_t(parts->children.size()),
           parts->buffers.data(),
           parts->pointers.data(),
           nullptr,
           &release_array,
           parts};
}

void export_batch(const Batch& batch, ArrowArray& out) {
    std::vector<ArrowArray> children(batch.buffers.size());
    for (std::size_t i = 0; i < children.size(); ++i) fill_array(children[i], batch.rows, batch.buffers[i]);
    fill_array(out, batch.rows, nullptr, std::move(children));
}

// ---- stream ----------------------------------------------------------------------------------------

struct StreamParts {
    std::shared_ptr<BatchSource> source;
    std::string error;
};

// No exception crosses the C interface.
template <class Act>
int guarded(ArrowArrayStream* stream, Act act) {
    auto* parts = static_cast<StreamParts*>(stream->private_data);
    try {
        act(*parts->source);
        return 0;
    } catch (const std::exception& error) {
        parts->error = error.what();
        return EIO;
    }
}

int get_schema(ArrowArrayStream* stream, ArrowSchema* out) {
    return guarded(stream, [&](BatchSource& source) { export_schema(source.columns(), *out); });
}

int get_next(ArrowArrayStream* stream, ArrowArray* out) {
    return guarded(stream, [&](BatchSource& source) {
        const Batch batch = source.next();
        *out = {};  // released already: the end
        if (batch.rows > 0) export_batch(batch, *out);
    });
}

const char* get_last_error(ArrowArrayStream* stream) {
    return static_cast<StreamParts*>(stream->private_data)->error.c_str();
}

void release_stream(ArrowArrayStream* stream) {
    delete static_cast<StreamParts*>(stream->private_data);
    stream->release = nullptr;
}

void drop_stream(void* p) noexcept {
    auto* stream = static_cast<ArrowArrayStream*>(p);
    if (stream->release) stream->release(stream);  // nobody took it
    delete stream;
}

}  // namespace

nb::capsule arrow_stream_of(std::shared_ptr<BatchSource> source) {
    auto* parts = new StreamParts{std::move(source), {}};
    auto* stream = new ArrowArrayStream{&get_schema, &get_next, &get_last_error, &release_stream, parts};
    return nb::capsule(stream, "arrow_array_stream", drop_stream);
}

}  // namespace openbell
