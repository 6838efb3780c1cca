// What Python sees of `journal`.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace openbell {
void bind_journal(nb::module_& m) { (void)m; }
}  // namespace openbell
