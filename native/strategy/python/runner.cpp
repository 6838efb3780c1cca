#include "strategy/python/runner.h"

#include <nanobind/stl/string.h>

namespace openbell {
namespace {

constexpr const char* kRaiser = "openbell/strategy/budget.py";

std::string file_of(nb::handle traceback) {
    return nb::cast<std::string>(traceback.attr("tb_frame").attr("f_code").attr("co_filename"));
}

std::string describe_unguarded(nb::python_error& error) {
    std::string text = nb::cast<std::string>(nb::str(error.type().attr("__name__"))) + ": " +
                       nb::cast<std::string>(nb::str(error.value()));
    nb::object frame = nb::borrow(error.traceback());
    if (!frame.is_valid() || frame.is_none()) return text;
    std::string file = file_of(frame);
    for (nb::object next = frame.attr("tb_next"); !next.is_none(); next = next.attr("tb_next")) {
        if (file_of(next).ends_with(kRaiser)) break;  // that ended it, and where it stood is what matters
        frame = next;
        file = file_of(frame);
    }
    return text + " (" + file.substr(file.rfind('/') + 1) + ":" +
           std::to_string(nb::cast<int>(frame.attr("tb_lineno"))) + ")";
}

}  // namespace

// An exception may have a text that cannot be had (its __str__ raises, or it is not UTF-8).
std::string describe(nb::python_error& error) {
    try {
        return describe_unguarded(error);
    } catch (const std::exception&) {
        PyErr_Clear();
        return std::string("exception whose text cannot be read: ") + Py_TYPE(error.value().ptr())->tp_name;
    }
}

InterpretedRunner::InterpretedRunner(nb::object self)
    : Runner(nb::cast<std::size_t>(self.attr("layout")().attr("words"))),
      self_(std::move(self)),
      slots_(self_, self_.attr("layout")()),
      context_(new Context),
      py_context_(nb::cast(context_, nb::rv_policy::take_ownership)) {
    const nb::object base = nb::module_::import_("openbell.strategy").attr("Strategy");
    for (std::size_t hook = 0; hook < kHooks; ++hook) {
        const nb::object own = self_.type().attr(kHookNames[hook]);
        if (!own.is(base.attr(kHookNames[hook]))) hooks_[hook] = self_.attr(kHookNames[hook]);
    }
}

void InterpretedRunner::call(Hook hook) { call_with(hook, nullptr); }
void InterpretedRunner::call(Hook hook, const Market& record) { call_with(hook, nb::cast(record).ptr()); }
void InterpretedRunner::call(Hook hook, const Report& report) { call_with(hook, nb::cast(report).ptr()); }
void InterpretedRunner::call(Hook hook, const Signal& signal) { call_with(hook, nb::cast(signal).ptr()); }
void InterpretedRunner::call_timer(u64 timer_id) { call_with(Hook::Timer, nb::int_(timer_id).ptr()); }
void InterpretedRunner::call_book(u32 instrument) { call_with(Hook::Book, books_[instrument].ptr()); }

void InterpretedRunner::call_with(Hook hook, PyObject* argument) {
    PyObject* args[] = {nullptr, py_context_.ptr(), argument};
    const std::size_t count = argument ? 2 : 1;
    PyObject* result =
        PyObject_Vectorcall(hooks_[u8(hook)].ptr(), args + 1, count | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
    if (result == nullptr) {
        nb::python_error error;
        throw Error(ErrorKind::Strategy, describe(error));
    }
    Py_DECREF(result);
}

void InterpretedRunner::gather() {
    try {
        slots_.gather(words_);
    } catch (nb::python_error& error) {
        throw Error(ErrorKind::Strategy, describe(error));
    }
}

void InterpretedRunner::scatter() { slots_.scatter(words_); }

void InterpretedRunner::learn(const World& world, u32 instrument, bool is_mine) {
    books_.push_back(is_mine ? nb::cast(BookView(world, instrument)) : nb::none());
}

}  // namespace openbell
