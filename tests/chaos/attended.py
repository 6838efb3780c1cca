"""An exchange, and a node as `openbell run --live` keeps it, with people who may stop and release it."""

import os
import signal
from typing import Any

from tests.cli.people import ANN, BOB, GROUP, PEOPLE, become

from chaos.kills import nudged
from chaos.world import World, wait_for
from openbell._native import ouch_token_decode
from openbell.node.config import load_node
from openbell.node.names import Names
from openbell.ops.control.client import ask
from openbell.ops.control.proposals import RefusedError
from openbell.ops.strategy_view import FAILED
from openbell.types import ArmState, KillLevel, OrderState

ENDS_WITHIN_S = 30.0
RECONNECT_MS = 20
"""Instead of a quarter of a second, so that there is time for many connections."""
STRATEGY, STRATEGY_ID = "maker", 1
NODE = "node"
UNANSWERED = (OrderState.PENDING_NEW, OrderState.PENDING_REPLACE, OrderState.PENDING_CANCEL)


class Attended(World):
    """The node is the supervisor's; where this process may become other people, two of them release it."""

    node_log = "openbell.log"

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.is_of_two = os.getuid() == 0
        self.refused = ""
        """Why the last release was not made."""
        self.lost_for_good = 0
        """Reports that nobody will tell any more."""
        self.untold: set[int] = set()
        text = self.config_path.read_text()
        text = text.replace("[[sessions]]", f"[[sessions]]\nreconnect_ms = {RECONNECT_MS}")
        text = text.replace("[control]", "[control]\nrequests_per_s = 1000")
        if self.is_of_two:
            text = text.replace("[control]", f'[control]\ngroup = "{GROUP}"').replace(
                "identities = 1", "identities = 2"
            )
            text += PEOPLE
        self.config_path.write_text(text)
        self.config = load_node(self.config_path)

    def __exit__(self, *failed: object) -> None:
        if self.trading is not None and self.trading.poll() is None:
            self.trading.send_signal(signal.SIGTERM)
            wait_for(lambda: self.trading.poll() is not None, "the supervisor to end", ENDS_WITHIN_S)
        super().__exit__(*failed)

    def _start_helpers(self) -> None:
        """The supervisor does."""

    def start(self) -> None:
        self.trading = self._spawn("openbell", "run", str(self.config_path), "--live")
        self.wait_resolved(1)
        wait_for(lambda: self.alive() and (self.hot / "control.sock").exists(), "the control process")

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        assert self.trading is not None
        self.trading.send_signal(signal.SIGINT)
        return self.trading.wait(ENDS_WITHIN_S)

    # ---- the comparison ----------------------------------------------------------------------------

    def node_view(self) -> dict[str, Any]:
        """The same, without orders of which as many reports are lost for good: what they are only the venue knows."""
        view = super().node_view()
        waiting = {o.cl_ord_id for o in self.follow().live_orders() if o.state in UNANSWERED}
        self.untold = waiting if len(waiting) <= self.lost_for_good else set()
        return view | {"orders": self._told(view["orders"])}

    def venue_view(self) -> dict[str, Any]:
        """The same, without those that `node_view` had to leave out."""
        view = super().venue_view()
        return view | {"orders": self._told(view["orders"])}

    def _told(self, orders: dict[tuple[int, int], Any]) -> dict[tuple[int, int], Any]:
        return {key: order for key, order in orders.items() if key[0] not in self.untold}

    # ---- people ------------------------------------------------------------------------------------

    def tell(self, verb: str, **fields: Any) -> None:
        """One of them asks, and where it takes two the other one approves.

        Raises:
            RefusedError: it was refused.
        """
        request = {"verb": verb, **fields}
        if not self.is_of_two:
            ask(self.hot, request)
            return
        with become(ANN):
            answer = ask(self.hot, request)
        if "proposal" in answer:
            with become(BOB):
                ask(self.hot, {"verb": "approve", "proposal": answer["proposal"]["id"]})

    def held(self) -> dict[str, dict[str, Any]]:
        """What only a release lets go on, and the words for its scope."""
        engine = self.follow()
        scopes: dict[str, dict[str, Any]] = {NODE: {"all": True}, STRATEGY: {"strategy": STRATEGY}}
        states = {NODE: engine.arming(), STRATEGY: engine.arming(strategy=STRATEGY_ID)}
        for number, symbol in Names(self.config.feed_names()).of(engine).items():
            scopes[symbol], states[symbol] = {"instrument": symbol}, engine.arming(instrument=number)
        is_held = {name: killed != KillLevel.NONE or doubted for name, (_, _, killed, doubted, _) in states.items()}
        is_held[STRATEGY] |= engine.life_of(STRATEGY_ID) in FAILED
        return {name: words for name, words in scopes.items() if is_held[name]}

    def release(self, within_s: float) -> list[str]:
        """Let everything go on that is held, as people do it; what was."""
        released: list[str] = []

        def is_free() -> bool:
            held = self.held()
            for name, words in held.items():
                if self._is_released(words, settles=name == NODE and self._never_arrived()):
                    released.append(name)
                    nudged(self, lambda name=name: name not in self.held(), f"{name} to be released", within_s)
            return not held

        try:
            nudged(self, is_free, "nothing to be held", within_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; {[*self.held()]} is; {self.refused}") from None
        return released

    def _is_released(self, scope: dict[str, Any], *, settles: bool) -> bool:
        why = {"state": ArmState.FULL.name.lower(), "release": True, "settle": settles, "why": "the faults are over"}
        try:
            self.tell("arm", **scope, **why)
        except RefusedError as error:
            self.refused = str(error)
            return False
        return True

    def _never_arrived(self) -> bool:
        """Orders are in doubt, and the venue, asked, has none of them but in a version that the node knows of."""
        theirs = dict(ouch_token_decode(o["token"]) for o in self.ledger()["orders"] if o["leaves_qty"])
        doubted = [o for o in self.follow().live_orders() if o.state == OrderState.IN_DOUBT]
        return bool(doubted) and all(theirs.get(o.cl_ord_id, 0) <= o.version for o in doubted)
