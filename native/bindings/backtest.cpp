// What Python sees of `backtest`.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace openbell {
void bind_backtest(nb::module_& m) { (void)m; }
}  // namespace openbell
