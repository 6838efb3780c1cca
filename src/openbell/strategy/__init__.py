"""Strategies: one class answers one question, should we trade?

A strategy is an ordinary class whose annotated fields are its parameters (`param`) and its declared state.
Declared state is int, float or bool, a fixed `array` or a `ring` of them, or a `State` with fields of its own: the
engine journals it, restores it after a restart and undoes it when a callback raises. A class has no other attributes;
a misspelt one is refused where it stands.

    class Imbalance(Strategy):
        size: int = param(100, ge=1, unit="lots")
        quotes: int = 0

        def on_book(self, ctx: Context, book: BookView) -> None:
            ctx.quote(book.instrument, bid_px=book.bid_px, bid_qty=self.size)
            self.quotes += 1

Callbacks run at the end of a frame, in the order of the methods below, and see the world after it.
"""

from __future__ import annotations

import difflib
import sys
from typing import Any

from openbell._native import BookView, Context, LiveOrder, Market, Report, Signal
from openbell.errors import StrategyError
from openbell.strategy.fields import Array, Declared, Field, Layout, Param, State, layout_of, param
from openbell.strategy.refused_methods import check_methods
from openbell.strategy.rows import Ring, Row, array, ring

__all__ = [
    "Array",
    "BookView",
    "Context",
    "Field",
    "Layout",
    "LiveOrder",
    "Market",
    "Param",
    "Report",
    "Ring",
    "Row",
    "Signal",
    "State",
    "Strategy",
    "array",
    "param",
    "ring",
]


class Strategy(metaclass=Declared):
    """Base class of every strategy. Override the callbacks you need; the others cost nothing."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        check_methods(cls, Strategy, sys._getframe(2))  # through Declared.__new__, the code that declares the class

    def __init__(self, **params: Any) -> None:
        """Set parameters by name; every other field starts at its default.

        Raises:
            StrategyError: an unknown parameter, a value of another type, or one outside its bounds.
        """
        fields = type(self).__fields__
        known = [name for name, field in fields.items() if field.param is not None]
        for name in params:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]}?" if near else f"; it has {', '.join(known) or 'none'}"
                raise StrategyError(f"{type(self).__name__}: expected a parameter, found {name!r}{hint}")
        for name, field in fields.items():
            value = field.check(params[name], type(self).__name__) if name in params else field.fresh()
            setattr(self, name, value)

    @classmethod
    def layout(cls) -> Layout:
        """Its declared state and parameters in memory; word 0 is the random state."""
        return layout_of(list(cls.__fields__.values()), first=1)

    def on_start(self, ctx: Context) -> None:
        """A new epoch: first start or restart; declared state is already restored."""

    def on_status(self, ctx: Context, status: Market) -> None:
        """The trading state of an instrument, or of the whole market, changed."""

    def on_notice(self, ctx: Context, notice: Market) -> None:
        """What else was said of an instrument or the market: an imbalance, a collar, a check that failed ..."""

    def on_order(self, ctx: Context, report: Report) -> None:
        """The venue answered about one of our orders, other than by a fill."""

    def on_fill(self, ctx: Context, fill: Report) -> None:
        """One of our orders was executed: `fill.last_qty` at `fill.last_px`."""

    def on_timer(self, ctx: Context, timer_id: int) -> None:
        """A timer set with `ctx.set_timer` is due."""

    def on_signal(self, ctx: Context, signal: Signal) -> None:
        """Another process or a person sent `signal.value`; `signal.signal_id` is its number in the configuration."""

    def on_trade(self, ctx: Context, trade: Market) -> None:
        """A print: an execution of a resting order or a trade outside the book."""

    def on_book(self, ctx: Context, book: BookView) -> None:
        """The book changed in this frame, or became valid or not valid (`book.is_valid`)."""

    def on_stop(self, ctx: Context) -> None:
        """An operator is stopping the node: orders are being cancelled; an IOC order that closes may still leave."""
