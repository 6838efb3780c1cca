#include "strategy/python/array.h"

#include <bit>
#include <cmath>
#include <string>

#include "error.h"

namespace openbell {
namespace {

// NaN and -0 have one spelling each (law 14).
u64 canonical(double value) {
    if (std::isnan(value)) value = std::nan("");
    if (value == 0) value = 0;
    return std::bit_cast<u64>(value);
}

[[noreturn]] void refuse(nb::handle value, const char* expected, const char* what) {
    PyErr_Format(PyExc_TypeError, "%s: expected %s, found %.80R", what, expected, value.ptr());
    throw nb::python_error();
}

Array& array_at(PyObject* self) { return *nb::inst_ptr<Array>(nb::handle(self)); }

// The sequence protocol itself: several times quicker than a bound method. CPython adds the length to a negative index.
Py_ssize_t array_length(PyObject* self) { return Py_ssize_t(array_at(self).words.size()); }

bool is_inside(const Array& array, Py_ssize_t at) {
    if (at >= 0 && std::size_t(at) < array.words.size()) return true;
    PyErr_Format(PyExc_IndexError, "array: expected an index below %zd, found %zd", Py_ssize_t(array.words.size()), at);
    return false;
}

PyObject* array_item(PyObject* self, Py_ssize_t at) {
    const Array& array = array_at(self);
    return is_inside(array, at) ? value_of(array.words[std::size_t(at)], array.kind).release().ptr() : nullptr;
}

int array_set(PyObject* self, Py_ssize_t at, PyObject* value) {
    Array& array = array_at(self);
    if (!is_inside(array, at)) return -1;
    if (value == nullptr) {
        PyErr_SetString(PyExc_TypeError, "array: expected a value, found del; its length is fixed");
        return -1;
    }
    try {
        array.words[std::size_t(at)] = word_of(value, array.kind, "array");
        return 0;
    } catch (nb::python_error& error) {
        error.restore();
        return -1;
    }
}

PyType_Slot kSlots[] = {{Py_sq_length, reinterpret_cast<void*>(array_length)},
                        {Py_sq_item, reinterpret_cast<void*>(array_item)},
                        {Py_sq_ass_item, reinterpret_cast<void*>(array_set)},
                        {0, nullptr}};

nb::handle type_of(char kind) {
    PyTypeObject& type = kind == 'f' ? PyFloat_Type : kind == 'b' ? PyBool_Type : PyLong_Type;
    return reinterpret_cast<PyObject*>(&type);
}

Array make_array(nb::handle kind, std::size_t length) {
    if (length == 0) throw Error(ErrorKind::Strategy, "array: expected a length of at least 1, found 0");
    for (const char known : {'i', 'f', 'b'})
        if (kind.is(type_of(known))) return Array(known, length);
    throw Error(ErrorKind::Strategy,
                "array: expected elements of int, float or bool, found " + std::string(nb::str(kind).c_str()));
}

}  // namespace

u64 word_of(nb::handle value, char kind, const char* what) {
    PyObject* const v = value.ptr();
    if (kind == 'f') {
        const double number = PyFloat_CheckExact(v) ? PyFloat_AS_DOUBLE(v) : PyFloat_AsDouble(v);
        if (number == -1 && PyErr_Occurred()) {
            PyErr_Clear();
            refuse(value, "float", what);
        }
        return canonical(number);
    }
    if (kind == 'b') {
        if (!PyBool_Check(v)) refuse(value, "bool", what);
        return v == Py_True;
    }
    if (!PyLong_Check(v)) refuse(value, "int", what);  // a float would be cut in silence
    int is_beyond = 0;
    const i64 number = PyLong_AsLongLongAndOverflow(v, &is_beyond);
    if (is_beyond) {
        PyErr_Format(PyExc_OverflowError, "%s: expected an int of 64 bits, found %.40R", what, v);
        throw nb::python_error();
    }
    return u64(number);
}

nb::object value_of(u64 word, char kind) {
    switch (kind) {
        case 'f': return nb::float_(std::bit_cast<double>(word));
        case 'b': return nb::bool_(word != 0);
        default: return nb::int_(i64(word));
    }
}

void bind_array(nb::module_& m) {
    nb::class_<Array>(m, "Array", nb::type_slots(kSlots), nb::is_generic(),
                      "A fixed row of numbers in declared state; made by `array`.")
        .def_prop_ro(
            "kind", [](const Array& a) { return type_of(a.kind); }, nb::sig("def kind(self) -> type"))
        .def("copy", [](const Array& a) { return Array(a); });
    m.def("array", &make_array, nb::arg("kind"), nb::arg("length"),
          nb::sig("def array(kind: type, length: int) -> Array"),
          "A fixed row of `length` numbers of `kind` (int, float or bool), all zero.");
}

}  // namespace openbell
