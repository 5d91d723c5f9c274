"""The people who keep the limits of risk of a world: they write risk.yaml and edit it, set limits over it for a time, order in
bursts that meet them, approve one another's orders or do not, and release what a trigger has halted.

Each has dice of its own: a seed without limits lives as it did.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from tradeloop.core import commands as c
from tradeloop.core.limit import RiskLimit
from tradeloop.core.replies import OrderReply
from tradeloop.core.risk.registry import RULES
from tradeloop.core.risk.triggers import TRIGGERS
from tradeloop.core.types import SECOND_NS, OrdType, Qty, Side, TimeInForce
from tradeloop.testing.builders import ACCOUNT
from tradeloop.testing.checkers import Judge
from tradeloop.testing.faults import Weather
from tradeloop.testing.world.halts import a_release
from tradeloop.testing.world.limits import STRATEGIES, a_limit, file_of, halts_out
from tradeloop.testing.world.loop import Timeline
from tradeloop.testing.world.market import SYMBOLS, Market

MS: Final = 1_000_000
PEOPLE: Final = ("gina", "hugo")
"""Who keeps the limits; where two have to agree, these two."""
LOOK_NS: Final = 4 * SECOND_NS

Ask = Callable[[c.Command, Callable[[Any], None]], None]


class RiskDesk:
    """Whoever has to do with limits. `file` is what risk.yaml says now; every process reads it when it starts."""

    def __init__(self, timeline: Timeline, weather: Weather, market: Market, judge: Judge, ask: Ask, dice: Random) -> None:
        self._timeline, self._weather, self._market, self._judge, self._ask = timeline, weather, market, judge, ask
        self._dice = dice
        self.approvers: tuple[str, ...] = dice.choice(((), PEOPLE[:1], PEOPLE))
        self.file: tuple[RiskLimit, ...] = file_of(dice)
        self._count = 0

    @property
    def command(self) -> c.SetLimits:
        """What a process that starts is told."""
        return c.SetLimits(self.file, "risk.yaml")

    def script(self, until: int) -> None:
        """What this seed makes of it."""
        dice, at = self._dice, self._timeline.at

        def some_time(least: int, most: int, act: Callable[[], None]) -> None:
            for _ in range(dice.randint(least, most)):
                at(dice.randint(SECOND_NS, until), act)

        some_time(0, 2, self._edit)
        some_time(1, 5, self._set)
        some_time(2, 6, self._burst)
        self._timeline.after(LOOK_NS, self._look)

    def heal(self) -> None:
        """Nothing halts but people any more: what was halted is released, and stays so."""
        self.file = halts_out(self.file)
        self._ask(self.command, _heard)

    # --- limits

    def _edit(self) -> None:
        """Somebody edits risk.yaml, and has it read."""
        if not self._weather.calm:
            self.file = file_of(self._dice)
            self._ask(self.command, _heard)

    def _set(self) -> None:
        """Somebody sets a limit for a time: mostly one of the file's to another value, at times one that is not in it. It ends
        by itself, or is taken back before.
        """
        if self._weather.calm:
            return
        dice = self._dice
        by, other = dice.sample(PEOPLE, 2)
        limit = a_limit(dice, dice.choice((*RULES, *TRIGGERS)))
        if self.file and dice.random() < 0.7:
            known = dice.choice(self.file)
            limit = replace(a_limit(dice, known.rule), scope=known.scope, name=known.name, shadow=known.shadow)
        lasts = dice.choice((2, 5, 10, 20, 40)) * SECOND_NS
        approved_by = dice.choice((other, other, other, ""))
        self._ask(c.ChangeLimit(replace(limit, by=by, reason="for now"), approved_by, lasts), _heard)
        if dice.random() < 0.25:
            back = c.RevertLimit(limit.rule, other, "not needed", limit.scope, limit.name, limit.currency, limit.shadow, by)
            self._timeline.after(dice.randint(1, lasts // MS) * MS, lambda: self._ask(back, _heard))

    # --- orders

    def _burst(self) -> None:
        """Orders in a second or two: of strategies and of people, some of them alike, some of them approved."""
        dice = self._dice
        symbol, span = dice.choice(SYMBOLS), dice.choice((200, 1500, 4000))
        for _ in range(dice.randint(3, 9)):
            at = dice.randint(0, span) * MS
            self._timeline.after(at, lambda: self._order(dice.choice((symbol, symbol, dice.choice(SYMBOLS)))))

    def _order(self, symbol: Any) -> None:
        if self._weather.calm:
            return
        dice = self._dice
        self._count += 1
        side = dice.choice((Side.BUY, Side.BUY, Side.SELL))
        kind = dice.choice((OrdType.LIMIT, OrdType.LIMIT, OrdType.LIMIT, OrdType.MARKET))
        command = c.SubmitOrder(
            account=ACCOUNT,
            symbol=symbol,
            side=side,
            order_qty=Qty(Decimal(100 * dice.randint(1, 8))),
            by="ines",
            ord_type=kind,
            price=None if kind is OrdType.MARKET else self._market.px(symbol, dice.choice((-40, -5, -1, 0, 1, 5, 40))),
            tif=dice.choice((TimeInForce.DAY, TimeInForce.DAY, TimeInForce.GTC)),
            strategy_id=dice.choice(("", *STRATEGIES)),
            request_id=f"ines{self._count}",
            approved_by=dice.choice(("", "", "gina", "ines")),
        )
        cancels_after = dice.randint(100, 6000) * MS if dice.random() < 0.4 else None

        def cancel(reply: Any) -> None:
            if cancels_after is not None and isinstance(reply, OrderReply) and reply.denied is None:
                gone = c.CancelOrder(reply.cl_ord_id, "ines", "changed her mind")
                self._timeline.after(cancels_after, lambda: self._ask(gone, _heard))

        self._ask(command, cancel)

    # --- halts

    def _look(self) -> None:
        """Somebody looks at what a trigger has halted, and releases it or leaves it as it is."""
        if self._weather.calm:
            return
        for scope, name in dict.fromkeys((halt.scope, halt.name) for halt in self._judge.shadow.halts.values()):
            if self._dice.random() < 0.5:
                self._ask(a_release("hugo", "looked at", scope, name, self._judge.shadow), _heard)
        self._timeline.after(LOOK_NS, self._look)


def _heard(reply: Any) -> None:
    """Nobody waits for the answer."""
