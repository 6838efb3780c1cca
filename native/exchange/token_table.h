// The names of orders that accounts have used today, and which open order bears one now.
//
// Open addressing with linear probes, at most 3/4 full: 32 bytes a name. The table has its size from the start and
// pages are touched as it fills, so a day costs what it uses and never more than `names_max` allows.
#pragma once

#include "exchange/lazy_array.h"
#include "state.h"
#include "wire/layout.h"

namespace openbell::exchange {

// OUCH 4.2: the token. OUCH 5.0: NUL, the channel and the UserRefNum, so that no token can look like one.
using OrderName = Alpha<14>;

class TokenTable {
  public:
    static constexpr u32 kNone = 0xFFFF'FFFF;

    explicit TokenTable(std::size_t names_max);

    // The cell of a name, kNone if it is unused.
    u32 find(u32 account, const OrderName& name) const {
        const u32 cell = cell_of(account, name);
        return cells_[cell].owner ? cell : kNone;
    }
    struct Claim {
        u32 cell;
        bool is_new;  // false: the name was used before, and nothing changed
    };
    // Puts a name into the table. Not when it is full.
    Claim claim(u32 account, const OrderName& name) {
        const u32 cell = cell_of(account, name);
        if (cells_[cell].owner) return {cell, false};
        cells_[cell] = {account + 1, 0, name, 0};
        ++count_;
        keys_hash_ += hash_of(account, name);
        return {cell, true};
    }
    // Takes out the name that was put in last: no probe has gone past it.
    void undo(u32 cell);

    // The open order of a name, as the caller numbers them; 0: none, or none any more.
    u32 order(u32 cell) const { return cells_[cell].order; }
    void set_order(u32 cell, u32 order) { cells_[cell].order = order; }

    bool is_full() const { return count_ >= names_max_; }
    void save(StateWriter& out) const;

  private:
    struct Cell {
        u32 owner;  // account + 1; 0: empty
        u32 order;
        OrderName name;
        u16 pad;
    };
    static_assert(sizeof(Cell) == 24 && std::is_trivially_copyable_v<Cell>);

    static u64 hash_of(u32 account, const OrderName& name) {
        u64 words[2] = {};
        std::memcpy(words, name.chars.data(), sizeof name);
        return hash_bytes({reinterpret_cast<const u8*>(words), sizeof words}, account);
    }
    // Where the name stands, or the empty cell where it would.
    u32 cell_of(u32 account, const OrderName& name) const {
        std::size_t cell = std::size_t(static_cast<u128>(hash_of(account, name)) * cells_.size() >> 64);
        while (cells_[cell].owner && !(cells_[cell].owner == account + 1 && cells_[cell].name == name))
            if (++cell == cells_.size()) cell = 0;
        return u32(cell);
    }

    std::size_t names_max_;
    LazyArray<Cell> cells_;
    std::size_t count_ = 0;
    u64 keys_hash_ = 0;  // of the names in use, whatever their order
};

}  // namespace openbell::exchange
