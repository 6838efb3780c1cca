"""A wire tap on loopback with a parser of its own: what a client sends to one port, by the kernel's time of a packet.

It shares no code with what it observes. A packet socket sees each packet as it is handed to the interface, so its time
is that of the send call, within microseconds. Needs root.
"""

import socket
import struct
import threading
from dataclasses import dataclass

ETH_P_ALL, ETH_P_IP = 0x0003, 0x0800
PACKET_OUTGOING = 4
SO_TIMESTAMPNS, SO_RCVBUFFORCE = 35, 33
BUFFER_BYTES = 64 << 20
OPENS, CANCEL = (b"O", b"U"), b"X"


@dataclass(frozen=True)
class Sent:
    """One order-entry message: its kind, a letter of OUCH 4.2, and CLOCK_REALTIME."""

    kind: bytes
    ts_ns: int


class Stream:
    """One direction of one connection: SoupBinTCP packets out of segments that must follow each other."""

    def __init__(self, next_seq: int) -> None:
        self.next_seq = next_seq
        self.unread = b""

    def take(self, seq: int, data: bytes) -> list[bytes]:
        """The first letters of the messages that end in this segment."""
        if seq != self.next_seq:
            if (seq - self.next_seq) & 0x8000_0000:
                return []  # sent again
            raise RuntimeError(f"tap: expected byte {self.next_seq} of the stream, found {seq}: packets were missed")
        self.next_seq = (seq + len(data)) & 0xFFFF_FFFF
        self.unread += data
        kinds = []
        while len(self.unread) >= 2:
            (length,) = struct.unpack_from(">H", self.unread)
            if len(self.unread) < 2 + length:
                break
            if self.unread[2:3] == b"U":
                kinds.append(self.unread[3:4])
            self.unread = self.unread[2 + length :]
        return kinds


class Tap:
    """Listens in a thread of its own; `sent` grows. A context."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.sent: list[Sent] = []
        self.fault: str = ""
        self._streams: dict[int, Stream] = {}
        self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self._sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        self._sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._sock.bind(("lo", ETH_P_ALL))
        self._sock.settimeout(0.2)
        self._is_over = False
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> "Tap":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._thread.join()
        self._sock.close()

    def _listen(self) -> None:
        while not self._is_over:
            try:
                data, extra, _, where = self._sock.recvmsg(65_536, 64)
            except TimeoutError:
                continue
            if where[1:3] == (ETH_P_IP, PACKET_OUTGOING) and data[9] == socket.IPPROTO_TCP:
                seconds, ns = struct.unpack("qq", extra[0][2][:16])
                try:
                    self._take(data, seconds * 10**9 + ns)
                except RuntimeError as error:
                    self.fault = str(error)
                    return

    def _take(self, packet: bytes, ts_ns: int) -> None:
        header = (packet[0] & 0xF) * 4
        (total,) = struct.unpack_from(">H", packet, 2)
        source, target, seq = struct.unpack_from(">HHI", packet, header)
        if target != self.port:
            return
        data = packet[header + (packet[header + 12] >> 4) * 4 : total]
        flags = packet[header + 13]
        if flags & 2:  # SYN
            self._streams[source] = Stream((seq + 1) & 0xFFFF_FFFF)
        elif stream := self._streams.get(source):
            self.sent += [Sent(kind, ts_ns) for kind in stream.take(seq, data)] if data else []
