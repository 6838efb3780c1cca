// What Python sees of OUCH 5.0. A message is a dict; its options are a dict in it, in the order of the wire.
#include <nanobind/nanobind.h>

#include "bindings/fields.h"
#include "wire/ouch50.h"

namespace openbell {

// Found by the templates of fields.h through the type of their argument.
namespace ouch50 {

void options_to_dict(const Options& options, nb::dict& out) {
    nb::dict found;
    for (const Tag tag : options.tags())
        Options::fields(options, [&](Tag of, const char* name, const auto& v) {
            if (of == tag) FieldsToDict{found}(name, v);
        });
    out["options"] = found;
}

void options_to_dict(const OptionalOptions& options, nb::dict& out) {
    if (options.is_there) options_to_dict(static_cast<const Options&>(options), out);
}

static void take_option(const nb::dict& one, nb::handle name, Options& options) {
    FieldsFromDict from{one};
    Options::fields(options, [&](Tag tag, const char* field, auto& v) {
        if (!one.contains(field)) return;
        from(field, v);
        options.add(tag);
    });
    if (from.found == 1) throw Error(ErrorKind::Decode, "option '" + latin1_of(name) + "' is not one of OUCH 5.0");
}

// Fields of the message that were used: 1 or 0.
std::size_t options_from_dict(const nb::dict& fields, Options& options) {
    if (!fields.contains("options")) return 0;
    for (auto [name, value] : nb::cast<nb::dict>(fields["options"])) {
        nb::dict one;
        one[name] = value;
        take_option(one, name, options);
    }
    return 1;
}

std::size_t options_from_dict(const nb::dict& fields, OptionalOptions& options) {
    options.is_there = fields.contains("options");
    return options_from_dict(fields, static_cast<Options&>(options));
}

}  // namespace ouch50

namespace {

template <class List>
const char* why_undecoded(const nb::bytes& message) {
    switch (List::visit(bytes_of(message), [](const auto&) {})) {
        case Undecoded::None: return "";
        case Undecoded::Empty: return "empty";
        case Undecoded::UnknownType: return "unknown type";
        case Undecoded::TooShort: return "too short";
        case Undecoded::TooLong: return "too long";
        case Undecoded::OptionsLength: return "options length";
        case Undecoded::OptionUnknown: return "option unknown";
        case Undecoded::OptionSize: return "option size";
        case Undecoded::OptionDuplicate: return "option duplicate";
    }
    return "";
}

}  // namespace

void bind_wire_ouch50(nb::module_& m) {
    using namespace ouch50;
    m.def("ouch50_decode_inbound", &decode_to_dict<Inbound>, nb::arg("message"),
          "The message as a dict with `type` and `options`; None when it is not one.");
    m.def("ouch50_decode_outbound", &decode_to_dict<Outbound>, nb::arg("message"),
          "The message as a dict with `type` and `options`; None when it is not one.");
    m.def("ouch50_encode_inbound", [](const nb::dict& d) { return encode_any(Inbound{}, d); }, nb::arg("fields"));
    m.def("ouch50_encode_outbound", [](const nb::dict& d) { return encode_any(Outbound{}, d); }, nb::arg("fields"));
    m.def("ouch50_why_inbound", &why_undecoded<Inbound>, nb::arg("message"),
          "Why the bytes are no message; empty when they are one.");
    m.def("ouch50_why_outbound", &why_undecoded<Outbound>, nb::arg("message"),
          "Why the bytes are no message; empty when they are one.");
}

}  // namespace openbell
