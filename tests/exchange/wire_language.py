"""Conversations with an exchange as plain text: what clients do on the wire, and everything that each of them hears.

    case: an order trades
      NODE2 M1 sell 300 @ 50.00   -> NODE2 accepted M1; lines A
      NODE1 T1 buy 100 @ 50.00    -> NODE1 accepted T1, executed T1 100 @ 50.00; lines E
                                  -> NODE2 executed M1 100 @ 50.00
      fault disconnect NODE1      -> NODE1 gone

| does | |
|---|---|
| `ACCOUNT TOKEN buy\\|sell QTY @ PRICE [ioc]` | an order in OBEL |
| `ACCOUNT cancel TOKEN` | |
| `ACCOUNT logs in [from N]` | hears every report from N on (the next one without), until there are no more |
| `ACCOUNT leaves` | its connection ends |
| `fault ...`, `clear ...` | as `openbell exchange fault` has it |

Accounts that a case names are logged in when it begins. What is not said after `->` must not be heard: reports by
account, messages of the feed by line (`lines` are all of them). A line that begins with `->` goes on.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from tests.exchange.harness import Client, Receiver, exchange

from openbell._native import itch_decode, mold_parse, ouch_decode_outbound, soup_packet
from openbell.exchange.control import ask
from openbell.exchange.server import ExchangeServer

ACCOUNTS = ("NODE1", "NODE2", "COPY")
LINES = ("A", "B")
COPY = {"name": "COPY", "password": "plain:secret", "accounts": ["NODE1", "NODE2"]}


@dataclass
class Step:
    """One thing that is done, and what everybody hears of it: by account or `line A`."""

    text: str
    line: int
    hears: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Conversation:
    name: str
    steps: list[Step] = field(default_factory=list)


def read_conversations(text: str) -> list[Conversation]:
    """Return the cases of a file."""
    cases: list[Conversation] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.split("#")[0].strip()
        if line.startswith("case:"):
            cases.append(Conversation(line.removeprefix("case:").strip()))
        elif line:
            does, _, hears = line.partition("->")
            if does.strip():
                cases[-1].steps.append(Step(does.strip(), number))
            for who, what in _heard(hears):
                cases[-1].steps[-1].hears.setdefault(who, []).extend(what)
    return cases


def _heard(text: str) -> list[tuple[str, list[str]]]:
    out = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        who, _, what = part.partition(" ")
        said = [" ".join(one.split()) for one in what.split(",")]
        if who == "lines":
            out += [(f"line {name}", what.split()) for name in LINES]
        elif who == "line":
            name, *letters = what.split()
            out.append((f"line {name}", letters))
        else:
            out.append((who, said))
    return out


async def play(case: Conversation) -> None:
    """Have the conversation; an assertion names the line where it goes otherwise."""
    receivers = {name: Receiver() for name in LINES}
    lines = [{"name": name, "send_to": [receiver.address]} for name, receiver in receivers.items()]
    async with exchange(feed={"lines": lines, "linger_ms": 0}, drop_copies=[COPY]) as server:
        server.flush()
        table = Table(server, receivers)
        table.take_lines()
        named = {word for step in case.steps for word in [*step.text.split(), *step.hears] if word in ACCOUNTS}
        for account in sorted(named):
            await table.log_in(account, 1)
            await table.clients[account].replay_any()
        for step in case.steps:
            await table.act(step.text.split())
            heard = await table.listen(step.hears)
            expected = {who: what for who, what in step.hears.items() if what}
            assert heard == expected, f"line {step.line}: {step.text}"


class Listener(Client):
    """A client that counts the sequenced messages it has read."""

    last_seq = 0

    async def packet(self) -> tuple[str, bytes]:
        kind, payload = await super().packet()
        self.last_seq += kind == "S"
        return kind, payload

    async def replay_any(self) -> list[str]:
        out = []
        while (packet := await self.packet())[0] != "H":
            out.append(said(*packet))
        return out


class Table:
    """Where the clients and the receivers of one conversation sit."""

    def __init__(self, server: ExchangeServer, receivers: dict[str, Receiver]) -> None:
        self.server, self.receivers = server, receivers
        self.clients: dict[str, Listener] = {}
        self.replays: dict[str, list[str]] = {}

    async def act(self, words: list[str]) -> None:
        match words:
            case ["fault", *fault]:
                self.server.faults.start(" ".join(fault))
            case ["clear", *which]:
                self.server.faults.clear(*which)
            case [account, "logs", "in", *start]:
                await self.log_in(account, int(start[1]) if start else 0)
                self.replays[account] = await self.clients[account].replay_any()
            case [account, "leaves"]:
                await self.clients.pop(account).disconnect()
            case [account, "cancel", token]:
                self.clients[account].cancel(token)
            case [account, token, "buy" | "sell" as side, qty, "@", px, *ioc]:
                tif = {"tif": 0} if ioc else {}
                self.clients[account].enter(token, "BS"[side == "sell"], int(qty), int(Decimal(px) * 10_000), **tif)
            case _:
                raise ValueError(f"expected something that can be done, found {' '.join(words)!r}")
        await self._until_done(words[0])

    async def log_in(self, account: str, seq: int) -> None:
        client = self.clients[account] = await Listener.login(self.server, user=account, seq=seq)
        client.last_seq = client.next_seq - 1

    async def listen(self, hears: dict[str, list[str]]) -> dict[str, list[str]]:
        """Everything that was heard since, by whom."""
        heard = {account: await self._hear(account, hears.get(account, [])) for account in list(self.clients)}
        heard |= {f"line {name}": letters for name, letters in self.take_lines().items()}
        return {who: what for who, what in heard.items() if what}

    def take_lines(self) -> dict[str, list[str]]:
        """The message types that have come on each line: datagrams over loopback have arrived when they were sent."""
        out: dict[str, list[str]] = {}
        for name, receiver in self.receivers.items():
            out[name] = []
            while datagram := _received(receiver):
                out[name] += [itch_decode(message)["type"] for message in mold_parse(datagram)[3]]
        return out

    async def _hear(self, account: str, expected: list[str]) -> list[str]:
        client, out = self.clients[account], self.replays.pop(account, [])
        for what in expected[len(out) :]:
            out.append(said(*await client.packet()))
            while out[-1] == "heartbeat":
                out[-1] = said(*await client.packet())
            if what == "gone" and out[-1] == "gone":
                del self.clients[account]
                return out
        stream = {**self.server.door.accounts, **self.server.door.drop_copies}[account]
        assert stream.connection, f"{account} is gone, heard {out}"
        unread = stream.connection.next_seq - 1 - client.last_seq
        return out + [said(*await client.packet()) for _ in range(unread)]

    async def _until_done(self, account: str) -> None:
        """The exchange has done what the client has sent: it has read a debug packet sent after it."""
        client = self.clients.get(account)
        stream = self.server.door.accounts.get(account)
        if client and stream and stream.connection and stream.connection.transport.is_reading():
            seen = self.server.door.counters.debug_packets
            client.writer.write(soup_packet("+", b"done?"))
            while self.server.door.counters.debug_packets == seen and stream.connection:
                await ask(self.server.ready.control, {"verb": "fault"})
        self.server.flush()


def _received(receiver: Receiver) -> bytes:
    try:
        return receiver.socket.recv(65536)
    except BlockingIOError:
        return b""


def said(kind: str, payload: bytes) -> str:
    """A packet as the text has it."""
    if kind != "S":
        return {"": "gone", "H": "heartbeat", "+": f"debug {payload.decode()}"}[kind]
    name = ""
    if not payload[:1].isalpha() or (payload[10:11].isalpha() and payload[:4] == b"NODE"):
        name, payload = payload[:10].decode().strip() + " ", payload[10:]
    report = ouch_decode_outbound(payload)
    token = report.get("token", "").strip()
    match report["type"]:
        case "S":
            return name + ("start" if report["event"] == "S" else "end")
        case "A":
            return name + f"accepted {token}"
        case "E":
            return name + f"executed {token} {report['qty']} @ {Decimal(report['px']) / 10_000:.2f}"
        case "C":
            return name + f"canceled {token} {report['qty']} ({report['reason']})"
        case "J":
            return name + f"rejected {token} ({report['reason']})"
        case "B":
            return name + f"broken {token}"
    raise ValueError(f"expected a report with words, found {report}")
