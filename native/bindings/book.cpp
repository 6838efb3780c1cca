// What Python sees of `book`.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace openbell {
void bind_book(nb::module_& m) { (void)m; }
}  // namespace openbell
