#include "research/tape_columns.h"

#include <algorithm>

#include "research/intervals.h"

namespace openbell {
namespace {

constexpr u32 kInstrumentIdsMax = 1 << 24;

struct Known {
    const char* name;
    Kind kind;
    std::size_t offset;
    bool is_of_frame;
};

constexpr Known kKnown[] = {
    {"seq", Kind::U64, offsetof(FrameHeader, seq), true},
    {"source", Kind::U16, offsetof(FrameHeader, source), true},
    {"source_seq", Kind::U64, offsetof(FrameHeader, source_seq), true},
    {"ts_recv", Kind::I64, offsetof(FrameHeader, ts_recv), true},
    {"ts_seq", Kind::I64, offsetof(FrameHeader, ts_seq), true},
    {"type", Kind::U8, offsetof(Market, type), false},
    {"flags", Kind::U8, offsetof(Market, flags), false},
    {"tracking", Kind::U16, offsetof(Market, tracking), false},
    {"instrument", Kind::U32, offsetof(Market, instrument), false},
    {"ts_event", Kind::I64, offsetof(Market, ts_event), false},
    {"order_id", Kind::U64, offsetof(Market, order_id), false},
    {"px", Kind::I64, offsetof(Market, px), false},
    {"qty", Kind::I64, offsetof(Market, qty), false},
    {"ref", Kind::U64, offsetof(Market, ref), false},
};

const Known& known_column(const std::string& name) {
    for (const Known& known : kKnown)
        if (name == known.name) return known;
    std::string all;
    for (const std::string& one : tape_column_names()) all += (all.empty() ? "" : ", ") + one;
    throw Error(ErrorKind::Config, "columns: expected some of " + all + "; found '" + name + "'");
}

bool is_market(std::size_t type) {
    return type > 0 && type < std::size_t(Type::Instrument) && type != std::size_t(Type::Timer);
}

template <class Value, class Row>
void gather(const std::vector<Row>& rows, std::size_t offset, bool is_of_frame, u8* to) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const u8* from = is_of_frame ? reinterpret_cast<const u8*>(rows[i].frame) : rows[i].record;
        std::memcpy(to + i * sizeof(Value), from + offset, sizeof(Value));
    }
}

}  // namespace

std::vector<std::string> tape_column_names() {
    std::vector<std::string> names;
    for (const Known& known : kKnown) names.emplace_back(known.name);
    return names;
}

TapeColumns::TapeColumns(const std::string& tape_dir, const TapeQuery& query)
    : reader_(tape_dir),
      start_ns_(query.start_ns),
      end_ns_(query.end_ns),
      late_ns_(late_after(query.end_ns)),
      rows_max_(std::max<std::size_t>(1, query.rows_max)) {
    for (const std::string& name : query.columns) {
        const Known& known = known_column(name);
        columns_.push_back({name, known.kind});
        sources_.push_back({known.offset, known.is_of_frame});
    }
    for (std::size_t type = 0; type < types_.size(); ++type) types_[type] = query.types.empty() && is_market(type);
    for (u8 type : query.types) types_[type] = is_market(type);
    for (u32 id : query.instruments) {
        if (id >= kInstrumentIdsMax)
            throw Error(ErrorKind::Config, "instruments: expected dense ids, found " + std::to_string(id));
        if (id >= instruments_.size()) instruments_.resize(id + 1);
        instruments_[id] = true;
    }
    block_.reserve(kBlockRows);
    if (start_ns_ > std::numeric_limits<i64>::min()) reader_.seek_time(start_ns_);
}

Batch TapeColumns::next() {
    Batch batch;
    for (const Column& column : columns_) batch.buffers.push_back(make_buffer(rows_max_ * width_of(column.kind)));
    while (batch.rows + block_.size() < rows_max_) {
        if (at_ >= frame_.count() && !advance(batch)) break;
        take(std::min(rows_max_ - batch.rows, kBlockRows) - block_.size());
        if (block_.size() == kBlockRows) flush(batch);
    }
    flush(batch);
    return batch;
}

// To the next frame of market data within the times; false at the end of them.
bool TapeColumns::advance(Batch& batch) {
    while (!is_over_) {
        const FrameView view = reader_.next();
        if (!view) reader_.expect_end();
        is_over_ = !view || view.header->ts_seq >= late_ns_;
        if (is_over_) break;
        if (reader_.mapping() != held_) {  // the rows of the block lie in the one before
            flush(batch);
            held_ = reader_.mapping();
        }
        const FrameHeader& header = *view.header;
        if (header.record_size != sizeof(Market) || header.ts_recv < start_ns_ || header.ts_recv >= end_ns_) continue;
        frame_ = view;
        at_ = 0;
        return true;
    }
    frame_ = {&kNoFrame, nullptr};
    at_ = 0;
    return false;
}

// Rows of the frame that are wanted, at most `rows_max`.
void TapeColumns::take(std::size_t rows_max) {
    for (; at_ < frame_.count() && rows_max > 0; ++at_) {
        const auto& record = frame_.as<Market>(at_);
        if (!types_[record.type] || !is_wanted(record.instrument)) continue;
        block_.push_back({frame_.header, frame_.record(at_)});
        --rows_max;
    }
}

void TapeColumns::flush(Batch& batch) {
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        const auto [offset, is_of_frame] = sources_[c];
        u8* to = batch.buffers[c].get() + batch.rows * width_of(columns_[c].kind);
        switch (width_of(columns_[c].kind)) {
            case 1: gather<u8>(block_, offset, is_of_frame, to); break;
            case 2: gather<u16>(block_, offset, is_of_frame, to); break;
            case 4: gather<u32>(block_, offset, is_of_frame, to); break;
            default: gather<u64>(block_, offset, is_of_frame, to); break;
        }
    }
    batch.rows += block_.size();
    block_.clear();
}

}  // namespace openbell
