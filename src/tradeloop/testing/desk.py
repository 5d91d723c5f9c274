"""A desk without an engine: the pure core driven by hand, for tests that are plain function calls.

desk = Desk().opened(an_instrument())          # connected, adopted, READY, market open
reply = desk.give(buy("600519.SH", 100))       # decide + evolve + follow
desk.events, desk.effects                      # all so far
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeVar

from tradeloop.core.capabilities import Capabilities, Dedupes
from tradeloop.core.commands import ListInstruments, OpenTradingDay
from tradeloop.core.decide import decide
from tradeloop.core.effects import Effect
from tradeloop.core.events import Event
from tradeloop.core.evolve import evolve
from tradeloop.core.follow import follow, on_timer, settle
from tradeloop.core.inputs import Input, Start, TimerFired
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply, Reply
from tradeloop.core.reports import BrokerUp, OrderAck
from tradeloop.core.state import State
from tradeloop.core.surroundings import Policy, Surroundings
from tradeloop.core.types import SECOND_NS, ClOrdID, OrderID, OrdType, TimeInForce, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, NOON, a_quote, a_snapshot

E = TypeVar("E")

ABLE = Capabilities(
    ord_types=frozenset({OrdType.MARKET, OrdType.LIMIT}),
    tifs=frozenset(TimeInForce),
    cl_ord_id_max=36,
    cl_ord_id_alphabet="a-z0-9",
    dedupes=Dedupes.FOR_EVER,
    query_by_cl_ord_id=True,
    orders_complete=True,
    stream_replay=False,
    request_lifetime_ns=SECOND_NS,
    visibility_lag_ns=SECOND_NS,
    replaces=True,
)
"""An able venue: dedupes for ever, shows complete books, replaces working orders, holds no stops."""


class Desk:
    """State, surroundings, a clock that moves when told to, and what happened so far."""

    def __init__(self, policy: Policy | None = None, able: Capabilities = ABLE) -> None:
        self.state = State()
        self.around = Surroundings(policy or Policy(), {BROKER: able})
        self.now = NOON
        self.events: list[Event] = []
        self.effects: list[Effect] = []

    def opened(
        self,
        *instruments: Instrument,
        cash: str | int = 1_000_000,
        currency: str = "CNY",
        positions: dict[str, Any] | None = None,
        costs: dict[str, Any] | None = None,
        quoted: bool = True,
        **books: Any,
    ) -> Desk:
        """Started, instruments listed, market open all day, books adopted, every instrument quoted 9.99 / 10.00. `books`: what
        else the broker's show, as `a_snapshot` takes it.
        """
        self.give(Start(1, "test", "t1"))
        self.give(ListInstruments(instruments))
        for session in dict.fromkeys(i.session for i in instruments):
            self.give(OpenTradingDay(session, DAY, ((UtcNs(NOON - 3600 * SECOND_NS), UtcNs(NOON + 86400 * SECOND_NS)),)))
        self.give(BrokerUp(BROKER))
        self.give(a_snapshot(cash=cash, currency=currency, positions=positions, costs=costs, **books))
        if quoted:
            for instrument in instruments:
                self.give(a_quote(instrument.symbol))
        return self

    def give(self, *inputs: Input) -> Reply | None:
        """Decide and evolve inputs in turn; the reply of the last one."""
        reply: Reply | None = None
        for given in inputs:
            before = len(self.effects)
            decision = decide(self.state, self.around, given, self.now)
            try:
                while True:
                    self.apply(next(decision))
            except StopIteration as done:
                reply = done.value
            if isinstance(given, TimerFired):
                self.effects.extend(on_timer(self.state, self.around, given, self.now))
            self.effects.extend(settle(self.around, self.effects[before:], self.now))
        return reply

    def apply(self, event: Event) -> None:
        """Make one fact true, and note what follows from it."""
        evolve(self.state, event)
        self.events.append(event)
        self.effects.extend(follow(self.state, self.around, event))

    def order(self, command: Input) -> Order:
        """The order a command made; fails when it was denied."""
        reply = self.give(command)
        assert isinstance(reply, OrderReply)
        assert reply.denied is None, reply.denied
        return self.known(reply.cl_ord_id)

    def known(self, cl_ord_id: ClOrdID) -> Order:
        """The order as it stands."""
        order = self.state.orders.get(cl_ord_id)
        assert order is not None
        return order

    def ack(self, order: Order, order_id: str = "b1") -> None:
        """The broker acknowledges."""
        self.give(OrderAck(BROKER, order.cl_ord_id, OrderID(order_id)))

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now = UtcNs(self.now + int(seconds * SECOND_NS))

    def of(self, kind: type[E]) -> list[E]:
        """Events or effects of one kind so far."""
        everything: Sequence[object] = (*self.events, *self.effects)
        return [one for one in everything if isinstance(one, kind)]

    def cash(self, currency: str = "CNY") -> Decimal:
        """The balance."""
        return self.state.accounts[ACCOUNT].cash[currency].balance  # type: ignore[index]
