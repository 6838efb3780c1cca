"""Random programs of the subset: source text with fields, a nested State, arrays, helpers, loops, verbs.

Names in `Writer.known` have a value wherever they are used, so nearly every program is accepted; what a program
computes may overflow, divide by zero or leave an array, in both speeds alike.
"""

HEAD = """
import enum

from openbell import State, Strategy, array, param
from openbell.strategy import Array

STEP = 3
RATE = 0.25


class Phase(enum.Enum):
    IDLE = 0
    BUSY = 7


class Depth(enum.IntEnum):
    FLAT = 0
    DEEP = 2


def above(STEP):
    def add(x):
        return x + STEP

    return add


add, take = above(11), above(-7)


class Leg(State):
    qty: int
    px: float
    seen: Array = array(int, 3)

    def worth(self):
        return self.qty * self.px

    def move(self, by, times=2):
        self.qty += by * times
        self.seen[self.qty % 3] += by
        return self.qty, self.px + by


def clamp(x: int, low=-50, high=50):
    if x < low:
        return low
    return high if x > high else x


def mix(a, b):
    if a > b:
        return a - b
    while b > a:
        b = b - 1.5
        if b < 0.0:
            break
    return b


class Trial(Strategy):
    size: int = param(4)
    scale: float = param(1.5)
    n: int
    m: int = 3
    x: float
    y: float = 2.5
    on: bool
    leg: Leg = Leg()
    window: Array = array(float, 4)
    counts: Array = array(int, 3)
    LIMIT = 6

    def twice(self, v):
        self.m += 1
        return v + v
"""

INTS = [
    "self.n",
    "self.m",
    "self.size",
    "self.leg.qty",
    "book.bid_px",
    "book.ask_px",
    "STEP",
    "self.LIMIT",
    "ctx.now_ns",
]
ALIASES = ["", "", "round = int", "min = max", "max = min"]  # a module may call one builtin by another's name
FLOATS = ["self.x", "self.y", "self.scale", "self.leg.px", "RATE", "self.leg.worth()"]
BIG = [0, 1, -1, 2, 3, 7, -5, 10, 100, 2**31, 2**53, 2**53 + 1, 2**62, -(2**63), 2**63 - 1]
REAL = [0.0, 1.0, -0.5, 0.1, 3.75, 1e10, 9007199254740993.0, 1e300, -2.5]


