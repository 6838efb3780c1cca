// The options that end almost every message of OUCH 5.0 (the "appendage").
//
//  0        2      3     4
//  | length | size | tag | value ... | size | tag | value ... |     length counts all elements,
//                                                                   size the tag and value of one
//
// Reading is strict: an order with an option that we do not understand must not be obeyed. The order of the
// tags is kept, so what is read is written again. Source: OUCH 5.0, appendix of optional fields.
#pragma once

#include "wire/layout.h"

namespace openbell::ouch50 {

enum class Tag : u8 {
    SecondaryOrderId = 1,
    Firm = 2,
    QtyMin = 3,
    CustomerType = 4,
    MaxFloor = 5,
    PriceType = 6,
    PegOffset = 7,
    DiscretionPx = 9,
    DiscretionPriceType = 10,
    DiscretionPegOffset = 11,
    PostOnly = 12,
    RandomReserves = 13,
    Route = 14,
    ExpireTime = 15,
    TradeNow = 16,
    HandleInst = 17,
    BboWeight = 18,
    DisplayQty = 22,
    DisplayPx = 23,
    GroupId = 24,
    SharesLocated = 25,
    LocateBroker = 26,
    Side = 27,
    UserRefIndex = 28,
};
inline constexpr std::size_t kTags = 24;

// The options that a message may carry; whether one may is the venue's to judge, not the codec's.
struct TagSet {
    u32 bits = 0;  // bit: number of the tag

    constexpr explicit TagSet(std::same_as<Tag> auto... tags) : bits(((1U << u8(tags)) | ... | 0U)) {}
};

// The value of every option, and which ones are there. One that is not there has the document's default.
class Options {
  public:
    u64 secondary_order_id = 0;  // of the feed, for a reserve order
    Alpha<4> firm;               // blank: the port's
    u32 qty_min = 0;
    char customer = ' ';    // R retail, N not; blank: the port's
    u32 max_floor = 0;      // the part that is displayed
    char price_type = 'L';  // L limit, P market peg, M midpoint, R primary peg, Q market maker peg, m midpoint
    i32 peg_offset = 0;     // 1e-4
    u64 discretion_px = 0;  // 1e-4
    char discretion_price_type = 'L';  // L P M R
    i32 discretion_peg_offset = 0;     // 1e-4
    char post_only = 'N';              // P post only, N
    u32 random_reserves = 0;           // shares
    Alpha<4> route;
    u32 expire_s = 0;       // seconds to live, below a day
    char trade_now = ' ';   // Y, N; blank: the port's
    char handling = ' ';    // I imbalance only, O T Q retail, B extended life, D direct listing
    char bbo_weight = ' ';  // 0 1 2 3 S N
    u32 display_qty = 0;
    u64 display_px = 0;  // 1e-4
    u16 group_id = 0;
    char shares_located = ' ';  // Y, N
    Alpha<4> locate_broker;
    char side = ' ';        // B S T E
    u8 user_ref_index = 0;  // channel on the port

    static constexpr void fields(auto& o, auto&& f) {
        f(Tag::SecondaryOrderId, "secondary_order_id", o.secondary_order_id), f(Tag::Firm, "firm", o.firm);
        f(Tag::QtyMin, "qty_min", o.qty_min), f(Tag::CustomerType, "customer", o.customer);
        f(Tag::MaxFloor, "max_floor", o.max_floor), f(Tag::PriceType, "price_type", o.price_type);
        f(Tag::PegOffset, "peg_offset", o.peg_offset), f(Tag::DiscretionPx, "discretion_px", o.discretion_px);
        f(Tag::DiscretionPriceType, "discretion_price_type", o.discretion_price_type);
        f(Tag::DiscretionPegOffset, "discretion_peg_offset", o.discretion_peg_offset);
        f(Tag::PostOnly, "post_only", o.post_only), f(Tag::RandomReserves, "random_reserves", o.random_reserves);
        f(Tag::Route, "route", o.route), f(Tag::ExpireTime, "expire_s", o.expire_s);
        f(Tag::TradeNow, "trade_now", o.trade_now), f(Tag::HandleInst, "handling", o.handling);
        f(Tag::BboWeight, "bbo_weight", o.bbo_weight), f(Tag::DisplayQty, "display_qty", o.display_qty);
        f(Tag::DisplayPx, "display_px", o.display_px), f(Tag::GroupId, "group_id", o.group_id);
        f(Tag::SharesLocated, "shares_located", o.shares_located);
        f(Tag::LocateBroker, "locate_broker", o.locate_broker), f(Tag::Side, "side", o.side);
        f(Tag::UserRefIndex, "user_ref_index", o.user_ref_index);
    }

