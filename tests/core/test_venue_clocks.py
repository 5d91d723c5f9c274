"""A venue's clock may be behind ours, and many stamp whole seconds: its times alone do not prove that a fill is not ours."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.core.watched import WatchedDesk

from tradeloop.core.effects import SendOrder
from tradeloop.core.events import NotSentProven, OrderCanceled
from tradeloop.core.order import Order
from tradeloop.core.reports import Execution, SendOutcome
from tradeloop.core.types import SECOND_NS, OrderID, OrdStatus, Side, UtcNs
from tradeloop.testing.builders import BROKER, a_quote, a_snapshot, an_execution, an_instrument, buy
from tradeloop.testing.desk import ABLE, Desk

A = "600519.SH"
MS = SECOND_NS // 1000


def a_desk(*, complete: bool) -> Desk:
    desk = WatchedDesk(able=msgspec.structs.replace(ABLE, orders_complete=complete)).opened(an_instrument(A))
    desk.wait(1)
    return desk


def unknown(desk: Desk) -> Order:
    order = desk.order(buy(A, 200))
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "time-out"))
    return order


def nameless(qty: int, at: int) -> Execution:
    """A fill under a number alone: the venue lost the id, or never tells it with a fill."""
    return an_execution(None, A, Side.BUY, qty, "10", f"e{qty}", order_id=OrderID("b77"), transact_at=UtcNs(at))


def look(desk: Desk, fill: Execution | None, *, times: int = 6, **changes: Any) -> None:
    shown = {} if fill is None else {"executions": (fill,), "positions": {A: int(fill.last_qty)}}
    complete = desk.around.brokers[BROKER].orders_complete
    for _ in range(times):
        desk.wait(6)
        said = {"orders_complete": complete, "executions_since": UtcNs(0), **shown, **changes}
        desk.give(a_quote(A, at=desk.now), a_snapshot(as_of=desk.now, **said))


@pytest.mark.parametrize("complete", [True, False], ids=["complete books", "open orders only"])
@pytest.mark.parametrize("behind", [1, 50 * MS, 30 * SECOND_NS])
@pytest.mark.parametrize("qty", [100, 200])
@pytest.mark.parametrize("heard", ["in the look", "on the stream"])
def test_a_fill_that_a_clock_behind_ours_dates_before_the_order_spoils_the_proof(
    complete: bool, behind: int, qty: int, heard: str
) -> None:
    desk = a_desk(complete=complete)
    order = unknown(desk)
    fill = nameless(qty, desk.now - behind)
    if heard == "on the stream":
        desk.give(fill)
    look(desk, fill)

    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.UNKNOWN
    assert (len(desk.of(SendOrder)), desk.of(NotSentProven), desk.of(OrderCanceled)) == (1, [], [])


def test_a_fill_stamped_in_whole_seconds_spoils_the_proof() -> None:
    """Sent at .4 of a second and filled at .7 of it, it is stamped .0."""
    desk = a_desk(complete=False)
    desk.now = UtcNs(desk.now // SECOND_NS * SECOND_NS + 400 * MS)
    order = unknown(desk)
    look(desk, nameless(200, desk.now // SECOND_NS * SECOND_NS))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.UNKNOWN


@pytest.mark.parametrize("complete", [True, False], ids=["complete books", "open orders only"])
def test_a_strangers_fill_that_was_known_before_ours_was_sent_is_not_taken_for_it(complete: bool) -> None:
    desk = a_desk(complete=complete)
    fill = nameless(200, desk.now - SECOND_NS)
    desk.give(fill)
    desk.wait(1)
    order = unknown(desk)
    look(desk, fill)
    proven = desk.of(NotSentProven) if complete else desk.of(OrderCanceled)
    assert [e.cl_ord_id for e in proven] == [order.cl_ord_id]


@pytest.mark.parametrize("complete", [True, False], ids=["complete books", "open orders only"])
@pytest.mark.parametrize(("back", "proves"), [(-1, False), (0, True)], ids=["after it", "when it was sent"])
def test_a_list_that_begins_after_the_order_was_sent_proves_nothing(complete: bool, back: int, proves: bool) -> None:
    desk = a_desk(complete=complete)
    desk.wait(30)
    order = unknown(desk)
    begun = order.send_begun_at
    assert begun is not None
    look(desk, None, executions_since=UtcNs(begun - back * SECOND_NS))
    assert bool(desk.of(NotSentProven) or desk.of(OrderCanceled)) is proves
