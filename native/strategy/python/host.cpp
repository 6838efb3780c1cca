#include "strategy/python/host.h"

#include <nanobind/stl/string.h>

#include <cmath>

namespace openbell {
namespace {

constexpr const char* kHookNames[] = {"on_start", "on_book", "on_trade", "on_status", "on_notice",
                                      "on_order", "on_fill", "on_timer", "on_stop"};
constexpr std::size_t kFieldBytes = 8;

void put_word(std::vector<u8>& into, std::size_t at, u64 word) { std::memcpy(into.data() + at, &word, kFieldBytes); }

u64 word_at(const std::vector<u8>& from, std::size_t at) {
    u64 word;
    std::memcpy(&word, from.data() + at, kFieldBytes);
    return word;
}

// NaN and -0 have one spelling each (law 14).
u64 canonical(double value) {
    if (std::isnan(value)) value = std::nan("");
    if (value == 0) value = 0;
    return std::bit_cast<u64>(value);
}

// "ValueError: bad price (market_maker.py:31)"
std::string describe_unguarded(nb::python_error& error) {
    std::string text = nb::cast<std::string>(nb::str(error.type().attr("__name__"))) + ": " +
                       nb::cast<std::string>(nb::str(error.value()));
    nb::object frame = nb::borrow(error.traceback());
    if (!frame.is_valid() || frame.is_none()) return text;
    while (!frame.attr("tb_next").is_none()) frame = frame.attr("tb_next");
    const auto file = nb::cast<std::string>(frame.attr("tb_frame").attr("f_code").attr("co_filename"));
    return text + " (" + file.substr(file.rfind('/') + 1) + ":" +
           std::to_string(nb::cast<int>(frame.attr("tb_lineno"))) + ")";
}

// An exception may have a text that cannot be had (its __str__ raises, or it is not UTF-8).
std::string describe(nb::python_error& error) {
    try {
        return describe_unguarded(error);
    } catch (const std::exception&) {
        PyErr_Clear();
        return std::string("exception whose text cannot be read: ") + Py_TYPE(error.value().ptr())->tp_name;
    }
}

}  // namespace

PythonStrategies::PythonStrategies() : context_(new Context) {
    py_context_ = nb::cast(context_, nb::rv_policy::take_ownership);
}

PythonStrategies::~PythonStrategies() = default;

void PythonStrategies::add(StrategySpec spec) {
    Entry& entry = entries_.emplace_back();
    entry.spec = std::move(spec);
    const nb::object base = nb::module_::import_("openbell.strategy").attr("Strategy");
    for (int hook = 0; hook < kHooks; ++hook) {
        const char* name = kHookNames[hook];
        nb::object own = entry.spec.self.type().attr(name);
        if (!own.is(base.attr(name))) entry.hooks[hook] = entry.spec.self.attr(name);
    }
    for (const auto& [name, kind] : entry.spec.fields)
        entry.names.push_back(nb::steal(PyUnicode_InternFromString(name.c_str())));
    entry.state.assign(kFieldBytes * (1 + entry.names.size()), 0);
    scratch_.reserve(kStateBytesMax);
    if (entry.state.size() > kStateBytesMax)
        throw Error(ErrorKind::Strategy, "strategy " + entry.spec.name + " declares " +
                                             std::to_string(entry.names.size()) + " state fields; at most " +
                                             std::to_string(kStateBytesMax / kFieldBytes - 1));
    pack(entry, entry.state);  // what an exception in the very first callback returns to
    // Intents leave half of a decision free; every strategy's state and a word on its end must fit there.
    state_records_ += 1 + (entry.state.size() + sizeof(StrategyState::bytes) - 1) / sizeof(StrategyState::bytes);
    if (state_records_ > Decision::kRecordsMax / 2)
        throw Error(ErrorKind::Capacity, "strategies: expected declared state of at most " +
                                             std::to_string(Decision::kRecordsMax / 2) + " records in all, found " +
                                             std::to_string(state_records_) + " with " + entry.spec.name +
                                             "; run them on two nodes");
}

void PythonStrategies::decide(const FrameView&, const Happened& happened, const World& world, Decision& out) {
    for (Entry& entry : entries_) {
        if (entry.spec.id >= world.halted.size())
            throw Error(ErrorKind::Config, "strategy " + entry.spec.name + ": expected an id below strategies_max " +
                                               std::to_string(world.halted.size()) + ", found " +
                                               std::to_string(entry.spec.id) + "; raise the capacity");
        if (!world.halted[entry.spec.id]) run(entry, happened, world, out);
    }
}

// One batch of callbacks: all of it counts, or none of it.
void PythonStrategies::run(Entry& entry, const Happened& happened, const World& world, Decision& out) {
    const std::size_t before = out.count();
    try {
        if (entry.instruments.size() < entry.spec.symbols.size()) learn_instruments(entry, world);
        if (happened.started || !entry.is_restored) restore(entry, world);
        context_->open(world, out, entry.spec.id, entry.rng, entry.instruments);
        const u64 calls = callbacks_;
        call_hooks(entry, happened, world);
        if (callbacks_ != calls || happened.started) publish_state(entry, world, out);
    } catch (nb::python_error& error) {
        out.truncate(before);
        unpack(entry);
        halt(entry, world, out, describe(error));
    } catch (const std::exception& error) {
        out.truncate(before);
        unpack(entry);
        halt(entry, world, out, error.what());
    }
}

void PythonStrategies::call_hooks(Entry& entry, const Happened& happened, const World&) {
    const auto mine = [&](u32 id) { return id < entry.subscribed.size() && entry.subscribed[id]; };
    if (happened.started) call(entry, OnStart, {});
    if (entry.hooks[OnStatus].is_valid())
        for (const Market& status : happened.statuses)
            if (status.instrument == kNoInstrument || mine(status.instrument)) call(entry, OnStatus, nb::cast(status));
    if (entry.hooks[OnNotice].is_valid())
        for (const Market& notice : happened.notices)
            if (notice.instrument == kNoInstrument || mine(notice.instrument)) call(entry, OnNotice, nb::cast(notice));
    for (const Report& report : happened.reports) {
        if (report.strategy != entry.spec.id || report.instrument == kNoInstrument) continue;
        const Hook hook = report.type == u8(Type::Filled) ? OnFill : OnOrder;
        if (entry.hooks[hook].is_valid()) call(entry, hook, nb::cast(report));
    }
    if (entry.hooks[OnTimer].is_valid())
        for (const Timer& timer : happened.timers)
            if (timer.strategy == entry.spec.id) call(entry, OnTimer, nb::int_(timer.timer_id));
    if (entry.hooks[OnTrade].is_valid())
        for (const Market& trade : happened.trades)
            if (mine(trade.instrument)) call(entry, OnTrade, nb::cast(trade));
    if (entry.hooks[OnBook].is_valid())
        for (u32 id : happened.books)
            if (mine(id)) call(entry, OnBook, entry.books[id]);
    if (happened.stopping) call(entry, OnStop, {});
}

void PythonStrategies::call(Entry& entry, Hook hook, nb::handle argument) {
    if (!entry.hooks[hook].is_valid()) return;
    ++callbacks_;
    PyObject* args[] = {nullptr, py_context_.ptr(), argument.ptr()};
    const std::size_t count = argument.is_valid() ? 2 : 1;
    PyObject* result =
        PyObject_Vectorcall(entry.hooks[hook].ptr(), args + 1, count | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
    if (result == nullptr) throw nb::python_error();
    Py_DECREF(result);
}

// State that the journal knows is taken over, else the class's defaults stand.
void PythonStrategies::restore(Entry& entry, const World& world) {
    entry.is_restored = true;
    const Bytes known = world.states[entry.spec.id];
    if (known.empty()) {
        entry.rng = SplitMix64(hash_bytes(known, world.seed ^ entry.spec.id));
        put_word(entry.state, 0, entry.rng.state());
        return;
    }
    if (known.size() != entry.state.size())
        throw Error(ErrorKind::Strategy, "declared state of " + entry.spec.name + ": expected " +
                                             std::to_string(known.size()) + " bytes as journalled, found " +
                                             std::to_string(entry.state.size()) +
                                             "; start a new journal or restore the fields");
    entry.state.assign(known.begin(), known.end());
    unpack(entry);
}

void PythonStrategies::learn_instruments(Entry& entry, const World& world) {
    for (u32 id = u32(entry.subscribed.size()); id < world.instruments.size(); ++id) {
        const Instrument& known = world.instruments[id];
        const std::string symbol(symbol_of(known));
        const auto& symbols = entry.spec.symbols;
        const bool mine = std::find(symbols.begin(), symbols.end(), symbol) != symbols.end();
        entry.subscribed.push_back(mine);
        entry.books.push_back(mine ? nb::cast(BookView(world, id)) : nb::none());
        if (mine) entry.instruments.push_back(id);
    }
}

void PythonStrategies::pack(const Entry& entry, std::vector<u8>& into) const {
    into.resize(kFieldBytes * (1 + entry.names.size()));
    put_word(into, 0, entry.rng.state());
    for (std::size_t i = 0; i < entry.names.size(); ++i) {
        const nb::object value = nb::steal(PyObject_GetAttr(entry.spec.self.ptr(), entry.names[i].ptr()));
        if (!value.is_valid()) throw nb::python_error();
        u64 word;
        if (entry.spec.fields[i].second == 'f') {
            word = canonical(PyFloat_AsDouble(value.ptr()));
        } else {
            if (!PyLong_Check(value.ptr())) {  // a float in an int field would be cut in silence
                PyErr_Format(PyExc_TypeError, "field %U: expected int, found %.80R", entry.names[i].ptr(), value.ptr());
                throw nb::python_error();
            }
            word = u64(PyLong_AsLongLong(value.ptr()));
        }
        if (PyErr_Occurred()) throw nb::python_error();
        put_word(into, kFieldBytes * (i + 1), word);
    }
}

void PythonStrategies::unpack(Entry& entry) const {
    entry.rng = SplitMix64(word_at(entry.state, 0));
    for (std::size_t i = 0; i < entry.names.size(); ++i) {
        const u64 word = word_at(entry.state, kFieldBytes * (i + 1));
        nb::object value;
        switch (entry.spec.fields[i].second) {
            case 'f': value = nb::float_(std::bit_cast<double>(word)); break;
            case 'b': value = nb::bool_(word != 0); break;
            default: value = nb::int_(i64(word));
        }
        nb::setattr(entry.spec.self, entry.names[i], value);
    }
}

void PythonStrategies::publish_state(Entry& entry, const World& world, Decision& out) {
    pack(entry, scratch_);
    if (scratch_ == entry.state && !world.states[entry.spec.id].empty()) return;
    if (out.room() < Decision::kRecordsMax / 4)  // what is left is for halts
        throw Error(ErrorKind::Strategy, "strategies say too much in one frame: no room for the state of " +
                                             entry.spec.name + "; run fewer in one node");
    entry.state = scratch_;
    for (std::size_t at = 0; at < entry.state.size(); at += sizeof(StrategyState::bytes)) {
        StrategyState& part = out.add<StrategyState>(Type::StrategyState);
        part.strategy = entry.spec.id;
        part.instrument = kNoInstrument;
        part.ts_event = world.now_ns;
        part.offset = u16(at);
        part.length = u16(std::min(sizeof part.bytes, entry.state.size() - at));
        part.size = u32(entry.state.size());
        std::memcpy(part.bytes, entry.state.data() + at, part.length);
    }
}

void PythonStrategies::halt(const Entry& entry, const World& world, Decision& out, std::string why) {
    Control& halted = out.add<Control>(Type::StrategyHalted);
    halted.strategy = entry.spec.id;
    halted.instrument = kNoInstrument;
    halted.ts_event = world.now_ns;
    why.resize(std::min(why.size(), sizeof halted.text - 1));
    std::memcpy(halted.text, why.data(), why.size());
}

}  // namespace openbell