    bool has(Tag tag) const { return (present_ & TagSet(tag).bits) != 0; }
    // Says that `tag`, whose value is set beside, is to be written, after those that are there.
    void add(Tag tag) {
        if (has(tag)) return;
        tags_[count_++] = tag;
        present_ |= TagSet(tag).bits;
    }
    bool are_of(TagSet allowed) const { return (present_ & ~allowed.bits) == 0; }
    // In the order of the wire.
    std::span<const Tag> tags() const { return {tags_.data(), count_}; }

    // `bytes` reach from the length to the end of the message.
    Undecoded read(Bytes bytes);
    void write(ByteWriter& out) const;

    static constexpr std::size_t kBytesMax = 126;  // every option, and the length

  private:
    Undecoded read_element(ByteReader& in);
    u16 elements_bytes() const;

    u32 present_ = 0;  // bit: number of the tag
    u8 count_ = 0;
    std::array<Tag, kTags> tags_{};
};

// Of the messages that older clients end without them: absent, or there although empty, as the bytes were.
class OptionalOptions : public Options {
  public:
    bool is_there = false;  // the length is written even if it is 0

    Undecoded read(Bytes bytes) {
        is_there = !bytes.empty();
        return is_there ? Options::read(bytes) : Undecoded::None;
    }
    void write(ByteWriter& out) const {
        if (is_there || !tags().empty()) Options::write(out);
    }
};

// ---- the list above, walked ----------------------------------------------------------------------

namespace detail {

struct OptionSizes {
    std::size_t count = 0;
    std::size_t bytes = 2;  // the length

    template <class T>
    constexpr void operator()(Tag, const char*, const T&) {
        ++count, bytes += 2 + sizeof(T);
    }
};

// Reads the value of one tag; `known` and `fits` say why not.
struct ValueReader {
    Tag tag;
    ByteReader in;  // the bytes of the value
    bool known = false;
    bool fits = false;

    template <class T>
    void operator()(Tag of, const char* name, T& v) {
        if (of != tag) return;
        known = true;
        fits = in.remaining() == sizeof(T);
        if (fits) FieldReader{in}(name, v);
    }
};

struct ValueWriter {
    Tag tag;
    ByteWriter& out;

    template <class T>
    void operator()(Tag of, const char* name, const T& v) {
        if (of != tag) return;
        out.be8(u8(1 + sizeof(T)));
        out.be8(u8(tag));
        FieldWriter{out}(name, v);
    }
};

constexpr bool options_agree() {
    OptionSizes sizes;
    Options options;
    Options::fields(options, sizes);
    return sizes.count == kTags && sizes.bytes == Options::kBytesMax;
}
static_assert(options_agree(), "the fields of Options do not add up to kTags and kBytesMax");

}  // namespace detail

inline Undecoded Options::read(Bytes bytes) {
    if (bytes.size() < 2) return Undecoded::TooShort;
    ByteReader in(bytes);
    if (in.be16() != in.remaining()) return Undecoded::OptionsLength;
    Undecoded why = Undecoded::None;
    while (in.remaining() > 0 && why == Undecoded::None) why = read_element(in);
    return why;
}

inline Undecoded Options::read_element(ByteReader& in) {
    const std::size_t size = in.be8();
    if (size == 0) return Undecoded::OptionSize;
    ByteReader element(in.take(size));
    if (in.failed()) return Undecoded::OptionsLength;
    const Tag tag{element.be8()};
    detail::ValueReader value{tag, element};
    fields(*this, value);
    if (!value.known) return Undecoded::OptionUnknown;
    if (!value.fits) return Undecoded::OptionSize;
    if (has(tag)) return Undecoded::OptionDuplicate;
    add(tag);
    return Undecoded::None;
}

inline u16 Options::elements_bytes() const {
    u16 bytes = 0;
    fields(*this, [&]<class T>(Tag tag, const char*, const T&) { bytes += has(tag) ? u16(2 + sizeof(T)) : u16(0); });
    return bytes;
}

inline void Options::write(ByteWriter& out) const {
    out.be16(elements_bytes());
    for (const Tag tag : tags()) fields(*this, detail::ValueWriter{tag, out});
}

}  // namespace openbell::ouch50
