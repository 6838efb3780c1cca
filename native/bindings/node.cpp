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
    return replay.report();
}

}  // namespace

void bind_node(nb::module_& m) {
    nb::class_<ReplayReport>(m, "ReplayReport", "What a replay found; *_differs_at is a seq, 0 = nowhere.")
        .def_ro("frames_in", &ReplayReport::frames_in)
        .def_ro("frames_out", &ReplayReport::frames_out)
        .def_ro("last_seq", &ReplayReport::last_seq)
        .def_ro("core_differs_at", &ReplayReport::core_differs_at)
        .def_ro("strategy_differs_at", &ReplayReport::strategy_differs_at)
        .def_ro("strategy_frames", &ReplayReport::strategy_frames)
        .def_ro("what", &ReplayReport::what);
    m.def("recover", &recover, "engine"_a, "journal_dir"_a, "hot_dir"_a = "", "up_to_seq"_a = ~u64(0),
          "Brings the engine from where it stands to the end of the journal, without Python.",
          nb::call_guard<nb::gil_scoped_release>());
    m.def("replay_journal", &replay_journal, "engine"_a, "journal_dir"_a, "hot_dir"_a = "",
          "again"_a.none() = nb::none(), "tape_dir"_a = "", "feed_ns"_a = 0,
          "Plays a journal again and compares every decision.");
}

}  // namespace openbell
