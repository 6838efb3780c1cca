// Any OUCH 4.2 messages of several clients to a venue: it stays right, and nobody is harmed but by trades.
#include "fuzz/crowd.h"

namespace {

using namespace openbell;
using namespace openbell::fuzz;

struct Talk42 {
    static constexpr Protocol kProtocol = Protocol::Ouch42;

    static void enter(u32 name, char side, u32 px, u32 qty, std::string_view symbol, ByteWriter& out) {
        encode(ouch42::EnterOrder{.token = token_of(name),
                                  .side = side,
                                  .qty = qty,
                                  .symbol = Alpha<8>(symbol),
                                  .px = px,
                                  .firm = {},
                                  .customer = 'N'},
               out);
    }

    // | what, symbol | name | quantity | price | side, display | time in force, minimum, cross |
    static void compose(ByteReader& in, u32& names, ByteWriter& out) {
        const u8 what = in.be8(), name = in.be8();
        const u32 qty = qty_of(in.be8());
        switch (what & 7) {
            case 0: return encode(ouch42::CancelOrder{.token = token_of(old_name(names, name)), .qty = qty}, out);
            case 1:
                return encode(
                    ouch42::ModifyOrder{
                        .token = token_of(old_name(names, name)), .side = one_of("BSTE", what >> 3), .qty = qty},
                    out);
            default: break;
        }
        const u32 px = px_of(in.be8());
        const u8 look = in.be8(), more = in.be8();
        const u32 tif = std::array<u32, 8>{99'998, 99'998, 99'999, 99'998, 0, 0, 2, 86'400}[more & 7];
        const char display = one_of("YYYYYYYYYAPNMLWI", look >> 2);
        const u32 qty_min = more & 8 ? qty_of(more >> 4) : 0;
        if ((what & 7) < 4) {
            const Alpha<14> prev = token_of(old_name(names, name));
            return encode(ouch42::ReplaceOrder{.prev_token = prev,
                                               .token = token_of(new_name(names, name)),
                                               .qty = qty,
                                               .px = px,
                                               .tif = tif,
                                               .display = display,
                                               .qty_min = qty_min},
                          out);
        }
        encode(ouch42::EnterOrder{.token = token_of(new_name(names, name)),
                                  .side = one_of("BSTE", look),
                                  .qty = qty,
                                  .symbol = Alpha<8>(kSymbols[what >> 3 & 1]),
                                  .px = px,
                                  .tif = tif,
                                  .firm = {},
                                  .display = display,
                                  .qty_min = qty_min,
                                  .cross = one_of("NNNNNNNNNNNNOCHS", more >> 4)},
               out);
    }

    static void hear(Bytes report, Tally& tally) {
        must(ouch42::Outbound::visit(report, [&tally](const auto& m) { say(m, tally); }) == Undecoded::None);
    }

  private:
    // The price of a market order or a peg is none that binds.
    static i64 limit_of(const ouch42::OrderTerms& m) {
        const bool is_bound = m.px != ouch42::kMarketPx && !is_one_of(m.display, "MW");
        return is_bound ? i64(m.px) : side_of(m.side) == Side::Buy ? kMarketPx : 0;
    }
    static void say(const ouch42::Accepted& m, Tally& t) {
        t.accepted(m.token, m.side, m.symbol.trimmed(), limit_of(m), m.qty);
    }
    static void say(const ouch42::Replaced& m, Tally& t) {
        t.replaced(m.prev_token, m.token, m.side, m.symbol.trimmed(), limit_of(m), m.qty);
    }
    static void say(const ouch42::Executed& m, Tally& t) { t.executed(m.token, m.px, m.qty, m.match_id); }
    static void say(const ouch42::Canceled& m, Tally& t) { t.lost(m.token, m.qty); }
    static void say(const ouch42::AiqCanceled& m, Tally& t) { t.lost(m.token, m.qty); }
    static void say(const ouch42::Modified& m, Tally& t) { t.left(m.token, m.qty); }
    static void say(const ouch42::BrokenTrade& m, Tally& t) { t.broken(m.token, m.match_id); }
    static void say(const ouch42::TradeCorrection& m, Tally& t) { t.corrected(m.token, m.px, m.qty, m.match_id); }
    static void say(const ouch42::Rejected&, Tally&) {}
    static void say(const ouch42::PriorityUpdate&, Tally&) {}
    static void say(const ouch42::SystemEvent&, Tally&) {}
    // What this venue has no reason to say here.
    template <class Message>
    static void say(const Message&, Tally&) {
        must(false);
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    play_twice<Talk42>({data, size});
    return 0;
}
