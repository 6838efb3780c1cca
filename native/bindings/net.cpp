// What Python sees of `net`: the ports, their real and simulated sides, and the clocks.
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>

#include "net/poller.h"
#include "net/sim_net.h"
#include "net/tcp.h"
#include "net/udp.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace openbell {
namespace {

using Endpoint = std::pair<std::string, u16>;  // host, port

Bytes view(const nb::bytes& b) { return {static_cast<const u8*>(b.data()), b.size()}; }
nb::bytes copy(Bytes b) { return nb::bytes(b.data(), b.size()); }
Address address(const Endpoint& e) { return resolve(e.first, e.second); }
Endpoint endpoint(const Address& a) {
    const std::string text = a.text();
    return {text.substr(0, text.find(':')), a.port};
}

nb::list receive_datagrams(DatagramPort& port, std::size_t count) {
    std::vector<Datagram> batch(std::min(count, kDatagramBatchMax));
    const std::size_t got = port.receive(batch);
    nb::list out;
    for (std::size_t i = 0; i < got; ++i) {
        out.append(nb::make_tuple(copy(batch[i].payload), batch[i].ts_recv, endpoint(batch[i].from)));
    }
    return out;
}

nb::bytes receive_stream(StreamPort& port, std::size_t bytes_max) {
    std::vector<u8> buffer(bytes_max);
    return copy({buffer.data(), port.receive(buffer)});
}

nb::list take_received(SimDatagrams& port) {
    nb::list out;
    for (const std::vector<u8>& one : port.take_received()) out.append(copy(one));
    return out;
}

nb::list take_sent(SimStream& stream) {
    nb::list out;
    for (const SimSent& one : stream.take_sent()) out.append(nb::make_tuple(one.at_ns, one.mark, copy(one.bytes)));
    return out;
}

void bind_clocks(nb::module_& m) {
    nb::class_<Clock>(m, "Clock").def("now_ns", &Clock::now_ns, "ns since the Unix epoch, UTC; never goes back");
    nb::class_<WallClock, Clock>(m, "WallClock")
        .def(nb::init<>())
        .def_prop_ro("offset_ns", &WallClock::offset_ns)
        .def("go_on_from", &WallClock::go_on_from, "last_ns"_a)
        .def_static("measured_offset_ns", &WallClock::measured_offset_ns);
    nb::class_<SimClock, Clock>(m, "SimClock")
        .def(nb::init<i64>(), "start_ns"_a = 0)
        .def("advance", &SimClock::advance, "ns"_a)
        .def("advance_to", &SimClock::advance_to, "ns"_a)
        .def(
            "set_on_relax",
            [](SimClock& clock, nb::callable act) { clock.on_relax = [act = std::move(act)] { act(); }; }, "act"_a,
            "Called at every round of a wait for another thread.")
        .def("die_at_look", &SimClock::die_at_look, "n"_a,
             "The n-th look at the clock raises SimulatedDeath; 0: none.");
    nb::exception<SimulatedDeath>(m, "SimulatedDeath");
}

void bind_ports(nb::module_& m) {
    nb::class_<DatagramPort>(m, "DatagramPort")
        .def("receive", &receive_datagrams, "count"_a = 64, "[(payload, ts_recv in ns, (host, port) of the sender)]")
        .def(
            "send_to",
            [](DatagramPort& p, const Endpoint& to, const nb::bytes& b) { return p.send_to(address(to), view(b)); },
            "to"_a, "payload"_a)
        .def_prop_ro("dropped", &DatagramPort::dropped)
        .def_prop_ro("local", [](const DatagramPort& p) { return endpoint(p.local()); })
        .def("fileno", &DatagramPort::fd);
    nb::enum_<StreamState>(m, "StreamState")
        .value("DOWN", StreamState::Down)
        .value("CONNECTING", StreamState::Connecting)
        .value("UP", StreamState::Up);
    nb::class_<StreamPort>(m, "StreamPort")
        .def("connect", &StreamPort::connect)
        .def_prop_ro("state", &StreamPort::state)
        .def("receive", &receive_stream, "bytes_max"_a = 65'536)
        .def(
            "send", [](StreamPort& p, const nb::bytes& b) { return p.send(view(b)); }, "data"_a,
            "How many bytes from the front were taken")
        .def("shutdown", &StreamPort::shutdown)
        .def_prop_ro("error", &StreamPort::error)
        .def("fileno", &StreamPort::fd);
}

UdpSocket* open_udp(const std::string& host, u16 port, const std::string& group, const std::string& interface,
                    int receive_buffer_bytes, std::size_t batch, std::size_t datagram_bytes, bool timestamps) {
    return new UdpSocket({host, port, group, interface, receive_buffer_bytes, batch, datagram_bytes, timestamps});
}

void bind_sockets(nb::module_& m) {
    const UdpSocket::Config udp;
    nb::class_<UdpSocket, DatagramPort>(m, "UdpSocket")
        .def(nb::new_(&open_udp), "host"_a = udp.host, "port"_a = udp.port, "group"_a = udp.group,
             "interface"_a = udp.interface, "receive_buffer_bytes"_a = udp.receive_buffer_bytes, "batch"_a = udp.batch,
             "datagram_bytes"_a = udp.datagram_bytes, "timestamps"_a = udp.timestamps)
        .def_prop_ro("overflows", &UdpSocket::overflows)
        .def_prop_ro("oversized", &UdpSocket::oversized)
        .def_prop_ro("receive_buffer_bytes", &UdpSocket::receive_buffer_bytes)
        .def_prop_ro("errno", &UdpSocket::error);
    nb::class_<TcpSocket, StreamPort>(m, "TcpSocket")
        .def(nb::new_([](const std::string& host, u16 port, int receive_buffer_bytes, int send_buffer_bytes) {
                 return new TcpSocket({host, port, receive_buffer_bytes, send_buffer_bytes});
             }),
             "host"_a, "port"_a, "receive_buffer_bytes"_a = 0, "send_buffer_bytes"_a = 0)
        .def("connect_within", &TcpSocket::connect_within, "timeout_ns"_a, nb::call_guard<nb::gil_scoped_release>())
        .def_prop_ro("peer", [](const TcpSocket& s) { return endpoint(s.peer()); })
        .def_prop_ro("local", [](const TcpSocket& s) { return endpoint(s.local()); });
    nb::class_<TcpListener>(m, "TcpListener")
        .def(nb::init<const std::string&, u16, int>(), "host"_a, "port"_a = 0, "backlog"_a = 64)
        .def("accept", &TcpListener::accept)
        .def_prop_ro("local", [](const TcpListener& l) { return endpoint(l.local()); })
        .def("fileno", &TcpListener::fd);
    nb::class_<Poller>(m, "Poller")
        .def(nb::init<>())
        .def("add", &Poller::add, "fd"_a, "writable_too"_a = false)
        .def("remove", &Poller::remove, "fd"_a)
        .def("wait", &Poller::wait, "timeout_ns"_a, nb::call_guard<nb::gil_scoped_release>())
        .def("is_readable", &Poller::is_readable, "fd"_a)
        .def("is_writable", &Poller::is_writable, "fd"_a)
        .def_prop_ro("was_woken", &Poller::was_woken)
        .def("wake", &Poller::wake);
}

void bind_simulation(nb::module_& m) {
    nb::class_<SimFaults>(m, "SimFaults")
        .def_rw("loss_ppm", &SimFaults::loss_ppm)
        .def_rw("duplicate_ppm", &SimFaults::duplicate_ppm)
        .def_rw("delay_ns", &SimFaults::delay_ns)
        .def_rw("jitter_ns", &SimFaults::jitter_ns)
        .def_rw("stamp_ns", &SimFaults::stamp_ns);
    nb::class_<SimNet>(m, "SimNet")
        .def(nb::init<Clock&, u64>(), "clock"_a, "seed"_a = 0, nb::keep_alive<1, 2>())
        .def_rw("faults", &SimNet::faults)
        .def_rw("mark", &SimNet::mark)
        .def_prop_ro("sent", &SimNet::sent)
        .def_prop_ro("lost", &SimNet::lost);
    // keep_alive<1, 2>: every part of a simulated network keeps the network.
    nb::class_<SimDatagrams, DatagramPort>(m, "SimDatagrams")
        .def(
            "__init__",
            [](SimDatagrams* self, SimNet& net, const Endpoint& local, const Endpoint& group) {
                new (self) SimDatagrams(net, address(local), address(group));
            },
            "net"_a, "local"_a, "group"_a = Endpoint("0.0.0.0", 0), nb::keep_alive<1, 2>())
        .def("tap", &SimDatagrams::tap)
        .def("take_received", &take_received, "Every datagram since the last call.");
    nb::class_<SimStream, StreamPort>(m, "SimStream")
        .def(
            "__init__",
            [](SimStream* self, SimNet& net, const Endpoint& peer) { new (self) SimStream(net, address(peer)); },
            "net"_a, "peer"_a, nb::keep_alive<1, 2>())
        .def("cut", &SimStream::cut)
        .def("vanish", &SimStream::vanish, "The host of this side is gone: nobody is told.")
        .def("tap", &SimStream::tap)
        .def("take_sent", &take_sent, "[(ns, SimNet.mark, bytes)] of every send since the last call.")
        .def("die_at_send", &SimStream::die_at_send, "n"_a)
        .def_rw("send_max", &SimStream::send_max)
        .def_rw("hold_in_until_ns", &SimStream::hold_in_until_ns)
        .def_rw("hold_out_until_ns", &SimStream::hold_out_until_ns);
    nb::class_<SimListener>(m, "SimListener")
        .def(
            "__init__",
            [](SimListener* self, SimNet& net, const Endpoint& local) { new (self) SimListener(net, address(local)); },
            "net"_a, "local"_a, nb::keep_alive<1, 2>())
        .def("accept", &SimListener::accept, nb::keep_alive<0, 1>());
}

}  // namespace

void bind_net(nb::module_& m) {
    bind_clocks(m);
    bind_ports(m);
    bind_sockets(m);
    bind_simulation(m);
}

}  // namespace openbell
