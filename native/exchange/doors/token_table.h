// The names of orders that accounts have used today: which order bears one, open or over.
//
// Open addressing with linear probes, at most 3/4 full. A cell is 32 bits of the name's hash and where its order is:
// open orders and history keep the name itself, so a name costs 11 bytes here, and a probe for a new one reads nothing
// else. The table has its size from the start and pages are touched as it fills.
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

    static u64 hash_of(u32 account, const OrderName& name) {
        u64 words[2] = {};
        std::memcpy(words, name.chars.data(), sizeof name);
        return hash_bytes({reinterpret_cast<const u8*>(words), sizeof words}, account);
    }
    void prefetch(u64 hash) const { __builtin_prefetch(&cells_[home_of(hash)], 1); }

    // Where the order of a name is, by its cell; `is_it` looks whether an order has the name. kNone: nobody has.
    template <class IsIt>
    u32 find(u64 hash, IsIt&& is_it) const {
        const u32 cell = cell_of(hash, is_it);
        return cells_[cell].order ? cell : kNone;
    }
    struct Claim {
        u32 cell;
        bool is_new;  // false: the name was used before, and nothing changed
    };
    // Puts a name into the table, for an order that is open in `slot`. Not when it is full.
    template <class IsIt>
    Claim claim(u64 hash, u32 slot, IsIt&& is_it) {
        const u32 cell = cell_of(hash, is_it);
        if (cells_[cell].order) return {cell, false};
        cells_[cell] = {u32(hash), kOpen | slot};
        ++count_;
        keys_hash_ += hash;
        return {cell, true};
    }
    // Takes out the name that was put in last: no probe has gone past it.
    void undo(u32 cell, u64 hash);

    // An order is in its slot while it is open, then in a row of history.
    struct Place {
        u32 number = 0;
        bool is_open = false;
    };
    static Place place_of(u32 order) { return order & kOpen ? Place{order & ~kOpen, true} : Place{order - 1, false}; }
    Place place(u32 cell) const { return place_of(cells_[cell].order); }
    void put_into_history(u32 cell, u64 row) { cells_[cell].order = u32(row + 1); }

    bool is_full() const { return count_ >= names_max_; }
    void save(StateWriter& out) const;

  private:
    struct Cell {
        u32 print;  // of the hash
        u32 order;  // kOpen | slot, or row + 1; 0: the cell is empty
    };
    static constexpr u32 kOpen = 1u << 31;

    std::size_t home_of(u64 hash) const { return std::size_t(static_cast<u128>(hash) * cells_.size() >> 64); }
    // Where the name stands, or the empty cell where it would.
    template <class IsIt>
    u32 cell_of(u64 hash, IsIt&& is_it) const {
        std::size_t cell = home_of(hash);
        while (cells_[cell].order && !(cells_[cell].print == u32(hash) && is_it(place_of(cells_[cell].order))))
            if (++cell == cells_.size()) cell = 0;
        return u32(cell);
    }

    std::size_t names_max_;
    LazyArray<Cell> cells_;
    std::size_t count_ = 0;
    u64 keys_hash_ = 0;  // of the names in use, whatever their order
};

}  // namespace openbell::exchange
