// What Python sees of `node`: replay and recovery; the live node.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "node/replay.h"

namespace nb = nanobind;

namespace openbell {
namespace {

using namespace nb::literals;

ReplayReport replay_journal(Engine& engine, const std::string& journal_dir, const std::string& hot_dir,
                            IntentSource* again, const std::string& tape_dir, i64 feed_ns) {
    JournalReader reader(journal_dir, hot_dir, true);
    std::unique_ptr<JournalReader> tape;
    if (!tape_dir.empty()) tape = std::make_unique<JournalReader>(tape_dir);
    Replay replay(engine, again, tape.get(), feed_ns);
    while (const FrameView frame = reader.next()) replay.feed(frame);
    replay.finish();
    ReplayReport report = replay.report();
    report.bytes_after = reader.bytes_after();
    report.end_offset = reader.offset();
    report.end_path = reader.path();
    return report;
}

nb::bytes bytes_of(const std::vector<u8>& record) { return nb::bytes(record.data(), record.size()); }

std::string in_words(const Difference& d) {
    if (d.seq == 0) return "";
    return "seq " + std::to_string(d.seq) + ", record " + std::to_string(d.record) + ": expected " +
           std::to_string(d.expected_count) + " records, found " + std::to_string(d.found_count);
}

void bind_report(nb::module_& m) {
    nb::class_<Difference>(m, "Difference", "Where a replay first differs; seq 0: nowhere.")
        .def_ro("seq", &Difference::seq)
        .def_ro("record", &Difference::record)
        .def_ro("expected_count", &Difference::expected_count)
        .def_ro("found_count", &Difference::found_count)
        .def_prop_ro("expected", [](const Difference& d) { return bytes_of(d.expected); })
        .def_prop_ro("found", [](const Difference& d) { return bytes_of(d.found); });
    nb::class_<ReplayReport>(m, "ReplayReport", "What a replay found; *_differs_at is a seq, 0 = nowhere.")
        .def_ro("frames_in", &ReplayReport::frames_in)
        .def_ro("frames_out", &ReplayReport::frames_out)
        .def_ro("last_seq", &ReplayReport::last_seq)
        .def_ro("core", &ReplayReport::core)
        .def_ro("strategy", &ReplayReport::strategy)
        .def_prop_ro("core_differs_at", [](const ReplayReport& r) { return r.core.seq; })
        .def_prop_ro("strategy_differs_at", [](const ReplayReport& r) { return r.strategy.seq; })
        .def_prop_ro("what", [](const ReplayReport& r) { return in_words(r.core.seq ? r.core : r.strategy); })
        .def_ro("strategy_frames", &ReplayReport::strategy_frames)
        .def_ro("bytes_after", &ReplayReport::bytes_after)
        .def_ro("end_offset", &ReplayReport::end_offset)
        .def_ro("end_path", &ReplayReport::end_path);
}

}  // namespace

void bind_node(nb::module_& m) {
    bind_report(m);
    m.def("recover", &recover, "engine"_a, "journal_dir"_a, "hot_dir"_a = "", "up_to_seq"_a = ~u64(0),
          "Brings the engine from where it stands to the end of the journal, without Python.",
          nb::call_guard<nb::gil_scoped_release>());
    m.def("replay_journal", &replay_journal, "engine"_a, "journal_dir"_a, "hot_dir"_a = "",
          "again"_a.none() = nb::none(), "tape_dir"_a = "", "feed_ns"_a = 0,
          "Plays a journal again and compares every decision.");
}

}  // namespace openbell
