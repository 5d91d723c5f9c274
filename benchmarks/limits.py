"""What the pipeline costs an order at 10,000 open orders: without limits, with each rule of positions alone, and with all.

    python -m benchmarks.limits N

The orders lie over 100 symbols that are held. Before each verdict one of them ends, another is placed, and a quote comes, so
that the sums of positions have something to take in. Each verdict is looked at, and in the end
one beyond each limit is refused.
Times are the thread's own: what a busy machine adds is not the cost of a verdict.
"""

from __future__ import annotations

import time
from decimal import Decimal

import msgspec

from benchmarks.measure import argument, emit, steps
from tradeloop.core.commands import SetLimits
from tradeloop.core.events import OrderStaged
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import CancelAck
from tradeloop.core.risk import positions
from tradeloop.core.risk.pipeline import check
from tradeloop.core.risk.rule import RiskRule
from tradeloop.core.types import ClOrdID, OrdType, UtcNs
from tradeloop.engine.supervise import calm_the_collector
from tradeloop.testing.builders import BROKER, a_quote, an_instrument, buy
from tradeloop.testing.desk import Desk

OPEN = 10_000
SYMBOLS = [f"{600000 + n}.SH" for n in range(100)]
WIDE, NARROW = Decimal(10) ** 12, Decimal(0)
SILENT = ("max_margin_ratio", "max_positions")
"""They have nothing against one more order in a stock that is held already; the question costs what it costs."""


class Place:
    """A desk that holds every symbol and has 10,000 orders in the market."""

    def __init__(self) -> None:
        self.instruments = [an_instrument(symbol, industry=f"i{n % 10}") for n, symbol in enumerate(SYMBOLS)]
        held = dict.fromkeys(SYMBOLS, 1000)
        self.desk = Desk().opened(*self.instruments, cash=10**12, positions=held, costs=dict.fromkeys(SYMBOLS, 0))
        self.made = 0
        self.working: list[ClOrdID] = []
        for _ in range(OPEN):
            self.place()

    def place(self) -> None:
        """One more order; it must not be denied."""
        self.made += 1
        wanted = buy(SYMBOLS[self.made % len(SYMBOLS)], 100, ord_type=OrdType.LIMIT, price="9.00")
        self.working.append(self.desk.order(wanted).cl_ord_id)

    def moves(self) -> None:
        """An order ends, another is placed, and a price changes."""
        self.desk.give(CancelAck(BROKER, self.working[self.made - OPEN]))
        self.place()
        self.desk.now = UtcNs(self.desk.now + 1)
        symbol = SYMBOLS[(self.made * 7) % len(SYMBOLS)]
        self.desk.give(a_quote(symbol, bid="9.98", ask=f"10.0{self.made % 9}", at=self.desk.now))
        del self.desk.events[:], self.desk.effects[:]

    def verdicts(self, count: int) -> list[int]:
        """How long each took, in nanoseconds; every one passes."""
        desk, clock, taken = self.desk, time.thread_time_ns, []
        staged = next(e for e in reversed(self.staged()) if isinstance(e, OrderStaged))
        for n in range(count):
            self.moves()
            at = n % len(SYMBOLS)
            intent = msgspec.structs.replace(staged, cl_ord_id=ClOrdID(f"x{n}"), symbol=self.instruments[at].symbol)
            began = clock()
            verdict = check(desk.state, desk.around, intent, self.instruments[at], desk.now)
            taken.append(clock() - began)
            assert verdict.denied is None, verdict.denied
        assert sum(desk.state.exposure.orders.values()) == OPEN
        return taken

    def staged(self) -> list[object]:
        """The facts of one order more, which ends again."""
        desk = self.desk
        del desk.events[:]
        self.place()
        desk.give(CancelAck(BROKER, self.working.pop()))
        self.made -= 1
        return list(desk.events)


def limit(rule: RiskRule, *, wide: bool) -> RiskLimit:
    """A limit that every order keeps, or that none does."""
    scope = LimitScope.ACCOUNT if LimitScope.ACCOUNT in rule.scopes else LimitScope.SYMBOL
    least, most = (Decimal(1) / 2, Decimal(1)) if rule.at_least else (WIDE, NARROW)
    return RiskLimit(rule.code, least if wide else most, scope)


def main() -> None:
    """Each rule, and all."""
    count = argument(1, 2_000)
    place = Place()
    calm_the_collector()
    sets: dict[str, tuple[RiskRule, ...]] = {"none": (), **{rule.code: (rule,) for rule in positions.RULES}}
    for name, rules in (*sets.items(), ("all", positions.RULES)):
        place.desk.give(SetLimits(tuple(limit(rule, wide=True) for rule in rules), name))
        place.verdicts(count // 10)
        emit(f"tradeloop.limits.{name}", n=count, rules=len(rules), open_orders=OPEN, **steps(place.verdicts(count)))
    for rule in positions.RULES:
        place.desk.give(SetLimits((limit(rule, wide=False),), rule.code))
        reply = place.desk.give(buy(SYMBOLS[0], 100, ord_type=OrdType.LIMIT, price="9.00"))
        assert isinstance(reply, OrderReply)
        assert (reply.denied is None) is (rule.code in SILENT), rule.code


if __name__ == "__main__":
    main()
