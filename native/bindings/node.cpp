// What Python sees of `node`: replay and recovery; the live node.
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "node/own_process.h"
#include "node/what_if.h"

namespace nb = nanobind;

namespace openbell {
namespace {

using namespace nb::literals;

ReplayReport replay_journal(Engine& engine, const std::string& journal_dir, const std::string& hot_dir,
                            IntentSource* again, const std::string& tape_dir, i64 feed_ns,
                            const std::vector<std::pair<u16, StrategyHost*>>& own, u64 from_seq, u64 to_seq,
                            bool is_supposed) {
    std::deque<OwnProcessAgain> processes;
    for (const auto& [strategy, host] : own) processes.emplace_back(strategy, *host);
    if (!own.empty()) {
        JournalReader ahead(journal_dir, hot_dir);
        while (const FrameView frame = ahead.next())
            for (OwnProcessAgain& one : processes) one.remember(frame);
    }
    JournalReader reader(journal_dir, hot_dir, true);
    std::unique_ptr<JournalReader> tape;
    if (!tape_dir.empty()) tape = std::make_unique<JournalReader>(tape_dir);
    Replay replay(engine, again, tape.get(), feed_ns);
    replay.compare_from(from_seq);
    for (OwnProcessAgain& one : processes) {
        one.compare_from(from_seq);
        if (is_supposed) one.suppose();
        replay.add_witness(one);
    }
    if (engine.seq() > 0) reader.seek(engine.seq() + 1);
    bool is_whole = true;
    while (const FrameView frame = reader.next()) {
        // The decision about the last frame of the range stands behind it.
        is_whole = frame.header->seq <= to_seq || frame.header->cause_seq == to_seq;
        if (!is_whole) break;
        replay.feed(frame);
    }
    if (!is_whole) replay.settle_last();
    replay.finish();
    ReplayReport report = replay.report();
    for (OwnProcessAgain& one : processes) {
        one.finish();
        for (const Otherwise& other : one.others()) keep(report.others, other.seq, other.then, other.now);
        report.strategy_frames += one.frames();
        const Difference& found = one.difference();
        report.strategy_differs += one.differs();
        if (found.seq == 0) continue;
        if (report.strategy.seq == 0 || found.seq < report.strategy.seq) report.strategy = found;
    }
    std::ranges::stable_sort(report.others, {}, &Otherwise::seq);
    report.bytes_after = reader.bytes_after();
    report.end_offset = reader.offset();
    report.end_path = reader.path();
    return report;
}

WhatIfReport what_if_limits(const EngineCapacity& capacity, const std::vector<std::pair<std::string, nb::bytes>>& lines,
                            const std::string& journal_dir, const std::string& hot_dir, const nb::bytes& state,
                            u64 from_seq, u64 to_seq) {
    std::vector<WhatIfLimits::Line> limits;
    for (const auto& [symbol, record] : lines) {
        if (record.size() != sizeof(Limit))
            throw Error(ErrorKind::Config,
                        "what-if: expected records of 128 bytes, found " + std::to_string(record.size()));
        std::memcpy(&limits.emplace_back(WhatIfLimits::Line{symbol, {}}).record, record.data(), sizeof(Limit));
    }
    WhatIfLimits what_if(capacity, std::move(limits));
    JournalReader reader(journal_dir, hot_dir, true);
    what_if.compare_from(from_seq);
    if (state.size() > 0) {
        what_if.load({static_cast<const u8*>(state.data()), state.size()});
        reader.seek(what_if.seq() + 1);
    }
    while (const FrameView frame = reader.next()) {
        if (frame.header->seq > to_seq && frame.header->cause_seq != to_seq) break;
        if (!what_if.feed(frame)) break;
    }
    what_if.finish();
    return what_if.report();
}

nb::bytes bytes_of(const std::vector<u8>& record) { return nb::bytes(record.data(), record.size()); }

// (seq, then, now) of each.
nb::list rows_of(const std::vector<Otherwise>& others) {
    nb::list rows;
    for (const Otherwise& one : others) rows.append(nb::make_tuple(one.seq, bytes_of(one.then), bytes_of(one.now)));
    return rows;
}

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
        .def_ro("end_path", &ReplayReport::end_path)
        .def_ro("core_frames", &ReplayReport::core_frames)
        .def_ro("strategy_differs", &ReplayReport::strategy_differs)
        .def_prop_ro("others", [](const ReplayReport& r) { return rows_of(r.others); })
        .def_ro("acknowledged_at", &ReplayReport::acknowledged_at);
}

void bind_what_if(nb::module_& m) {
    nb::class_<WhatIfReport>(m, "WhatIfReport", "Where other limits would have decided otherwise.")
        .def_ro("frames", &WhatIfReport::frames)
        .def_ro("judged", &WhatIfReport::judged)
        .def_ro("now_refused", &WhatIfReport::now_refused)
        .def_ro("now_passes", &WhatIfReport::now_passes)
        .def_ro("is_cut", &WhatIfReport::is_cut)
        .def_prop_ro("others", [](const WhatIfReport& r) { return rows_of(r.others); });
    m.def("what_if_limits", &what_if_limits, "capacity"_a, "lines"_a, "journal_dir"_a, "hot_dir"_a = "",
          "state"_a = nb::bytes("", 0), "from_seq"_a = 0, "to_seq"_a = ~u64(0),
          "Judges every order of a journal under other limits, each given what really happened until then.");
}

}  // namespace

void bind_node(nb::module_& m) {
    bind_report(m);
    bind_what_if(m);
    m.def("recover", &recover, "engine"_a, "journal_dir"_a, "hot_dir"_a = "", "up_to_seq"_a = ~u64(0),
          "Brings the engine from where it stands to the end of the journal, without Python.",
          nb::call_guard<nb::gil_scoped_release>());
    m.def("replay_journal", &replay_journal, "engine"_a, "journal_dir"_a, "hot_dir"_a = "",
          "again"_a.none() = nb::none(), "tape_dir"_a = "", "feed_ns"_a = 0,
          "own"_a = std::vector<std::pair<u16, StrategyHost*>>(), "from_seq"_a = 0, "to_seq"_a = ~u64(0),
          "is_supposed"_a = false,
          "Plays a journal again and compares every decision; `own`: strategies that ran in processes of their own; "
          "`is_supposed`: those given are not what ran.");
}

}  // namespace openbell
