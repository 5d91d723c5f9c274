"""A broker that tells of an order has it: an end it announces, a fill that proves to be the order's, other terms."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.watched import WatchedDesk

from tradeloop.core.effects import SendOrder
from tradeloop.core.events import BreakFound, FateLost, NotSentProven
from tradeloop.core.inputs import Start, TimerFired
from tradeloop.core.order import Order
from tradeloop.core.reports import (
    BrokerDown,
    BrokerUp,
    CancelAck,
    Execution,
    ExecutionBust,
    OrderExpire,
    OrderRestate,
    SendOutcome,
)
from tradeloop.core.types import ExecID, OrderID, OrdStatus, OrdType, Px, Qty, Side, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_quote, a_snapshot, an_execution, an_instrument, buy

MOUTAI = "600519.SH"
HUNDRED = Qty(Decimal(100))


def a_desk() -> tuple[WatchedDesk, Order]:
    desk = WatchedDesk()
    desk.opened(an_instrument())
    return desk, desk.order(buy(MOUTAI, 200, ord_type=OrdType.LIMIT, price="10"))


def a_fill(order: Order | None) -> Execution:
    """Half of the order, told by the venue's number, and by our id where `order` is given."""
    return an_execution(None if order is None else order.cl_ord_id, MOUTAI, Side.BUY, 100, "10", order_id=OrderID("17"))


def time_out(desk: WatchedDesk, order: Order) -> None:
    desk.wait(5)
    desk.give(TimerFired("ack_timeout", order.cl_ord_id))


def look(desk: WatchedDesk, *executions: Execution, times: int = 4, held: int = 0) -> None:
    """Complete books that do not show the order, often enough and long enough to prove the absence of one never heard of."""
    for _ in range(times):
        desk.wait(6)
        desk.give(
            a_quote(MOUTAI, at=desk.now),
            a_snapshot(
                as_of=desk.now,
                orders=(),
                executions=executions,
                executions_since=UtcNs(0),
                positions={MOUTAI: held} if held else {},
                cash=1_000_000 - 10 * held,
            ),
        )


def is_sent_once(desk: WatchedDesk) -> bool:
    return len(desk.of(SendOrder)) == 1 and not desk.of(NotSentProven)


def test_an_order_whose_fill_is_found_by_our_id_has_arrived_and_is_not_sent_again() -> None:
    """ADR 0004: an execution that bears our id is proof, also where it was booked on its number before."""
    desk, order = a_desk()
    desk.give(a_fill(None))
    time_out(desk, order)
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.UNKNOWN
    look(desk, a_fill(order), held=100)
    assert is_sent_once(desk)
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.PARTIALLY_FILLED
    assert desk.state.unknown == {}
    assert [found.kind for found in desk.of(BreakFound)] == ["order_missing"], "a person hears that its books lack it"


def test_a_fill_that_was_taken_back_proves_as_much() -> None:
    desk, order = a_desk()
    desk.give(a_fill(None), ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY))
    time_out(desk, order)
    desk.give(a_fill(order))
    look(desk)
    assert is_sent_once(desk)
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.NEW


@pytest.mark.parametrize("end", [CancelAck, OrderExpire])
@pytest.mark.parametrize("told", ["in time", "late"])
def test_an_order_whose_end_was_announced_has_arrived_and_is_not_sent_again(
    end: type[CancelAck | OrderExpire], told: str
) -> None:
    desk, order = a_desk()
    if told == "late":
        time_out(desk, order)
    desk.give(end(BROKER, order.cl_ord_id, "unasked", None, HUNDRED))
    time_out(desk, order)
    look(desk)
    assert is_sent_once(desk)
    assert desk.state.unknown == {}
    assert desk.known(order.cl_ord_id).reserved > 0, "a fill of it has not been told yet"


@pytest.mark.parametrize("trouble", ["silence", "a restart", "a lost session", "not sent"])
def test_nothing_makes_an_order_doubtful_whose_end_was_announced(trouble: str) -> None:
    desk, order = a_desk()
    desk.give(CancelAck(BROKER, order.cl_ord_id, "unasked", None, HUNDRED))
    match trouble:
        case "silence":
            time_out(desk, order)
        case "a restart":
            desk.give(Start(2, "test", "t1"), BrokerUp(BROKER))
        case "a lost session":
            desk.give(BrokerDown(BROKER, "reset by peer"), BrokerUp(BROKER))
        case _:
            desk.give(SendOutcome(BROKER, order.cl_ord_id, "NOT_SENT", "refused", order.send_begun_at))
    look(desk)
    assert (desk.of(FateLost), is_sent_once(desk)) == ([], True)


def test_a_broker_that_restates_an_order_has_it() -> None:
    desk, order = a_desk()
    time_out(desk, order)
    desk.give(OrderRestate(BROKER, order.cl_ord_id, HUNDRED, Px(Decimal(10))))
    look(desk)
    assert is_sent_once(desk)
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.NEW


def test_a_journal_that_doubts_an_order_behind_its_announced_end_is_read_without_the_doubt() -> None:
    desk, order = a_desk()
    desk.give(CancelAck(BROKER, order.cl_ord_id, "unasked", None, HUNDRED))
    desk.apply(FateLost(desk.now, order.cl_ord_id, "no answer within 5 s"))
    assert desk.state.unknown == {}
    look(desk)
    assert is_sent_once(desk)
