// Any OUCH 5.0 messages of several clients to a venue: it stays right, and nobody is harmed but by trades.
#include "fuzz/crowd.h"

namespace {

using namespace openbell;
using namespace openbell::fuzz;
using ouch50::Options;
using ouch50::Tag;

struct Talk50 {
    static constexpr Protocol kProtocol = Protocol::Ouch50;

    static void enter(u32 name, char side, u32 px, u32 qty, std::string_view symbol, ByteWriter& out) {
        ouch50::EnterOrder m;
        m.user_ref = name;
        m.side = side;
        m.qty = qty;
        m.symbol = Alpha<8>(symbol);
        m.px = px;
        encode(m, out);
    }

    // | what, symbol | name | and what it takes |
    static void compose(ByteReader& in, u32& names, ByteWriter& out) {
        const u8 what = in.be8(), name = in.be8();
        switch (what & 15) {
            case 0:
            case 1: return about<ouch50::CancelOrder>(in, old_name(names, name), out);
            case 2: return about<ouch50::ModifyOrder>(in, old_name(names, name), out);
            case 3: return mass_cancel(in, name, out);
            case 4: return about_firm<ouch50::DisableOrderEntry>(name, out);
            case 5:
            case 6: return about_firm<ouch50::EnableOrderEntry>(name, out);
            case 7: return encode(ouch50::AccountQuery{}, out);
            case 8:
            case 9:
            case 10: return replace(in, names, name, out);
            default: return enter_any(in, kSymbols[what >> 4 & 1], new_name(names, name), out);
        }
    }

    static void hear(Bytes report, Tally& tally) {
        must(ouch50::Outbound::visit(report, [&tally](const auto& m) { say(m, tally); }) == Undecoded::None);
    }

  private:
    template <class Message>
    static void about(ByteReader& in, u32 name, ByteWriter& out) {
        Message m;
        m.user_ref = name;
        m.qty = qty_of(in.be8());
        if constexpr (requires { m.side; }) m.side = one_of("BSTE", in.be8());
        encode(m, out);
    }

    template <class Message>
    static void about_firm(u8 name, ByteWriter& out) {
        Message m;
        m.user_ref = name;
        encode(m, out);
    }

    static void mass_cancel(ByteReader& in, u8 name, ByteWriter& out) {
        ouch50::MassCancel m;
        m.user_ref = name;
        const u8 filter = in.be8();
        if (filter & 1) m.symbol = Alpha<8>(kSymbols[filter >> 1 & 1]);
        if (filter & 4) m.options.side = one_of("BSTE", filter >> 3), m.options.add(Tag::Side);
        if (filter & 0x20) m.options.group_id = filter >> 6, m.options.add(Tag::GroupId);
        encode(m, out);
    }

    static void replace(ByteReader& in, u32& names, u8 name, ByteWriter& out) {
        ouch50::ReplaceOrder m;
        m.prev_user_ref = old_name(names, name);
        m.user_ref = new_name(names, name);
        take_terms(in, m);
        encode(m, out);
    }

    static void enter_any(ByteReader& in, std::string_view symbol, u32 name, ByteWriter& out) {
        ouch50::EnterOrder m;
        m.user_ref = name;
        m.symbol = Alpha<8>(symbol);
        const u8 look = in.be8();
        m.side = one_of("BSTE", look);
        m.cross = one_of("NNNNNNNNNNNNOCHA", look >> 4);
        if (look & 4) m.options.group_id = look >> 6, m.options.add(Tag::GroupId);
        take_terms(in, m);
        encode(m, out);
    }

    // | quantity | price | time in force, display, option | value of the option |
    static void take_terms(ByteReader& in, auto& m) {
        m.qty = qty_of(in.be8());
        m.px = px_of(in.be8());
        const u8 look = in.be8();
        m.tif = one_of("00036E55", look);
        m.display = one_of("YYNA", look >> 3);
        const u8 value = in.be8();
        add_option(m.options, look >> 5, value);
        if (m.tif == ouch50::tif::kGoodTillTime) m.options.expire_s = value % 4, m.options.add(Tag::ExpireTime);
    }

    static void add_option(Options& o, u8 which, u8 value) {
        switch (which) {
            case 1: o.qty_min = qty_of(value), o.add(Tag::QtyMin); return;
            case 2: o.max_floor = qty_of(value), o.add(Tag::MaxFloor); return;
            case 3: o.price_type = one_of("MPRmLQ", value), o.add(Tag::PriceType); return;
            case 4:
                o.price_type = one_of("PRM", value), o.add(Tag::PriceType);
                o.peg_offset = (i32(value) - 128) * i32(kTick), o.add(Tag::PegOffset);
                return;
            case 5: o.post_only = one_of("PN", value), o.add(Tag::PostOnly); return;
            case 6: o.user_ref_index = value % 4, o.add(Tag::UserRefIndex); return;
            default: return;
        }
    }

    static OrderName name_in(const auto& m) { return name_of(m.options.user_ref_index, m.user_ref); }
    // The price of a market order or a peg is none that binds.
    static i64 limit_of(const ouch50::OrderTerms& m) {
        const bool is_market = m.px == ouch50::kMarketPx || m.px == ouch50::kMarketCrossPx;
        if (!is_market && m.options.price_type == 'L') return i64(m.px);
        return side_of(m.side) == Side::Buy ? kMarketPx : 0;
    }

    static void say(const ouch50::Accepted& m, Tally& t) {
        t.accepted(name_in(m), m.side, m.symbol.trimmed(), limit_of(m), m.qty);
    }
    static void say(const ouch50::Replaced& m, Tally& t) {
        const OrderName prev = name_of(m.options.user_ref_index, m.prev_user_ref);
        t.replaced(prev, name_in(m), m.side, m.symbol.trimmed(), limit_of(m), m.qty);
    }
    static void say(const ouch50::Executed& m, Tally& t) { t.executed(name_in(m), i64(m.px), m.qty, m.match_id); }
    static void say(const ouch50::Canceled& m, Tally& t) { t.lost(name_in(m), m.qty); }
    static void say(const ouch50::AiqCanceled& m, Tally& t) { t.lost(name_in(m), m.qty); }
    static void say(const ouch50::Modified& m, Tally& t) { t.left(name_in(m), m.qty); }
    static void say(const ouch50::BrokenTrade& m, Tally& t) { t.broken(name_in(m), m.match_id); }
    static void say(const ouch50::Rejected&, Tally&) {}
    static void say(const ouch50::Restated&, Tally&) {}
    static void say(const ouch50::PriorityUpdate&, Tally&) {}
    static void say(const ouch50::SystemEvent&, Tally&) {}
    static void say(const ouch50::MassCancelResponse&, Tally&) {}
    static void say(const ouch50::DisableResponse&, Tally&) {}
    static void say(const ouch50::EnableResponse&, Tally&) {}
    static void say(const ouch50::AccountQueryResponse&, Tally&) {}
    // What this venue has no reason to say here.
    template <class Message>
    static void say(const Message&, Tally&) {
        must(false);
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    play_twice<Talk50>({data, size});
    return 0;
}
