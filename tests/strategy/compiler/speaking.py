"""Random programs that speak: every verb of ctx, in every callback, over statements and expressions of the subset."""

from openbell.strategy.compiler.host import HOOKS
from strategy.compiler.programs import FLOATS, HEAD, INTS, Writer, aliased

MORE = """class Mood(enum.IntEnum):
    CALM = 1
    BOLD = 4


class Tip(State):
    worth: float
    marks: Array = array(int, 2)

    def mark(self, at):
        self.marks[at % 2] += 1
        return self.marks[0]


class Leg(State):
    tip: Tip = Tip()
"""
FIELDS = """    leg: Leg = Leg()
    where: int
    bid: int
    ask: int
    stop: int
    kept: int
    last: Ring = ring(int, 3)
"""
TOP = (
    HEAD.replace("from openbell import State,", "from openbell import Ring, State,")
    .replace("array, param", "array, math, param, ring")
    .replace("STEP = 3", "from openbell.types import OrderState, Side, Tif, Trigger, Type\n\nSTEP = 3")
    .replace("class Leg(State):\n", MORE)
    .replace("    leg: Leg = Leg()\n", FIELDS)
)
HEARD = {
    "on_start": "",
    "on_stop": "",
    "on_timer": ", timer_id",
    "on_book": ", book",
    "on_trade": ", trade",
    "on_order": ", report",
    "on_fill": ", fill",
}
SEEN = {
    "on_timer": ["timer_id"],
    "on_book": ["book.bid_px", "book.ask_px", "book.bid_qty"],
    "on_trade": ["trade.px", "trade.qty"],
    "on_order": ["report.leaves_qty", "report.version", "report.tag"],
    "on_fill": ["fill.last_px", "fill.last_qty", "fill.leaves_qty"],
}
CHOICES = {
    "on_book": ["book.is_valid", "book.bid_px > 0"],
    "on_trade": ["trade.is_printable", "trade.resting_side == Side.BUY"],
    "on_order": ["report.type == Type.ACCEPTED", "report.type == Type.DENIED"],
    "on_fill": ["fill.side == Side.SELL"],
}
OWN = ["self.bid", "self.ask", "self.kept", "self.leg.tip.mark(self.n)", "len(self.last)", "Mood.BOLD.value"]
assert set(HEARD) <= set(HOOKS)


