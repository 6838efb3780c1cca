// What Python sees of `exchange`.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace openbell {
void bind_exchange(nb::module_& m) { (void)m; }
}  // namespace openbell
