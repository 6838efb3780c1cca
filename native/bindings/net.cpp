// What Python sees of `net`.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace openbell {
void bind_net(nb::module_& m) { (void)m; }
}  // namespace openbell
