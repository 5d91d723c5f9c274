"""Stations 4 and 7: what it proves that the broker's books do not show an order.

Asked of an order of unknown fate (core/fate.py) and of one that the broker had acknowledged (core/standing.py), by the same
rules. Where books show all orders of its day, they lack it, and what that means differs for the two. Where they do not, as
books of open orders alone, or of days later than its own, it neither works nor has traded once they have shown all executions
since it was sent, at looks enough and over time enough for a request or a row that is late. Then it is over.
"""

from __future__ import annotations

from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerSnapshot
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import UtcNs


def sent_at(order: Order) -> UtcNs:
    """From when on the broker can have had the order."""
    return order.staged_at if order.send_begun_at is None else order.send_begun_at


def shows_its_day(around: Surroundings, snap: BrokerSnapshot, order: Order) -> bool:
    """Whether the look shows all orders of the day on which the order was sent, also those that have ended."""
    first, last = snap.first_day, snap.trading_day
    if not (snap.orders_complete and around.brokers[order.broker].orders_complete) or first is None or last is None:
        return False
    return first <= order.day_there <= last


def shows_all_fills(snap: BrokerSnapshot, begun: UtcNs) -> bool:
    """Whether the look shows every execution that an order sent at `begun` can have had, of whatever day: what is open is
    shown, and what filled is among the executions.
    """
    return snap.executions is not None and snap.executions_since is not None and snap.executions_since <= begun


def is_long_enough(
    around: Surroundings, snap: BrokerSnapshot, looks: int, since: tuple[UtcNs, UtcNs], wait: int, wait_theirs: int
) -> bool:
    """Whether so many looks in a row that did not show an order, the first `since` when by our clock and by the broker's, are
    enough of them over long enough. By both clocks: ours may have been set since the first look.
    """
    ours, theirs = since
    return looks >= around.policy.looks and snap.read_at - ours >= wait and snap.as_of - theirs >= wait_theirs
