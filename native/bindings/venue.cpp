// What Python sees of `venue`.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace openbell {
void bind_venue(nb::module_& m) { (void)m; }
}  // namespace openbell
