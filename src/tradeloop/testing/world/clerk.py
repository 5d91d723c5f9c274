"""A person at the desk who came to it later: sends two like orders at once, whose answers are mixed up (F93), and in the end
takes over what the venue's books say where no report has said so (F92).

What differs is accepted only after it has stood for a while, and after the fills that are missing: a difference of money may be
that of a correction or a bust which the books are about to show.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any, Final

from tradeloop.core import commands as c
from tradeloop.core.commands import Command
from tradeloop.core.replies import OrderReply
from tradeloop.core.types import SECOND_NS, ClOrdID, OrdType, Qty, Side, TimeInForce
from tradeloop.testing.builders import ACCOUNT
from tradeloop.testing.faults import Fault, Weather
from tradeloop.testing.world.loop import Timeline
from tradeloop.testing.world.market import SYMBOLS, Market
from tradeloop.testing.world.process import Process

WAITS_NS: Final = 35 * SECOND_NS
"""How long a difference has to stand before it is accepted."""
FIGURES: Final = ("position", "cash")


class Clerk:
    """`ask` asks until somebody answers; `twins` gets the ids of two orders whose answers are to be mixed up."""

    def __init__(
        self,
        timeline: Timeline,
        ask: Callable[[Command, Callable[[Any], None]], None],
        weather: Weather,
        market: Market,
        twins: dict[ClOrdID, int],
        dice: Random,
    ) -> None:
        self._timeline, self._ask, self._weather, self._market = timeline, ask, weather, market
        self._twins, self._dice = twins, dice
        self._pairs = 0
        self._seen: dict[str, tuple[int, Decimal | None]] = {}
        """Since when a break stands for the same difference, whatever was traded meanwhile."""

    def script(self, until: int) -> None:
        """What this seed makes of it."""
        if self._weather.enables(Fault.TWINS_MIXED_UP):
            for _ in range(self._dice.randint(1, 4)):
                self._timeline.at(self._dice.randint(SECOND_NS, until), self._order_twice)

    def _order_twice(self) -> None:
        """Two limit orders that differ in size alone."""
        if self._weather.calm:
            return
        dice = self._dice
        self._pairs += 1
        pair = self._pairs
        symbol, side, away = dice.choice(SYMBOLS), dice.choice((Side.BUY, Side.BUY, Side.SELL)), dice.randint(-3, 3)
        for number in (1, 2):
            command = c.SubmitOrder(
                account=ACCOUNT,
                symbol=symbol,
                side=side,
                order_qty=Qty(Decimal(100 * (2 * number + dice.randint(0, 1)))),
                by="dave",
                ord_type=OrdType.LIMIT,
                price=self._market.px(symbol, away),
                tif=dice.choice((TimeInForce.DAY, TimeInForce.GTC)),
                request_id=f"twin{pair}.{number}",
            )
            self._ask(command, lambda reply: self._sent(reply, pair))

    def _sent(self, reply: Any, pair: int) -> None:
        if isinstance(reply, OrderReply) and reply.denied is None:
            self._twins[reply.cl_ord_id] = pair

    def settle(self, process: Process) -> None:
        """Accept the figures that have stood long enough, one break at a time."""
        breaks, now = process.engine.state.breaks, self._timeline.now
        self._seen = {break_id: seen for break_id, seen in self._seen.items() if break_id in breaks}
        waits_for_a_fill = any(known.kind == "fill_missing" for known in breaks.values())
        for break_id, known in [*breaks.items()]:
            if known.kind not in FIGURES:
                continue
            since, stood = self._seen.get(break_id, (now, None))
            if stood is None or stood != known.delta:
                self._seen[break_id] = now, known.delta
            elif now - since >= WAITS_NS and not waits_for_a_fill:
                process.ask(c.RepairBreak(break_id, "dave", "the broker has shown where it comes from"), lambda reply: None)
