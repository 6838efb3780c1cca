// What Python sees of `execution`.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace openbell {
void bind_execution(nb::module_& m) { (void)m; }
}  // namespace openbell
