"""F99: what the books of a venue show whose list of orders lags behind its list of fills."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tradeloop.core.reports import OrderAck
from tradeloop.core.types import SECOND_NS, ClOrdID, OrderID, OrdStatus, Side
from tradeloop.testing.builders import BROKER, a_snapshot, an_execution, their_order
from tradeloop.testing.faults import LATER, Fault, Weather
from tradeloop.testing.world.loop import Timeline
from tradeloop.testing.world.network import Network
from tradeloop.testing.world.venue import Venue

OURS, A = ClOrdID("w1000010000000001k"), "600000.SH"
LAG_NS = 2 * SECOND_NS
"""What the venue declares."""
LONGEST_NS = 90 * SECOND_NS


class Asked:
    """A venue that has just taken an order, and the way to its books."""

    def __init__(self, *, orders_complete: bool = True) -> None:
        self.timeline = Timeline(0)
        self.timeline.at(LONGEST_NS + 1, lambda: None)
        weather = Weather(Random(0), *(Random(0) for _ in LATER))
        weather.rates = {Fault.LINE_BEHIND_FILL: 1.0}
        able = SimpleNamespace(orders_complete=orders_complete, visibility_lag_ns=LAG_NS)
        venue: Any = SimpleNamespace(listeners=[], able=able)
        self.network = Network(self.timeline, cast(Venue, venue), weather, Random(0), Random(0))
        venue.listeners[0](OrderAck(BROKER, OURS, OrderID("b1")))

    def shows(self, at_ns: int, *, filled: bool) -> bool:
        """Whether its list of orders shows the order, at a time at which it has filled in part or not at all."""
        self.timeline.run(at_ns)
        line = their_order(OURS, A, Side.BUY, 300, OrdStatus.NEW)
        fill = an_execution(OURS, A, Side.BUY, 100, "10", order_id=line.order_id)
        return bool(self.network.read(a_snapshot(orders=(line,), executions=(fill,) if filled else ())).orders)


def test_an_order_of_which_a_fill_is_shown_may_be_missing_for_longer_than_the_venue_declares() -> None:
    asked = Asked()
    assert [asked.shows(at, filled=True) for at in (0, 4 * LAG_NS, LONGEST_NS)] == [False, False, True]


@pytest.mark.parametrize("shown_once", [False, True])
def test_no_order_is_missing_from_both_lists_for_longer_nor_from_its_own_once_it_was_shown(shown_once: bool) -> None:
    asked = Asked()
    assert not asked.shows(0, filled=not shown_once)
    assert asked.shows(LAG_NS, filled=False)
    assert asked.shows(LAG_NS, filled=True)


def test_a_list_of_open_orders_does_not_lag() -> None:
    """What it lacks is over: it says so of what it shows no more."""
    assert Asked(orders_complete=False).shows(0, filled=True)
