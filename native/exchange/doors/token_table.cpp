#include "exchange/doors/token_table.h"

namespace openbell::exchange {

TokenTable::TokenTable(std::size_t names_max)
    : names_max_(names_max), cells_(names_max + names_max / 3 + 4, "tokens_max") {
    if (cells_.size() >= kNone)
        throw Error(ErrorKind::Config, "tokens_max: expected fewer than 3221225468, found " +
                                           std::to_string(names_max) + "; set [limits] tokens_max");
}

void TokenTable::undo(u32 cell, u64 hash) {
    keys_hash_ -= hash;
    cells_[cell] = Cell{};
    --count_;
}

void TokenTable::save(StateWriter& out) const {
    out.put(u64(count_));
    out.put(keys_hash_);
}

}  // namespace openbell::exchange
