// What Python sees of the journal's shared memory: ring, counters, kill cell, and the loops that measure them.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "journal/counters.h"
#include "journal/kill_cell.h"
#include "journal/ring.h"
#include "journal/writer.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
namespace {

using Records = nb::ndarray<const u8, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

bool push(Ring& ring, const Records& record) {
    if (record.size() != kSmallRecord && record.size() != kLargeRecord) {
        throw Error(ErrorKind::Journal, "expected a record of 48 or 128 bytes, found " + std::to_string(record.size()));
    }
    return ring.push(record.data(), record.size());
}

std::optional<nb::bytes> pop(Ring& ring) {
    const u8* slot = ring.front();
    if (!slot) return std::nullopt;
    nb::bytes out(slot, kRingSlotBytes);
    ring.pop();
    return out;
}

void bind_ring(nb::module_& m) {
    nb::class_<Ring>(m, "Ring", "Bounded queue between two processes; slots of 128 bytes.")
        .def_static("create", &Ring::create, "path"_a, "capacity"_a)
        .def_static("attach", &Ring::attach, "path"_a)
        .def("push", &push, "record"_a, "False when the ring is full.")
        .def("pop", &pop, "The oldest slot as 128 bytes, or None.")
        .def_prop_ro("capacity", &Ring::capacity)
        .def("__len__", &Ring::size);
}

void bind_counters(nb::module_& m) {
    nb::class_<Counter>(m, "Counter")
        .def("add", &Counter::add, "n"_a = 1)
        .def("set", &Counter::set, "n"_a)
        .def("get", &Counter::get);
    nb::class_<Counters>(m, "Counters", "A page of named 64-bit counters in shared memory.")
        .def_static("open", &Counters::open, "path"_a, "Create, or go on with the values that are there.")
        .def_static("attach", &Counters::attach, "path"_a, "Read only.")
        .def(
            "counter", [](Counters& c, const std::string& name) { return c.counter(name); }, "name"_a,
            nb::keep_alive<0, 1>())
        .def("read", &Counters::read, "[(name, value)] in the order of naming.");
}

void bind_kill_cell(nb::module_& m) {
    nb::class_<KillCell>(m, "KillCell", "The gate's switch in shared memory; it outlives every process.")
        .def_static("open", &KillCell::open, "path"_a)
        .def(
            "request",
            [](KillCell& cell, KillLevel level, i64 now_ns, u32 uid) {
                cell.request(level, now_ns, uid);
                cell.await_sends();
                cell.ring();
            },
            "level"_a, "now_ns"_a, "uid"_a)
        .def("ack", &KillCell::ack, "level"_a)
        .def("release", &KillCell::release, "generation"_a)
        .def_prop_ro("generation", &KillCell::generation)
        .def("ask_scoped", &KillCell::ask_scoped, "A ticket, for the record that follows by the operator ring.")
        .def("ring", &KillCell::ring, "Wakes the node, for a record in its operator ring.")
        .def_prop_ro("bell", &KillCell::bell)
        .def("take_scoped", &KillCell::take_scoped, "ticket"_a)
        .def("take_all_scoped", &KillCell::take_all_scoped)
        .def_prop_ro("awaits_scoped", &KillCell::awaits_scoped)
        .def("count_cancel_sent", &KillCell::count_cancel_sent)
        .def("count_cancel_confirmed", &KillCell::count_cancel_confirmed)
        .def_prop_ro("level", &KillCell::level)
        .def_prop_ro("acked", &KillCell::acked)
        .def_prop_ro("requested_at", &KillCell::requested_at)
        .def_prop_ro("requester_uid", &KillCell::requester_uid)
        .def_prop_ro("cancels_sent", &KillCell::cancels_sent)
        .def_prop_ro("cancels_confirmed", &KillCell::cancels_confirmed);
}

}  // namespace

void bind_journal_shared(nb::module_& m) {
    bind_ring(m);
    bind_counters(m);
    bind_kill_cell(m);
}

}  // namespace openbell
