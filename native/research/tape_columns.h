// Market records of a tape as columns: one pass over the mapped frames, into the columns that were asked for.
#pragma once

#include <bitset>
#include <limits>

#include "journal/reader.h"
#include "research/columns.h"

namespace openbell {

struct TapeQuery {
    std::vector<std::string> columns;                // of `tape_column_names()`
    std::vector<u32> instruments;                    // empty: all, records of no instrument too
    std::vector<u8> types;                           // empty: all market data
    i64 start_ns = std::numeric_limits<i64>::min();  // first time of receipt
    i64 end_ns = std::numeric_limits<i64>::max();    // first one that is too late
    std::size_t rows_max = 1 << 20;                  // of a batch
};

// Of the frame: seq, source, source_seq, ts_recv, ts_seq. Of the record: the members of `Market`.
std::vector<std::string> tape_column_names();

class TapeColumns final : public BatchSource {
  public:
    // Throws Config for a column that is not known, Journal when there is no tape.
    TapeColumns(const std::string& tape_dir, const TapeQuery& query);

    const std::vector<Column>& columns() const override { return columns_; }
    Batch next() override;

  private:
    struct Row {
        const FrameHeader* frame;
        const u8* record;
    };
    struct Source {
        std::size_t offset;  // in the frame's header or the record
        bool is_of_frame;
    };
    static constexpr std::size_t kBlockRows = 1024;
    static constexpr FrameHeader kNoFrame{};  // holds no records

    bool advance(Batch& batch);
    void take(std::size_t rows_max);
    bool is_wanted(u32 id) const { return instruments_.empty() || (id < instruments_.size() && instruments_[id]); }
    void flush(Batch& batch);

    JournalReader reader_;
    std::vector<Column> columns_;
    std::vector<Source> sources_;
    std::bitset<256> types_;
    std::vector<bool> instruments_;
    i64 start_ns_;
    i64 end_ns_;
    i64 late_ns_;  // nothing sequenced from here on was received before the end
    bool is_over_ = false;
    std::size_t rows_max_;
    std::shared_ptr<const Mapping> held_;  // what the rows of the block lie in
    std::vector<Row> block_;
    FrameView frame_{&kNoFrame, nullptr};  // being taken
    std::size_t at_ = 0;                   // its next record
};

}  // namespace openbell
