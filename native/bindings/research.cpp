// What Python sees of `research`: sources of batches of columns. Options come as keyword arguments; the surface for
// people is openbell.research.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings/arrow.h"
#include "research/bars.h"
#include "research/features.h"
#include "research/tape_columns.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
namespace {

// One batch that was read already.
class ReadBatch final : public BatchSource {
  public:
    ReadBatch(std::vector<Column> columns, Batch batch) : columns_(std::move(columns)), batch_(std::move(batch)) {}
    const std::vector<Column>& columns() const override { return columns_; }
    Batch next() override { return std::exchange(batch_, {}); }

  private:
    std::vector<Column> columns_;
    Batch batch_;
};

// A source under the one name that Python knows.
struct Batches {
    std::shared_ptr<BatchSource> source;
};

std::optional<Batches> next_batch(Batches& batches) {
    Batch batch;
    {
        const nb::gil_scoped_release released;
        batch = batches.source->next();
    }
    if (batch.rows == 0) return std::nullopt;
    return Batches{std::make_shared<ReadBatch>(batches.source->columns(), std::move(batch))};
}

std::vector<std::string> names_of(const Batches& batches) {
    std::vector<std::string> names;
    for (const Column& column : batches.source->columns()) names.push_back(column.name);
    return names;
}

// Exact decimals: 128-bit integers with a scale, from 64-bit ones.
Batches decimals(const std::string& name,
                 const nb::ndarray<const i64, nb::ndim<1>, nb::c_contig, nb::device::cpu>& ints, int scale) {
    Batch batch;
    batch.rows = ints.shape(0);
    batch.buffers.push_back(make_buffer(batch.rows * sizeof(i128)));
    auto* out = reinterpret_cast<i128*>(batch.buffers[0].get());
    std::copy_n(ints.data(), batch.rows, out);
    return {std::make_shared<ReadBatch>(std::vector<Column>{{name, Kind::Decimal, scale}}, std::move(batch))};
}

void bind_passes(nb::module_& m) {
    nb::enum_<PassClock>(m, "PassClock").value("EVENT", PassClock::Event).value("RECEIPT", PassClock::Receipt);
    nb::enum_<SignRule>(m, "SignRule").value("AUTO", SignRule::Auto).value("LEE_READY", SignRule::LeeReady);
    nb::enum_<BarKind>(m, "BarKind")
        .value("TIME", BarKind::Time)
        .value("TICK", BarKind::Tick)
        .value("VOLUME", BarKind::Volume)
        .value("DOLLAR", BarKind::Dollar);
    nb::class_<PassConfig>(m, "PassConfig")
        .def(nb::init<>())
        .def_rw("tape_dir", &PassConfig::tape_dir)
        .def_rw("instruments_max", &PassConfig::instruments_max)
        .def_rw("orders_max", &PassConfig::orders_max)
        .def_rw("instruments", &PassConfig::instruments)
        .def_rw("prints_without_side", &PassConfig::prints_without_side)
        .def_rw("clock", &PassConfig::clock)
        .def_rw("sign_rule", &PassConfig::sign_rule)
        .def_rw("end_ns", &PassConfig::end_ns);
}

// A pass and the batches it makes: (batches, faults), the latter to be called when the batches are used up.
template <class Pass, class Config>
nb::tuple start_pass(const Config& config) {
    auto pass = std::make_shared<Pass>(config);
    nb::object faults =
        nb::cpp_function([pass] { return nb::make_tuple(pass->pass().faults(), pass->pass().first_fault_seq()); });
    return nb::make_tuple(Batches{pass}, faults);
}

}  // namespace

void bind_research(nb::module_& m) {
    bind_passes(m);
    nb::class_<Batches>(m, "Batches", "Batches of columns, read as they are asked for; Arrow's PyCapsule interface.")
        .def(
            "__arrow_c_stream__",
            [](const Batches& batches, const nb::object&) { return arrow_stream_of(batches.source); },
            "requested_schema"_a = nb::none())
        .def("next", &next_batch, "The next batch, of the same columns; None at the end.")
        .def_prop_ro("names", &names_of);
    m.def("tape_column_names", &tape_column_names);
    m.def("decimals", &decimals, "name"_a, "ints"_a, "scale"_a, "One column of exact decimals: ints x 10^-scale.");
    m.def(
        "tape_columns",
        [](const std::string& tape_dir, std::vector<std::string> columns, std::vector<u32> instruments,
           std::vector<u8> types, i64 start_ns, i64 end_ns, std::size_t rows_max) {
            const TapeQuery query{
                std::move(columns), std::move(instruments), std::move(types), start_ns, end_ns, rows_max};
            return Batches{std::make_shared<TapeColumns>(tape_dir, query)};
        },
        "tape_dir"_a, "columns"_a, "instruments"_a, "types"_a, "start_ns"_a, "end_ns"_a, "rows_max"_a);
    m.def(
        "bars",
        [](const PassConfig& pass, BarKind kind, i64 size, i64 start_ns, i64 end_ns, std::vector<u32> unit_decimals) {
            return start_pass<Bars>(BarConfig{pass, kind, size, start_ns, end_ns, std::move(unit_decimals)});
        },
        "pass_config"_a, "kind"_a, "size"_a, "start_ns"_a, "end_ns"_a, "unit_decimals"_a,
        "(batches, faults): faults() is (how many, seq of the first) of what was read so far.");
    m.def(
        "features",
        [](const PassConfig& pass, i64 every_ns, u32 levels, i64 start_ns, i64 end_ns) {
            return start_pass<Features>(FeatureConfig{pass, every_ns, levels, start_ns, end_ns});
        },
        "pass_config"_a, "every_ns"_a, "levels"_a, "start_ns"_a, "end_ns"_a, "(batches, faults), as of bars.");
}

}  // namespace openbell
