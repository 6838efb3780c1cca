// What Python sees of `feed`.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace openbell {
void bind_feed(nb::module_& m) { (void)m; }
}  // namespace openbell
