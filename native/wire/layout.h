// One list of fields per message, from which reading, writing, length and names all follow.
//
// A message is a plain struct with `kType` (its first byte), `kLength` (its bytes, type included) and
//
//     static void fields(auto& m, auto&& f) { f("order_id", m.order_id); f("qty", m.qty); }
//
// in wire order. The layout is thus written once; `kLength` is the number of the venue's document and
// `layout_agrees` compares the two at compile time.
#pragma once

#include <array>
#include <concepts>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "bytes.h"

namespace openbell {

// ASCII text of fixed width, as it stands on the wire; padding is kept, so what is read is written again.
template <std::size_t N>
struct Alpha {
    std::array<char, N> chars;

    constexpr Alpha() { chars.fill(' '); }
    // Left-justified and padded with spaces on the right; longer text is cut.
    constexpr explicit Alpha(std::string_view s) : Alpha() {
        for (std::size_t i = 0; i < N && i < s.size(); ++i) chars[i] = s[i];
    }
    // Right-justified, as SoupBinTCP pads session names and numbers.
    static constexpr Alpha right(std::string_view s) {
        Alpha out;
        const std::size_t n = s.size() < N ? s.size() : N;
        for (std::size_t i = 0; i < n; ++i) out.chars[N - n + i] = s[i];
        return out;
    }

    constexpr std::string_view raw() const { return {chars.data(), N}; }
    // Without the spaces of either side.
    constexpr std::string_view trimmed() const {
        std::string_view s = raw();
        while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
        while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
        return s;
    }
    constexpr bool operator==(const Alpha&) const = default;
};

// Inlined by force: otherwise the cursor lives in memory and every field pays for its check.
struct FieldReader {
    ByteReader& in;

    [[gnu::always_inline]] void operator()(const char*, u8& v) { v = in.be8(); }
    [[gnu::always_inline]] void operator()(const char*, char& v) { v = char(in.be8()); }
    [[gnu::always_inline]] void operator()(const char*, u16& v) { v = in.be16(); }
    [[gnu::always_inline]] void operator()(const char*, u32& v) { v = in.be32(); }
    [[gnu::always_inline]] void operator()(const char*, u64& v) { v = in.be64(); }
    [[gnu::always_inline]] void operator()(const char*, i32& v) { v = i32(in.be32()); }
    template <std::size_t N>
    [[gnu::always_inline]] void operator()(const char*, Alpha<N>& v) {
        const Bytes b = in.take(N);
        if (!b.empty()) std::memcpy(v.chars.data(), b.data(), N);
    }
    [[gnu::always_inline]] void be48(const char*, u64& v) { v = in.be48(); }
    // A last field that older revisions lack: NUL when it is not there.
    [[gnu::always_inline]] void optional(const char*, char& v) { v = in.remaining() ? char(in.be8()) : '\0'; }
};

struct FieldWriter {
    ByteWriter& out;

    void operator()(const char*, u8 v) { out.be8(v); }
    void operator()(const char*, char v) { out.be8(u8(v)); }
    void operator()(const char*, u16 v) { out.be16(v); }
    void operator()(const char*, u32 v) { out.be32(v); }
    void operator()(const char*, u64 v) { out.be64(v); }
    void operator()(const char*, i32 v) { out.be32(u32(v)); }
    template <std::size_t N>
    void operator()(const char*, const Alpha<N>& v) {
        out.text(v.raw(), N);
    }
    void be48(const char*, u64 v) { out.be48(v); }
    void optional(const char*, char v) {
        if (v != '\0') out.be8(u8(v));
    }
};

struct FieldSizes {
    std::size_t total = 1;  // the type

    template <class T>
    constexpr void operator()(const char*, const T& v) {
        total += sizeof v;
    }
    constexpr void be48(const char*, u64) { total += 6; }
    constexpr void optional(const char*, char) { total += 1; }
};

template <class M>
constexpr bool layout_agrees() {
    FieldSizes sizes;
    M message{};
    M::fields(message, sizes);
    return sizes.total == M::kLength;
}

struct FieldFinder {
    std::string_view wanted;
    std::size_t at = 1;
    std::size_t found = 0;

    template <class T>
    constexpr void operator()(const char* name, const T& v) {
        see(name, sizeof v);
    }
    constexpr void be48(const char* name, u64) { see(name, 6); }
    constexpr void optional(const char* name, char) { see(name, 1); }

