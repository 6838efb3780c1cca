// What Python sees of `risk`.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace openbell {
void bind_risk(nb::module_& m) { (void)m; }
}  // namespace openbell
