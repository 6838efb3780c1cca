#include "exchange/ledger.h"

#include <algorithm>
#include <map>

namespace openbell::exchange {
namespace {

auto place_of(auto& holdings, u32 instrument) {
    return std::lower_bound(holdings.begin(), holdings.end(), instrument,
                            [](const auto& held, u32 wanted) { return held.first < wanted; });
}

// Rows of one account, found through the links from its newest one; oldest first.
template <class Row>
std::vector<Row> chain(const RowLog<Row>& rows, u64 last) {
    std::vector<Row> found;
    for (u64 at = last; at != 0; at = found.back().prev_row) found.push_back(rows[at - 1]);
    rows.let_go();
    std::reverse(found.begin(), found.end());
    return found;
}

void add(i64& to, i64 value) {
    if (__builtin_add_overflow(to, value, &to))
        throw Error(ErrorKind::Invariant, "ledger: expected position and cash of every account to fit 64 bits");
}

i64 product(i64 px, i64 qty) {
    i64 value = 0;
    if (__builtin_mul_overflow(px, qty, &value))
        throw Error(ErrorKind::Invariant, "ledger: expected price x quantity of every fill to fit 64 bits");
    return value;
}

}  // namespace

u32 Ledger::add_account() {
    accounts_.emplace_back();
    return u32(accounts_.size() - 1);
}

OrderRow Ledger::row_of(const LiveOrder& o) {
    return {.number = o.number,
            .prev_row = 0,
            .ref = o.ref,
            .qty = o.qty,
            .cum_qty = o.cum_qty,
            .entered_ns = o.entered_ns,
            .ended_ns = 0,
            .account = o.account,
            .instrument = o.instrument,
            .px = o.words.px,
            .status = o.status,
            .side = o.words.side,
            .name = o.name,
            .prev_name = o.prev_name};
}

u64 Ledger::add_order(const LiveOrder& o, i64 now_ns) {
    Account& account = accounts_[o.account];
    OrderRow row = row_of(o);
    row.prev_row = account.last_order;
    row.ended_ns = now_ns;
    account.last_order = 1 + orders_.append(row);
    return account.last_order - 1;
}

void Ledger::add_fill(const LiveOrder& o, u64 match_number, i64 px, i64 qty, Liquidity liquidity, i64 fee) {
    Account& account = accounts_[o.account];
    account.last_fill = 1 + fills_.append({.match_number = match_number,
                                           .prev_row = account.last_fill,
                                           .number = o.number,
                                           .px = px,
                                           .qty = qty,
                                           .fee = fee,
                                           .ref = o.ref,
                                           .account = o.account,
                                           .instrument = o.instrument,
                                           .user_ref = o.words.user_ref,
                                           .side = o.side,
                                           .side_letter = o.words.side,
                                           .liquidity = liquidity,
                                           .state = FillState::Good,
                                           .channel = o.words.channel,
                                           .name = o.name,
                                           .cl_ord_id = o.words.cl_ord_id});
    book(o.account, o.instrument, o.side, px, qty, fee);
}

// Match numbers rise, so the rows are sorted by them.
Ledger::Match Ledger::match(u64 match_number) const {
    u64 low = 0, high = fills_.size();
    while (low < high) {
        const u64 middle = low + (high - low) / 2;
        if (fills_[middle].match_number < match_number)
            low = middle + 1;
        else
            high = middle;
    }
    Match found{low, 0};
    while (low + found.count < fills_.size() && fills_[low + found.count].match_number == match_number) ++found.count;
    fills_.let_go();
    return found;
}

void Ledger::bust(u64 row) {
    FillRow& f = fills_.change(row);
    book(f.account, f.instrument, f.side, f.px, -f.qty, -f.fee);
    f.state = FillState::Busted;
}

void Ledger::correct(u64 row, i64 px, i64 qty, i64 fee) {
    FillRow& f = fills_.change(row);
    book(f.account, f.instrument, f.side, f.px, -f.qty, -f.fee);
    f.px = px;
    f.qty = qty;
    f.fee = fee;
    f.state = FillState::Corrected;
    book(f.account, f.instrument, f.side, f.px, f.qty, f.fee);
}

void Ledger::book(u32 account, u32 instrument, Side side, i64 px, i64 qty, i64 fee) {
    Holding& held = holding_of(account, instrument);
    const i64 bought = side == Side::Buy ? qty : -qty;
    add(held.position, bought);
    add(held.cash, -product(px, bought));
    add(held.cash, -fee);
    add(house_cash_, fee);
}

Holding& Ledger::holding_of(u32 account, u32 instrument) {
    auto& holdings = accounts_[account].holdings;
    auto at = place_of(holdings, instrument);
    if (at == holdings.end() || at->first != instrument) at = holdings.insert(at, {instrument, {}});
    return at->second;
}

Holding Ledger::holding(u32 account, u32 instrument) const {
    const auto& holdings = accounts_[account].holdings;
    const auto at = place_of(holdings, instrument);
    return at == holdings.end() || at->first != instrument ? Holding{} : at->second;
}

std::vector<OrderRow> Ledger::orders_of(u32 account) const { return chain(orders_, accounts_[account].last_order); }
std::vector<FillRow> Ledger::fills_of(u32 account) const { return chain(fills_, accounts_[account].last_fill); }

void Ledger::audit() const {
    i128 cash = house_cash_;
    std::map<u32, i128> positions;
    for (const Account& account : accounts_) {
        for (const auto& [instrument, held] : account.holdings) {
            cash += held.cash;
            positions[instrument] += held.position;
        }
    }
    for (const auto& [instrument, sum] : positions)
        if (sum != 0)
            throw Error(ErrorKind::Invariant, "ledger: expected the positions in instrument " +
                                                  std::to_string(instrument) + " to sum to 0, found " +
                                                  std::to_string(i64(sum)));
    if (cash != 0)
        throw Error(ErrorKind::Invariant,
                    "ledger: expected the cash of all accounts and the house to sum to 0, found " +
                        std::to_string(i64(cash)) + " x 1e-4");
}

void Ledger::save(StateWriter& out) const {
    out.put(orders_.size());
    out.put(fills_.size());
    out.put(house_cash_);
    for (const Account& account : accounts_) {
        out.put(u64(account.holdings.size()));
        for (const auto& [instrument, held] : account.holdings) {
            out.put(instrument);
            out.put(held);
        }
    }
}

}  // namespace openbell::exchange
