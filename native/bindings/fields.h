// Messages as Python dicts, made from the list of fields that each message has (wire/layout.h).
#pragma once

#include <nanobind/nanobind.h>

#include <string>

#include "error.h"
#include "wire/layout.h"

namespace openbell {

namespace nb = nanobind;

inline nb::object latin1(std::string_view s) {
    return nb::steal(PyUnicode_DecodeLatin1(s.data(), Py_ssize_t(s.size()), nullptr));
}
inline Bytes bytes_of(const nb::bytes& b) { return {reinterpret_cast<const u8*>(b.data()), b.size()}; }
inline nb::bytes to_bytes(Bytes b) { return nb::bytes(b.data(), b.size()); }
inline std::string latin1_of(nb::handle text) {
    nb::object encoded = nb::steal(PyUnicode_AsLatin1String(text.ptr()));
    if (!encoded.is_valid()) throw nb::python_error();
    return {PyBytes_AsString(encoded.ptr()), std::size_t(PyBytes_Size(encoded.ptr()))};
}

struct FieldsToDict {
    nb::dict& out;

    void operator()(const char* name, char v) { out[name] = latin1({&v, 1}); }
    template <std::integral T>
    void operator()(const char* name, T v) {
        out[name] = nb::int_(v);
    }
    // Padding of the right is dropped; writing puts it back.
    template <std::size_t N>
    void operator()(const char* name, const Alpha<N>& v) {
        std::string_view s = v.raw();
        while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
        out[name] = latin1(s);
    }
    void be48(const char* name, u64 v) { (*this)(name, v); }
    void optional(const char* name, char v) {
        if (v != '\0') (*this)(name, v);
    }
};

// A field that the dict lacks keeps its default.
struct FieldsFromDict {
    const nb::dict& in;
    std::size_t found = 1;  // the type

    void operator()(const char* name, char& v) {
        if (!take(name)) return;
        const std::string s = latin1_of(in[name]);
        if (s.size() != 1) throw wrong(name, "one character", s);
        v = s[0];
    }
    template <std::integral T>
    void operator()(const char* name, T& v) {
        if (take(name)) v = nb::cast<T>(in[name]);
    }
    template <std::size_t N>
    void operator()(const char* name, Alpha<N>& v) {
        if (!take(name)) return;
        const std::string s = latin1_of(in[name]);
        if (s.size() > N) throw wrong(name, std::to_string(N) + " characters or fewer", s);
        v = Alpha<N>(s);
    }
    void be48(const char* name, u64& v) { (*this)(name, v); }
    void optional(const char* name, char& v) {
        v = '\0';
        (*this)(name, v);
    }

  private:
    bool take(const char* name) {
        const bool there = in.contains(name);
        found += there;
        return there;
    }
    static Error wrong(const char* name, const std::string& expected, const std::string& got) {
        return Error(ErrorKind::Decode,
                     std::string("field ") + name + ": expected " + expected + ", got '" + got + "'");
    }
};

template <class List>
nb::object decode_to_dict(const nb::bytes& message) {
    nb::dict out;
    const Undecoded why = List::visit(bytes_of(message), [&out]<class M>(const M& m) {
        const char kind = M::kType;
        out["type"] = latin1({&kind, 1});
        M::fields(m, FieldsToDict{out});
        if constexpr (HasOptions<M>) options_to_dict(m.options, out);
    });
    return why == Undecoded::None ? nb::object(out) : nb::none();
}

template <class M>
nb::bytes encode_from_dict(const nb::dict& fields) {
    M message{};
    FieldsFromDict from{fields};
    M::fields(message, from);
    if constexpr (HasOptions<M>) from.found += options_from_dict(fields, message.options);
    if (from.found != fields.size())
        throw Error(ErrorKind::Decode,
                    std::string("message ") + M::kType + ": the dict has fields that it does not know");
    std::array<u8, length_max<M>()> buffer;
    ByteWriter out(buffer);
    encode(message, out);
    return to_bytes(out.written());
}

template <Longer kLonger, class... Ms>
nb::bytes encode_any(Messages<kLonger, Ms...>, const nb::dict& fields) {
    const std::string type = latin1_of(fields["type"]);
    nb::bytes out;
    const bool known =
        ((type.size() == 1 && type[0] == Ms::kType && (out = encode_from_dict<Ms>(fields), true)) || ...);
    if (!known) throw Error(ErrorKind::Decode, "message type '" + type + "' is not one of this protocol");
    return out;
}

// Name, offset and size of every field behind the type.
struct FieldsToLayout {
    nb::list& out;
    std::size_t at = 1;

    template <class T>
    void operator()(const char* name, const T& v) {
        put(name, sizeof v);
    }
    void be48(const char* name, u64) { put(name, 6); }
    void optional(const char* name, char) { put(name, 1); }

  private:
    void put(const char* name, std::size_t size) {
        out.append(nb::make_tuple(name, at, size));
        at += size;
    }
};

template <class M>
nb::list layout_of() {
    nb::list out;
    M message{};
    M::fields(message, FieldsToLayout{out});
    return out;
}

template <Longer kLonger, class... Ms>
nb::dict layouts_of(Messages<kLonger, Ms...>) {
    nb::dict out;
    auto put = [&out](char kind, const nb::list& fields) { out[latin1({&kind, 1})] = fields; };
    (put(Ms::kType, layout_of<Ms>()), ...);
    return out;
}

template <Longer kLonger, class... Ms>
nb::dict lengths_of(Messages<kLonger, Ms...>) {
    nb::dict out;
    auto put = [&out](char kind, std::size_t length) { out[latin1({&kind, 1})] = nb::int_(length); };
    (put(Ms::kType, Ms::kLength), ...);
    return out;
}

}  // namespace openbell