class Writer:
    """Writes one program from the choices of a random source."""

    def __init__(self, rng):
        self.rng = rng
        self.known = {"int": list(INTS), "float": list(FLOATS), "bool": ["self.on", "book.is_valid"]}
        self.lines = []
        self.depth = 2
        self.names = 0

    def pick(self, options):
        return self.rng.choice(options)

    def chance(self, one_in):
        return self.rng.randint(1, one_in) == 1

    # Expressions

    def expression(self, kind, depth=2):
        if depth == 0 or self.chance(4):
            return self.atom(kind)
        return {"int": self.whole, "float": self.real, "bool": self.truth}[kind](depth - 1)

    def atom(self, kind):
        if kind == "int" and self.chance(3):
            return f"({self.pick(BIG)})"
        if kind == "float" and self.chance(3):
            return f"({self.pick(REAL)!r})"
        return self.pick(self.known[kind])

    def whole(self, depth):
        def sub():
            return self.expression("int", depth)

        forms = [
            *(
                lambda sign=sign: f"({sub()} {sign} {sub()})"
                for sign in ("+", "-", "*", "//", "%", "&", "|", "^", "+", "-")
            ),
            lambda: f"({sub()} {self.pick(['<<', '>>'])} {self.pick(['1', '3', 'self.n', '62'])})",
            lambda: f"({self.atom('int')} ** {self.pick([1, 2, 3])})",
            lambda: f"-{sub()}",
            lambda: f"~{sub()}",
            lambda: f"abs({sub()})",
            lambda: f"min({sub()}, {sub()})",
            lambda: f"max({sub()}, {sub()}, {sub()})",
            lambda: f"int({self.expression('float', depth)})",
            lambda: f"round({self.expression('float', depth)})",
            lambda: f"int({self.expression('bool', depth)})",
            lambda: f"({sub()} if {self.expression('bool', depth)} else {sub()})",
            lambda: f"({sub()} {self.pick(['and', 'or'])} {sub()})",
            lambda: f"clamp({sub()})",
            lambda: f"clamp({sub()}, high={sub()})",
            lambda: f"self.twice({sub()})",
            lambda: f"{self.pick(['add', 'take'])}({sub()})",
            lambda: f"({self.member('Depth', depth)} + {sub()})",
            lambda: f"self.counts[{self.pick(['0', '-1', 'self.n % 3', 'self.n'])}]",
            lambda: f"ctx.position({sub()})",
            lambda: "len(self.window)",
            lambda: f"({sub()} + {self.expression('bool', depth)})",
        ]
        return self.pick(forms)()

    def real(self, depth):
        def sub():
            return self.expression("float", depth)

        def whole():
            return self.expression("int", depth)

        forms = [
            *(lambda sign=sign: f"({sub()} {sign} {sub()})" for sign in ("+", "-", "*", "/", "//", "%")),
            *(lambda sign=sign: f"({whole()} {sign} {sub()})" for sign in ("+", "*", "/", "%")),
            lambda: f"({whole()} / {whole()})",
            lambda: f"(ctx.now_ns / {self.pick(['1_000_000_000', 'ctx.seq', 'self.size', whole()])})",
            lambda: f"-{sub()}",
            lambda: f"abs({sub()})",
            lambda: f"min({sub()}, {sub()})",
            lambda: f"float({whole()})",
            lambda: f"({sub()} if {self.expression('bool', depth)} else {sub()})",
            lambda: f"self.window[{self.pick(['0', '3', '-4', 'self.m % 4', 'self.m'])}]",
            lambda: f"self.twice({sub()})",
            lambda: f"mix({sub()}, {sub()})",
            lambda: "ctx.random()",
        ]
        return self.pick(forms)()

    def truth(self, depth):
        def sub(kind):
            return self.expression(kind, depth)

        sign = self.pick(["<", "<=", "==", "!=", ">", ">="])
        forms = [
            lambda: f"({sub('int')} {sign} {sub('int')})",
            lambda: f"({sub('float')} {sign} {sub('float')})",
            lambda: f"({sub('int')} {sign} {sub('float')})",
            lambda: f"({sub('float')} {sign} {sub('int')})",
            lambda: f"({sub('int')} {sign} {sub('int')} {self.pick(['<', '<='])} {sub('float')})",
            lambda: f"(not {sub('int')})",
            lambda: f"({sub('bool')} {self.pick(['and', 'or'])} {sub('bool')})",
            lambda: f"bool({sub('float')})",
            lambda: f"({self.member('Phase', depth)} {self.pick(['==', '!='])} {self.member('Phase', depth)})",
            lambda: f"(not {self.member('Depth', depth)})",
        ]
        return self.pick(forms)()

    def member(self, members, depth):
        """A plain Enum's is only compared; an IntEnum's counts as a number and as a condition."""
        first, second = {"Phase": ("IDLE", "BUSY"), "Depth": ("FLAT", "DEEP")}[members]
        return f"({members}.{first} if {self.expression('bool', depth)} else {members}.{second})"

    # Statements

    def say(self, text):
        self.lines.append("    " * self.depth + text)

    def block(self, count, depth):
        self.depth += 1
        known = {kind: list(names) for kind, names in self.known.items()}
        for _ in range(count):
            self.statement(depth)
        self.known = known
        self.depth -= 1

    def statement(self, depth):
        forms = [self.assign, self.store, self.augment, self.element, self.move, self.quote, self.store]
        if depth > 0:
            forms += [self.branch, self.count, self.spin, self.each]
        self.pick(forms)() if depth == 0 else self._one(self.pick(forms), depth)

    def _one(self, form, depth):
        if form in (self.branch, self.count, self.spin, self.each):
            form(depth - 1)
        else:
            form()

    def assign(self):
        kind = self.pick(["int", "float", "bool"])
        value = self.expression(kind)
        self.names += 1
        self.say(f"v{self.names} = {value}")
        self.known[kind].append(f"v{self.names}")

    def store(self):
        target, kind = self.pick(
            [
                ("self.n", "int"),
                ("self.x", "float"),
                ("self.on", "bool"),
                ("self.leg.qty", "int"),
                ("self.leg.px", "float"),
            ]
        )
        self.say(f"{target} = {self.expression(kind)}")

    def augment(self):
        target, kind, sign = self.pick(
            [
                ("self.n", "int", "+="),
                ("self.m", "int", "-="),
                ("self.x", "float", "+="),
                ("self.y", "float", "*="),
                ("self.n", "int", "//="),
            ]
        )
        self.say(f"{target} {sign} {self.expression(kind)}")

    def element(self):
        form = self.pick(["self.counts[{i}] {s} {v}", "self.leg.seen[{i}] {s} {v}"])
        if self.chance(2):
            place, sign = self.pick(["0", "self.n % 4", "-2"]), self.pick(["=", "+="])
            self.say(f"self.window[{place}] {sign} {self.expression('float')}")
        else:
            self.say(
                form.format(
                    i=self.pick(["1", "self.m % 3", "-1", "self.n"]), s=self.pick(["=", "+="]), v=self.expression("int")
                )
            )

    def move(self):
        self.names += 1
        times = self.pick(["", ", 3", ", times=STEP"])
        self.say(f"v{self.names}, w{self.names} = self.leg.move({self.expression('int')}{times})")
        self.known["int"].append(f"v{self.names}")
        self.known["float"].append(f"w{self.names}")

    def quote(self):
        bid, ask = self.expression("int"), self.expression("int")
        self.say(f"ctx.quote(book.instrument, bid_px={bid}, ask_px={ask}, ask_qty=self.size)")

    def branch(self, depth):
        self.say(f"if {self.expression('bool')}:")
        self.block(2, depth)
        if self.chance(2):
            self.say("else:")
            self.block(1, depth)
        if self.chance(6):
            self.say(f"if {self.expression('bool')}:")
            self.say(self.pick(["    return", '    raise ValueError("stop")']))

    def count(self, depth):
        self.names += 1
        name = f"i{self.names}"
        bounds = self.pick(["3", "self.m", "5, 0, -2", "2, 4", "self.n, self.n + 3"])
        self.say(f"for {name} in range({bounds}):")
        self.known["int"].append(name)
        self.block(2, depth)
        self.known["int"].remove(name)
        if self.chance(3):
            self.say(f"    if {self.expression('bool')}:")
            self.say(f"        {self.pick(['break', 'continue'])}")
            self.say("else:")
            self.say("    self.m = self.m + 1")

    def spin(self, depth):
        self.names += 1
        name = f"k{self.names}"
        self.say(f"{name} = 0")
        self.say(self.pick([f"while {name} < 4:", "while True:", f"while {name} < 3 and {self.expression('bool')}:"]))
        self.say(f"    {name} += 1")
        self.say(f"    if {name} > 5 or {self.expression('bool')}:")
        self.say("        break")
        self.block(1, depth)

    def each(self, depth):
        self.names += 1
        over, kind = self.pick([("self.window", "float"), ("self.counts", "int"), ("self.leg.seen", "int")])
        name = f"e{self.names}"
        self.say(f"for {name} in {over}:")
        self.known[kind].append(name)
        self.block(1, depth)
        self.known[kind].remove(name)


def program(rng):
    """The text of a strategy with `on_book`."""
    writer = Writer(rng)
    for _ in range(rng.randint(2, 8)):
        writer.statement(2)
    return "\n".join([aliased(HEAD, rng), "    def on_book(self, ctx, book):", *writer.lines, ""])


def aliased(head, rng):
    """The beginning of a module, where builtins may have another's name."""
    return head.replace("STEP = 3", f"{rng.choice(ALIASES)}\nSTEP = 3", 1)
