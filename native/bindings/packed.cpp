// Packed segments are unpacked by Python, which has zstd.
#include "journal/packed.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

namespace nb = nanobind;

namespace openbell {
namespace {

Fd unpack_in_python(const std::string& path) {
    const nb::gil_scoped_acquire held;
    return Fd(nb::cast<int>(nb::module_::import_("openbell.journal.segments").attr("unpack_to_memory")(path)));
}

}  // namespace

void bind_packed(nb::module_&) { install_unpack(&unpack_in_python); }

}  // namespace openbell
