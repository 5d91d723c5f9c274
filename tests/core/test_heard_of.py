"""A word of the broker that changes nothing is a word all the same: it has the order, and speaks of it now."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import pytest
from tests.core.watched import WatchedDesk

from tradeloop.core.commands import ResolveOrder
from tradeloop.core.effects import SendOrder
from tradeloop.core.errors import BadInput
from tradeloop.core.events import FateLost, NotSentProven, OrderHeard
from tradeloop.core.inputs import Start, TimerFired
from tradeloop.core.order import Order
from tradeloop.core.replacement import replace_id
from tradeloop.core.reports import (
    BrokerDown,
    BrokerUp,
    CancelReject,
    OrderAck,
    OrderReject,
    OrderRestate,
    ReplaceAck,
    ReplaceReject,
    Report,
    SendOutcome,
)
from tradeloop.core.types import ExecID, OrderID, OrdStatus, OrdType, Px, Qty, Side, Symbol, UtcNs
from tradeloop.testing.builders import BROKER, a_quote, a_snapshot, an_execution, an_instrument, buy

MOUTAI: Final = "600519.SH"
TWO_HUNDRED, TEN = Qty(Decimal(200)), Px(Decimal(10))

Word = Callable[[Order], Report]

SAME_TERMS: Final[dict[str, Word]] = {
    "told again": lambda order: OrderRestate(BROKER, order.cl_ord_id, TWO_HUNDRED, TEN, None, "still 200"),
    "for a change without a number": lambda order: ReplaceAck(BROKER, order.cl_ord_id, TWO_HUNDRED, TEN),
    "for a change never asked for": lambda order: ReplaceAck(BROKER, order.cl_ord_id, TWO_HUNDRED, TEN, None, 7),
    "by the id of a change": lambda order: ReplaceAck(BROKER, replace_id(order.cl_ord_id, 7), TWO_HUNDRED, TEN, None, 7),
}
REPEAT: Final[Word] = lambda order: OrderReject(BROKER, order.cl_ord_id, "dup", "id used", None, True)  # noqa: E731
WORDS: Final = {**SAME_TERMS, "refused as a repeat": REPEAT}


def a_desk() -> tuple[WatchedDesk, Order]:
    desk = WatchedDesk()
    desk.opened(an_instrument(), an_instrument("000001.SZ"))
    return desk, desk.order(buy(MOUTAI, 200, ord_type=OrdType.LIMIT, price="10"))


def time_out(desk: WatchedDesk, order: Order) -> None:
    desk.wait(5)
    desk.give(TimerFired("ack_timeout", order.cl_ord_id))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.UNKNOWN


def look(desk: WatchedDesk, times: int = 4, held: int = 0) -> None:
    """Complete books that do not show the order, often enough and long enough to prove the absence of one never heard of."""
    for _ in range(times):
        desk.wait(6)
        books = a_snapshot(
            as_of=desk.now,
            orders=(),
            executions=(),
            executions_since=UtcNs(0),
            positions={MOUTAI: held} if held else {},
            cash=1_000_000 - 10 * held,
        )
        desk.give(a_quote(MOUTAI, at=desk.now), books)


def is_missed(desk: WatchedDesk) -> bool:
    return any(known.kind == "order_missing" for known in desk.state.breaks.values())


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
def test_an_order_of_unknown_fate_that_the_broker_speaks_of_is_not_sent_again(word: Word) -> None:
    desk, order = a_desk()
    time_out(desk, order)
    desk.give(word(order))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.NEW
    assert desk.known(order.cl_ord_id).order_id is None, "no number was told"
    look(desk)
    assert (len(desk.of(SendOrder)), desk.of(NotSentProven)) == (1, [])
    assert desk.known(order.cl_ord_id).reserved > 0
    assert is_missed(desk), "a person hears that the books lack it"


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("trouble", ["silence", "a restart", "a lost session"])
def test_nothing_makes_an_order_doubtful_that_the_broker_has_spoken_of(trouble: str, word: Word) -> None:
    desk, order = a_desk()
    desk.give(word(order), word(order))
    assert len(desk.of(OrderHeard)) == 1, "once is enough"
    match trouble:
        case "silence":
            desk.wait(5)
            desk.give(TimerFired("ack_timeout", order.cl_ord_id))
        case "a restart":
            desk.give(Start(2, "test", "t1"), BrokerUp(BROKER))
        case _:
            desk.give(BrokerDown(BROKER, "reset by peer"), BrokerUp(BROKER))
    assert desk.of(FateLost) == []


def test_a_refused_repeat_ends_the_repeats() -> None:
    """The books are slower than declared: the order is taken for lost, and its second send is refused as a repeat."""
    desk, order = a_desk()
    time_out(desk, order)
    look(desk)
    assert len(desk.of(SendOrder)) == 2
    desk.give(REPEAT(order))
    for _ in range(10):
        look(desk)
        desk.give(*(TimerFired(kind, order.cl_ord_id) for kind in ("ack_timeout", "probe", "resend")))
    assert len(desk.of(SendOrder)) == 2
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.NEW


def test_a_refused_repeat_that_comes_before_the_next_send_keeps_it_from_leaving() -> None:
    desk, order = a_desk()
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "NOT_SENT", "refused", order.send_begun_at), REPEAT(order))
    desk.wait(60)
    desk.give(a_quote(MOUTAI, at=desk.now), TimerFired("resend", order.cl_ord_id))
    assert len(desk.of(SendOrder)) == 1


def test_a_fill_told_by_our_id_proves_the_order_also_where_it_is_booked_on_another_of_ours() -> None:
    """Two numbers were mixed up: the fill was booked by its number on the order that is not its own."""
    desk, order = a_desk()
    other = desk.order(buy(MOUTAI, 200, ord_type=OrdType.LIMIT, price="10"))
    desk.ack(other, OrderID("17"))
    fill = an_execution(None, MOUTAI, Side.BUY, 100, "10", "e1", order_id=OrderID("17"))
    desk.give(fill)
    assert desk.known(other.cl_ord_id).cum_qty == 100
    time_out(desk, order)
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10", "e1", order_id=OrderID("17")))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.NEW


@pytest.mark.parametrize("what", ["another broker", "a refused cancel", "a refused change", "another symbol"])
def test_what_can_be_said_of_an_order_nobody_has_proves_nothing(what: str) -> None:
    desk, order = a_desk()
    time_out(desk, order)
    match what:
        case "another broker":
            desk.give(OrderRestate("elsewhere", order.cl_ord_id, TWO_HUNDRED, TEN))
        case "a refused cancel":
            desk.give(CancelReject(BROKER, order.cl_ord_id, "7", "no such order"))
        case "a refused change":
            desk.give(ReplaceReject(BROKER, order.cl_ord_id, "7", "no such order"))
        case _:
            desk.give(an_execution(order.cl_ord_id, Symbol("000001.SZ"), Side.BUY, 100, "10", ExecID("e9")))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.UNKNOWN
    assert desk.of(OrderHeard) == []


AGAIN: Final[dict[str, Word]] = {
    **SAME_TERMS,
    "acknowledged again": lambda order: OrderAck(BROKER, order.cl_ord_id, OrderID("b7")),
}


@pytest.mark.parametrize("word", AGAIN.values(), ids=AGAIN)
def test_an_order_that_the_books_lacked_is_not_closed_by_hand_once_its_broker_speaks_of_it(word: Word) -> None:
    desk, order = a_desk()
    desk.ack(order, OrderID("b7"))
    look(desk)
    assert is_missed(desk)
    desk.give(word(desk.known(order.cl_ord_id)))
    assert not is_missed(desk)
    with pytest.raises(BadInput, match="last word of the order"):
        desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "gone"))
    look(desk, 1)
    assert is_missed(desk), "the next look finds it anew"
    desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "gone"))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.CANCELED


def test_a_fill_told_again_closes_no_break() -> None:
    """It is a word of what was: a venue that lists its fills again and again says nothing of what the order does now."""
    desk, order = a_desk()
    desk.ack(order, OrderID("b7"))
    fill = an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10", "e1", order_id=OrderID("b7"))
    desk.give(fill)
    look(desk, held=100)
    assert is_missed(desk)
    desk.give(fill)
    assert is_missed(desk)
