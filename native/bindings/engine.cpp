// What Python sees of `engine`.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace openbell {
void bind_engine(nb::module_& m) { (void)m; }
}  // namespace openbell
