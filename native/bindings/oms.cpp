// What Python sees of `oms`.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace openbell {
void bind_oms(nb::module_& m) { (void)m; }
}  // namespace openbell
