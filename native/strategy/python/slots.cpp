#include "strategy/python/slots.h"

#include <structmember.h>

#include <algorithm>

#include "error.h"

namespace openbell {
namespace {

// Where the slot `name` of the object is; declared fields are `__slots__`, so their descriptors are members.
PyObject** slot_of(nb::handle object, const std::string& name) {
    const nb::object descriptor = object.type().attr(name.c_str());
    if (Py_TYPE(descriptor.ptr()) != &PyMemberDescr_Type)
        throw Error(ErrorKind::Strategy,
                    "field " + name + ": expected a declared field, found it redefined in the class");
    const PyMemberDef* member = reinterpret_cast<PyMemberDescrObject*>(descriptor.ptr())->d_member;
    return reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object.ptr()) + member->offset);
}

}  // namespace

Slots::Slots(nb::handle object, nb::handle layout)
    : object_(nb::borrow(object)),
      words_(nb::cast<std::size_t>(layout.attr("words"))),
      state_words_(nb::cast<std::size_t>(layout.attr("state_words"))) {
    add(object, layout, 0, "");
}

Slots::~Slots() {
    for (Scalar& scalar : scalars_) Py_XDECREF(scalar.seen);
}

void Slots::add(nb::handle object, nb::handle layout, std::size_t base, const std::string& prefix) {
    for (nb::handle cell : layout.attr("cells")) {
        const std::string name = nb::str(cell.attr("name")).c_str();
        const std::string kind = nb::str(cell.attr("kind")).c_str();
        const std::size_t word = base + nb::cast<std::size_t>(cell.attr("offset"));
        PyObject** at = slot_of(object, name);
        if (kind != "array" && kind != "state") {
            scalars_.push_back({at, nullptr, word, kind[0], prefix + name});
            continue;
        }
        nb::object inner = nb::borrow(*at);
        Array* array = kind == "array" ? nb::cast<Array*>(inner) : nullptr;
        fixed_.push_back({at, inner, array, word, prefix + name});
        if (!array) add(inner, inner.type().attr("layout")(), word, prefix + name + ".");
    }
}

void Slots::gather(std::span<u64> words) {
    for (Scalar& scalar : scalars_) {
        PyObject* const now = *scalar.at;
        if (now == scalar.seen) continue;
        if (now == nullptr)
            throw Error(ErrorKind::Strategy, "field " + scalar.name + ": expected a value, found it deleted");
        words[scalar.word] = word_of(now, scalar.kind, scalar.name.c_str());
        Py_INCREF(now);
        Py_XDECREF(std::exchange(scalar.seen, now));
    }
    for (const Fixed& fixed : fixed_) {
        if (*fixed.at != fixed.object.ptr())
            throw Error(ErrorKind::Strategy, "field " + fixed.name + ": expected its own elements to be set, found " +
                                                 "another object in its place; set elements or fields one by one");
        if (fixed.array) std::ranges::copy(fixed.array->words, words.begin() + i64(fixed.word));
    }
}

void Slots::scatter(std::span<const u64> words) {
    for (Scalar& scalar : scalars_) {
        PyObject* value = value_of(words[scalar.word], scalar.kind).release().ptr();
        Py_INCREF(value);
        Py_XDECREF(std::exchange(*scalar.at, value));
        Py_XDECREF(std::exchange(scalar.seen, value));
    }
    for (const Fixed& fixed : fixed_) {
        Py_INCREF(fixed.object.ptr());
        Py_XDECREF(std::exchange(*fixed.at, fixed.object.ptr()));
        if (fixed.array)
            std::ranges::copy_n(words.begin() + i64(fixed.word), i64(fixed.array->words.size()),
                                fixed.array->words.begin());
    }
}

}  // namespace openbell
