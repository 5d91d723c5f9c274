"""People in a hurry: a cancel right behind its order (F81), and the latch file in the middle of a burst of orders (F84).

Each has dice of its own: a seed that does not meet the fault lives as it did.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any, Final

from tradeloop.core import commands as c
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.replies import OrderReply
from tradeloop.core.types import SECOND_NS, OrdType, Qty, Side
from tradeloop.testing.builders import ACCOUNT
from tradeloop.testing.checkers import Judge
from tradeloop.testing.faults import Fault, Weather
from tradeloop.testing.world.halts import MemoryLatch, a_release
from tradeloop.testing.world.loop import Timeline
from tradeloop.testing.world.market import SYMBOLS, Market

AWAY: Final = 60
"""Ticks from the market: such an order rests until it is cancelled."""
MS: Final = 1_000_000

Ask = Callable[[c.Command, Callable[[Any], None]], None]


class Hurried:
    """Whoever asks for two things that meet on their way."""

    def __init__(
        self, timeline: Timeline, weather: Weather, market: Market, judge: Judge, ask: Ask, dice: Random, who: str
    ) -> None:
        self._timeline, self._weather, self._market, self._judge, self._ask = timeline, weather, market, judge, ask
        self._dice, self._who = dice, who
        self._count = 0

    # --- F81

    def change_their_mind(self, until: int, drop: Callable[[], None]) -> None:
        """Orders that rest, each cancelled some seconds later; at times the session is lost just before, which `drop` does."""
        for _ in range(self._dice.randint(2, 5)):
            self._timeline.at(self._dice.randint(SECOND_NS, until), lambda: self._order_and_cancel(drop))

    def _order_and_cancel(self, drop: Callable[[], None]) -> None:
        wait = self._dice.randint(50, 6000) * MS
        drops = self._dice.random() < 0.4

        def cancel(reply: Any) -> None:
            if isinstance(reply, OrderReply) and reply.denied is None:
                command = c.CancelOrder(reply.cl_ord_id, self._who, "changed their mind")
                if drops:
                    self._timeline.after(wait - 40 * MS, drop)
                self._timeline.after(wait, lambda: self._ask(command, _heard))

        self._ask(self._resting(), cancel)

    def away_ns(self) -> int:
        """How long a session stays lost."""
        return self._dice.choice((700, 9000, 14_000)) * MS

    # --- F84

    def latch(self, until: int, latch: MemoryLatch) -> None:
        """The latch file is made while orders, and changes of orders, are asked for, begun and on their way."""
        for _ in range(self._dice.randint(1, 3)):
            self._timeline.at(self._dice.randint(2 * SECOND_NS, until), lambda: self._burst(latch))

    def _burst(self, latch: MemoryLatch) -> None:
        dice = self._dice
        for _ in range(dice.randint(2, 6)):
            self._timeline.after(dice.randint(0, 300) * MS, lambda: self._ask(self._resting(), _heard))
        for order in [order for order in self._judge.shadow.orders.open.values() if not order.external][:2]:
            more = c.ReplaceOrder(order.cl_ord_id, self._who, order_qty=Qty(order.order_qty + 100))
            self._timeline.after(dice.randint(0, 300) * MS, lambda more=more: self._ask(more, _heard))  # type: ignore[misc]
        tier = dice.choice((HaltTier.HALT, HaltTier.CANCEL_ALL))
        halt = c.HaltTrading(tier, self._who, "stop it", HaltScope.GLOBAL, "")

        def touch() -> None:
            if not self._weather.calm:
                self._weather.meet(Fault.LATCHED_IN_A_BURST)
                latch.by_hand(halt)

        self._timeline.after(dice.randint(50, 250) * MS, touch)

        def release() -> None:
            self._ask(a_release(self._who, "it is over", HaltScope.GLOBAL, "", self._judge.shadow), _heard)

        self._timeline.after(dice.randint(3, 15) * SECOND_NS, release)

    def _resting(self) -> c.SubmitOrder:
        dice = self._dice
        self._count += 1
        symbol, side = dice.choice(SYMBOLS), dice.choice((Side.BUY, Side.BUY, Side.SELL))
        return c.SubmitOrder(
            account=ACCOUNT,
            symbol=symbol,
            side=side,
            order_qty=Qty(Decimal(100)),
            by=self._who,
            ord_type=OrdType.LIMIT,
            price=self._market.px(symbol, -AWAY if side is Side.BUY else AWAY),
            request_id=f"{self._who}{self._count}",
        )


def _heard(reply: Any) -> None:
    """Nobody waits for the answer."""
