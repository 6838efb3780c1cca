// What Python sees of `wire`.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace openbell {
void bind_wire(nb::module_& m) { (void)m; }
}  // namespace openbell
