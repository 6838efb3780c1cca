// An engine that Python feeds frame by frame, with strategies that read from a script: for tests and studies.
#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include "engine/engine.h"

namespace nb = nanobind;

namespace openbell {
void bind_engine_probe(nb::module_& m);  // called by bind_engine

namespace {

using namespace nb::literals;

Bytes view_of(const nb::bytes& b) { return {reinterpret_cast<const u8*>(b.c_str()), b.size()}; }

template <class Record>
nb::bytes joined(const BoundedList<Record>& records) {
    std::vector<u8> out;
    for (const Record& r : records) {
        const u8* p = reinterpret_cast<const u8*>(&r);
        out.insert(out.end(), p, p + sizeof r);
    }
    return nb::bytes(out.data(), out.size());
}

// Says the script, when asked, and remembers what it was told.
class ScriptedStrategies final : public IntentSource {
  public:
    Bytes script;
    nb::object told = nb::none();

    void decide(const FrameView&, const Happened& happened, const World&, Decision& out) override {
        nb::dict d;
        d["started"] = happened.started;
        d["stopping"] = happened.stopping;
        d["books"] = std::vector<u32>(happened.books.begin(), happened.books.end());
        d["trades"] = joined(happened.trades);
        d["statuses"] = joined(happened.statuses);
        d["notices"] = joined(happened.notices);
        d["reports"] = joined(happened.reports);
        d["timers"] = joined(happened.timers);
        d["signals"] = joined(happened.signals);
        told = d;
        struct Raw {
            u8 type;
            u8 rest[kLargeRecord - 1];
        };
        for (std::size_t at = 0; at < script.size(); at += sizeof(Raw)) {
            Raw raw;
            std::memcpy(&raw, script.data() + at, sizeof raw);
            out.add_copy(raw);
        }
    }
};

class EngineProbe {
  public:
    explicit EngineProbe(const EngineCapacity& capacity) : engine(capacity), frame_(kFrameBytesMax) {}

    nb::tuple decide(const nb::bytes& records, u64 seq, i64 ts_seq, u16 source, u64 source_seq, const nb::bytes& script,
                     IntentSource* strategies) {
        const FrameView frame = frame_of(view_of(records), seq, ts_seq, source, source_seq);
        if (script.size() % kLargeRecord != 0 || script.size() > Decision::kRecordsMax / 2 * kLargeRecord)
            throw Error(ErrorKind::Decode, "expected a script of at most 512 records of 128 bytes, found " +
                                               std::to_string(script.size()) + " bytes");
        scripted_.script = view_of(script);
        scripted_.told = nb::none();
        const Decision& decision = engine.on_event(frame, strategies ? *strategies : scripted_);
        const Bytes out = decision.bytes();
        return nb::make_tuple(nb::bytes(out.data(), out.size()), scripted_.told);
    }

    Engine engine;

  private:
    FrameView frame_of(Bytes records, u64 seq, i64 ts_seq, u16 source, u64 source_seq) {
        const std::size_t size = records.empty() ? kLargeRecord : record_size(Type(records[0]));
        if (records.empty() || records.size() % size != 0 || sizeof(FrameHeader) + records.size() > frame_.size())
            throw Error(ErrorKind::Decode, "expected whole records of one size that fit a frame, found " +
                                               std::to_string(records.size()) + " bytes");
        FrameHeader header{};
        header.length = u32(sizeof header + records.size());
        header.frame_class = u8(FrameClass::In);
        header.source = source;
        header.record_size = u16(size);
        header.count = u32(records.size() / size);
        header.seq = seq;
        header.source_seq = source_seq;
        header.ts_recv = header.ts_seq = ts_seq;
        std::memcpy(frame_.data(), &header, sizeof header);
        std::memcpy(frame_.data() + sizeof header, records.data(), records.size());
        return FrameView(reinterpret_cast<const FrameHeader*>(frame_.data()));
    }

    std::vector<u8> frame_;
    ScriptedStrategies scripted_;
};

}  // namespace

void bind_engine_probe(nb::module_& m) {
    nb::class_<EngineProbe>(m, "EngineProbe", "An engine fed frame by frame, with scripted strategies: for tests.")
        .def(nb::init<const EngineCapacity&>(), "capacity"_a)
        .def("decide", &EngineProbe::decide, "records"_a, "seq"_a, "ts_seq"_a, "source"_a = 0, "source_seq"_a = 0,
             "script"_a = nb::bytes("", 0), "strategies"_a.none() = nb::none(),
             "(records of the decision, what strategies were told or None) of one IN frame.")
        .def_prop_ro("engine", [](EngineProbe& p) -> Engine& { return p.engine; }, nb::rv_policy::reference_internal);
}

}  // namespace openbell
