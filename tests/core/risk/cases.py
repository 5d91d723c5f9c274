"""What shows each rule of limits at work: a desk, and orders that come to one unit below its limit, to it, and beyond it.

Every rule of the registry has a case here (test_rules.py asks), and every case is lived in every way that a rule can fail: at
the boundary, by two orders that pass alone and not together, after a restart, and with the rule taken out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tradeloop.core.commands import SetLimits, SubmitOrder
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.replies import OrderReply
from tradeloop.core.risk.denied import Denied
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import OrdType
from tradeloop.testing.builders import Number, a_quote, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

MOUTAI, BANK = "600519.SH", "600036.SH"


def limited(*limits: RiskLimit, desk: Desk | None = None, approvers: tuple[str, ...] = ()) -> Desk:
    """A desk with two stocks and plenty of cash, under these limits."""
    opened = Desk(Policy(approvers=approvers)).opened(an_instrument(MOUTAI), an_instrument(BANK)) if desk is None else desk
    opened.give(SetLimits(limits, "risk.yaml"))
    return opened


Step = SubmitOrder | Callable[[Desk], object]
"""An order, or what happens between two of them."""


def sells(qty: int, symbol: str = MOUTAI, price: str = "10", **changes: object) -> SubmitOrder:
    """A limit order to sell."""
    return sell(symbol, qty, ord_type=OrdType.LIMIT, price=price, **changes)


def buys(qty: int, symbol: str = MOUTAI, price: str = "10", **changes: object) -> SubmitOrder:
    """A limit order whose value is known to the cent."""
    return buy(symbol, qty, ord_type=OrdType.LIMIT, price=price, **changes)


def quoted(bid: Number | None, ask: Number | None, **changes: object) -> Callable[[Desk], object]:
    """The market shows this now."""

    for name in ("last", "prev_close", "volume"):
        if name in changes:
            changes[name] = Decimal(str(changes[name]))

    def show(desk: Desk) -> object:
        return desk.give(a_quote(MOUTAI, bid, ask, at=desk.now, **changes))  # type: ignore[arg-type]

    return show


def waits(seconds: float) -> Callable[[Desk], object]:
    """Time passes."""
    return lambda desk: desk.wait(seconds)


def refused(desk: Desk, command: SubmitOrder) -> Denied | None:
    """What is said of an order; None where it passes."""
    reply = desk.give(command)
    assert isinstance(reply, OrderReply)
    return reply.denied


@dataclass(frozen=True)
class Case:
    """`below`, `at` and `beyond` are what is asked, or happens, one after the other on a new desk: the last order of each comes
    to one unit below the limit, to it, and beyond it; those before it pass. `alone_only`: why no two orders can be too much
    together.
    """

    limit: RiskLimit
    below: Sequence[Step]
    at: Sequence[Step]
    beyond: Sequence[Step]
    figures: tuple[str, str, str]
    """limit, was and this_order of the denial."""
    together: tuple[SubmitOrder, SubmitOrder] | None = None
    alone_only: str = ""
    desk: Callable[[RiskLimit], Desk] = field(default=limited)
    done: Callable[[Desk], None] = field(default=lambda desk: None)
    """What happens after each order that passes: fills, acknowledgements, time."""

    @property
    def rule(self) -> str:
        """The code of its rule."""
        return self.limit.rule


def a_limit(rule: str, value: str | int, scope: LimitScope = LimitScope.ACCOUNT, **changes: object) -> RiskLimit:
    """A limit for each account unless the scope says otherwise."""
    return RiskLimit(rule, Decimal(value), scope, **changes)  # type: ignore[arg-type]
