"""What is over here is over at the venue: an order ended while it works there is missed at that moment."""

from __future__ import annotations

import pytest

from tradeloop.core import events as ev
from tradeloop.core.order import Order
from tradeloop.core.reports import SendOutcome
from tradeloop.core.types import ClOrdID
from tradeloop.testing.builders import BROKER, NOON, an_instrument, buy
from tradeloop.testing.desk import Desk
from tradeloop.testing.ends import Ends

SYMBOL = "600519.SH"


def sent(*, in_doubt: bool) -> Order:
    desk = Desk().opened(an_instrument(SYMBOL))
    order = desk.order(buy(SYMBOL, 100))
    if in_doubt:
        desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "reset", order.send_begun_at))
    return desk.known(order.cl_ord_id)


def judged(order: Order, status: str, lost: tuple[ClOrdID, ...] = ()) -> tuple[Ends, list[int]]:
    """A judge of the order, which has this status at the venue, and what it names."""
    found: list[int] = []
    ends = Ends(lambda invariant, text: found.append(invariant), lost)
    ends.works = lambda cl_ord_id: status if cl_ord_id == order.cl_ord_id else ""
    return ends, found


def end(order: Order) -> ev.OrderCanceled:
    return ev.OrderCanceled(NOON, order.cl_ord_id, "somebody wants it out")


@pytest.mark.parametrize(("in_doubt", "invariant"), [(True, 6), (False, 36)])
def test_an_order_that_ends_here_while_it_works_there_is_missed(in_doubt: bool, invariant: int) -> None:
    order = sent(in_doubt=in_doubt)
    ends, found = judged(order, "NEW")
    ends.ended(end(order), order, again=False)
    assert found == [invariant]


def test_an_order_that_arrives_behind_its_end_is_missed() -> None:
    order = sent(in_doubt=True)
    ends, found = judged(order, "")
    ends.ended(end(order), order, again=False)
    assert found == []
    ends.arrived(order.cl_ord_id)
    assert found == [6]


def test_a_repeat_that_arrives_behind_the_end_of_its_order_is_no_second_one() -> None:
    order = sent(in_doubt=False)
    ends, found = judged(order, "")
    ends.arrived(order.cl_ord_id)
    ends.ended(end(order), order, again=False)
    ends.arrived(order.cl_ord_id)
    assert found == []


def test_an_order_that_is_over_there_ends_here_by_right() -> None:
    order = sent(in_doubt=True)
    ends, found = judged(order, "")
    ends.ended(end(order), order, again=False)
    assert found == []


def test_what_a_failover_has_lost_is_not_held_against_the_venue() -> None:
    order = sent(in_doubt=True)
    ends, found = judged(order, "NEW", (order.cl_ord_id,))
    ends.ended(end(order), order, again=False)
    assert found == []


def test_an_end_that_is_read_anew_was_judged_when_it_was_new() -> None:
    order = sent(in_doubt=True)
    ends, found = judged(order, "NEW")
    ends.ended(end(order), order, again=True)
    assert found == []