class Speaker(Writer):
    """Writes one callback; arguments of verbs are mostly sound, and now and then anything."""

    def __init__(self, rng, hook):
        super().__init__(rng)
        self.hook = hook
        ints = [one for one in INTS if not one.startswith("book.")] + OWN[:-1] + SEEN.get(hook, [])
        reals = [*FLOATS, "math.sqrt(abs(self.y))", "math.exp(-abs(self.x))", "self.leg.tip.worth"]
        self.known = {"int": ints, "float": reals, "bool": ["self.on", *(f"({one})" for one in CHOICES.get(hook, []))]}

    def statement(self, depth):
        if self.chance(2):
            return self.pick(self.verbs())() if depth == 0 or not self.chance(6) else self.orders(depth - 1)
        return super().statement(depth)

    def verbs(self):
        return [
            *(self.quote, self.order, self.order, self.cancel, self.replace, self.stop_order, self.target),
            *(self.timer, self.mass_cancel, self.basket, self.push, self.ask_book, self.mood),
        ]

    def any_or(self, *sound):
        """One of what is sound; in one of thirty cases anything."""
        return self.expression("int") if self.chance(30) else self.pick(sound)

    def px(self):
        return self.any_or("self.bid", "self.ask", "self.bid - 100", "self.ask + 300", "max(100, self.bid - 2_000)")

    def qty(self):
        return self.any_or("1", "self.size", f"({self.expression('int')}) % 20 + 1", "5")

    def side(self):
        return self.pick(["Side.BUY", "Side.SELL", f"Side.BUY if {self.expression('bool')} else Side.SELL"])

    def tag(self):
        return self.any_or("0", "STEP", f"({self.expression('int')}) % 100")

    def where(self):
        return self.any_or("self.where", "self.where", "ctx.instruments[-1]", 'ctx.instrument("OBEL")')

    def quote(self):
        sizes = f"bid_qty={self.any_or('0', '2', 'self.size')}, ask_qty={self.any_or('0', '3', 'self.size')}"
        self.say(f"ctx.quote({self.where()}, bid_px={self.px()}, ask_px={self.px()}, {sizes})")

    def order(self):
        tif = self.pick(["Tif.DAY", "Tif.IOC", "Tif.FOK", "Tif.GTC"])
        rest = self.pick(["", f", tif={tif}", f", post_only={self.expression('bool')}", ", collar_bps=50"])
        call = f"ctx.order({self.where()}, {self.side()}, {self.px()}, {self.qty()}, tag={self.tag()}{rest})"
        self.say(self.pick([call, f"self.kept = {call}"]))

    def cancel(self):
        self.say(f"ctx.cancel({self.any_or('self.kept', 'self.stop')})")

    def replace(self):
        self.say(f"ctx.replace({self.any_or('self.kept')}, {self.px()}, {self.qty()})")

    def stop_order(self):
        trigger = self.pick(["", ", trigger=Trigger.TOUCH", ", trail=200"])
        call = f"ctx.stop({self.where()}, {self.side()}, {self.qty()}, stop_px={self.px()}, px={self.px()}{trigger})"
        self.say(f"self.stop = {call}")
        self.say("self.m += ctx.became(self.stop) % 7")

    def target(self):
        position = self.any_or("3", "-2", "0")
        self.say(self.pick([f"ctx.target({self.where()}, {position}, qty_max=2)", f"ctx.target_off({self.where()})"]))

    def timer(self):
        delay = self.any_or("1_000_000", "50_000_000", "self.n % 1000 * 1_000")
        self.say(f"ctx.set_timer({self.tag()}, ctx.now_ns + {delay})")

    def mass_cancel(self):
        self.say(self.pick(["ctx.cancel_all()", "ctx.mass_cancel(self.where)", "ctx.mass_cancel(side=Side.SELL)"]))

    def basket(self):
        self.say("ctx.basket_open()")
        for _ in range(self.rng.randint(1, 3)):
            self.order()
        self.say("ctx.basket_close()")

    def push(self):
        self.say(f"self.last.push({self.expression('int')})")
        self.say(f"self.n += self.last[{self.any_or('-1', '0')}] % 11")

    def ask_book(self):
        self.names += 1
        self.say(f"b{self.names} = ctx.book({self.where()})")
        self.say(f"self.m += b{self.names}.level_qty({self.side()}, {self.any_or('0', '1')}) + b{self.names}.tick")
        self.say("self.x += float(ctx.realized + ctx.unrealized - ctx.fees)")

    def mood(self):
        self.say("mood = Mood.CALM if self.n % 2 == 0 else Mood.BOLD")
        self.say("if mood == Mood.BOLD:")
        self.say("    self.m += int(mood)")

    def orders(self, depth):
        self.names += 1
        name = f"o{self.names}"
        self.say(f"for {name} in ctx.orders():")
        self.say(
            f"    if {name}.state == OrderState.NEW and {name}.leaves_qty > {self.pick(['0', '2', 'self.n % 5'])}:"
        )
        act = self.pick(
            ["ctx.cancel({0}.cl_ord_id)", "ctx.replace({0}.cl_ord_id, {0}.px, {0}.qty + 1)", "self.n += {0}.px"]
        )
        self.say(f"        {act.format(name)}")
        self.block(1, max(0, depth))


def speaking(rng):
    """The text of a strategy with several callbacks."""
    parts = [aliased(TOP, rng)]
    hooks = ["on_book", *rng.sample([one for one in HEARD if one != "on_book"], rng.randint(1, 4))]
    for hook in hooks:
        writer = Speaker(rng, hook)
        if hook == "on_book":
            writer.lines += ["        self.where = book.instrument", "        self.bid = book.bid_px"]
            writer.lines += ["        self.ask = book.ask_px", "        self.on = not self.on"]
            writer.say("if not book.is_valid or book.bid_px == 0 or book.ask_px == 0:")
            writer.say("    return")
        for _ in range(rng.randint(1, 5)):
            writer.statement(2)
        parts += [f"    def {hook}(self, ctx{HEARD[hook]}):", *writer.lines, ""]
    return "\n".join(parts)