  private:
    constexpr void see(std::string_view name, std::size_t size) {
        if (name == wanted) found = at;
        at += size;
    }
};

// Where a message has the field of this name; 0: nowhere.
template <class M>
constexpr u8 place_of(std::string_view wanted) {
    FieldFinder finder{wanted};
    M message{};
    M::fields(message, finder);
    return u8(finder.found);
}

// The shortest form that is accepted: of an older revision, where the last field is optional.
template <class M>
constexpr std::size_t length_min() {
    if constexpr (requires { M::kLengthMin; })
        return M::kLengthMin;
    else
        return M::kLength;
}

enum class Undecoded : u8 {
    None,
    Empty,
    UnknownType,
    TooShort,
    TooLong,
    // Of the options that end a message (wire/ouch50_options.h).
    OptionsLength,    // the length of the options, or of one, is not that of the bytes
    OptionUnknown,    // a tag that the document does not list
    OptionSize,       // a value of another size than its tag's
    OptionDuplicate,  // a tag that was there already
};

// A message may end in a part of variable length, its `options`. kLength then counts the bytes before them.
template <class M>
concept HasOptions = requires(M& m, const M& read_only, Bytes rest, ByteWriter& out) {
    { m.options.read(rest) } -> std::same_as<Undecoded>;
    read_only.options.write(out);
};

// The longest form that is written.
template <class M>
constexpr std::size_t length_max() {
    if constexpr (HasOptions<M>)
        return M::kLength + decltype(M::options)::kBytesMax;
    else
        return M::kLength;
}

// Writes type, fields and options; a buffer that is too small shows in `out.failed()`.
template <class M>
void encode(const M& message, ByteWriter& out) {
    out.be8(u8(M::kType));
    M::fields(message, FieldWriter{out});
    if constexpr (HasOptions<M>) message.options.write(out);
}

// Bytes known to be of type M and at least length_min<M>() long. The bounds are checked once: the cursor
// ends at a constant, so the compiler drops the checks per field.
template <class M>
[[gnu::always_inline]] inline M decode_known(Bytes bytes) {
    constexpr bool kFixed = length_min<M>() == M::kLength;
    ByteReader in(bytes.first(kFixed || bytes.size() > M::kLength ? M::kLength : bytes.size()));
    in.skip(1);
    M message{};
    M::fields(message, FieldReader{in});
    return message;
}

// Why bytes are no message: a value, because foreign bytes are an everyday thing.
struct Undecodable {
    Undecoded why = Undecoded::Empty;
    char type = '\0';
    std::size_t size = 0;
};

// Feeds grow at the end of a message, so readers skip what they do not know. An order is another matter:
// bytes that we do not understand must not be obeyed.
enum class Longer : u8 { Accepted, Refused };

// The messages of one direction of a protocol.
template <Longer kLonger, class... Ms>
struct Messages {
    static_assert((layout_agrees<Ms>() && ...), "the fields of a message do not add up to its kLength");
    using Any = std::variant<Undecodable, Ms...>;

    // Calls `f` with the decoded message; anything but None says why there was nothing to call it with.
    template <class F>
    static Undecoded visit(Bytes bytes, F&& f) {
        if (bytes.empty()) return Undecoded::Empty;
        const char type = char(bytes[0]);
        Undecoded result = Undecoded::UnknownType;
        (void)((type == Ms::kType && (result = visit_as<Ms>(bytes, f), true)) || ...);
        return result;
    }

    static Any decode(Bytes bytes) {
        Any any;
        const Undecoded why = visit(bytes, [&any](const auto& m) { any = m; });
        if (why != Undecoded::None) any = Undecodable{why, bytes.empty() ? '\0' : char(bytes[0]), bytes.size()};
        return any;
    }

  private:
    template <class M, class F>
    static Undecoded visit_as(Bytes bytes, F& f) {
        if (bytes.size() < length_min<M>()) return Undecoded::TooShort;
        if constexpr (HasOptions<M>) {
            M message = decode_known<M>(bytes);
            const Undecoded why = message.options.read(bytes.subspan(M::kLength));
            if (why == Undecoded::None) f(std::as_const(message));
            return why;
        } else {
            if (kLonger == Longer::Refused && bytes.size() > M::kLength) return Undecoded::TooLong;
            f(decode_known<M>(bytes));
            return Undecoded::None;
        }
    }
};

}  // namespace openbell
