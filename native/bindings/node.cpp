// What Python sees of `node`.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace openbell {
void bind_node(nb::module_& m) { (void)m; }
}  // namespace openbell
