"""Halts that have nothing left to do look seldom, and cost little; what gives them something to do is seen within a second."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.core.test_halt import MOUTAI, PINGAN, a_desk, halt, works
from typing_extensions import override

from tradeloop.core.commands import ReleaseHalt
from tradeloop.core.effects import SendCancel, SetTimer
from tradeloop.core.events import HaltChecked, TradeBusted
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.inputs import TimerFired
from tradeloop.core.reports import BrokerDown, CancelAck, ExecutionBust
from tradeloop.core.types import SECOND_NS, ExecID, OrderID, OrdStatus, Qty, Side, Symbol
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_quote, a_snapshot, an_execution, an_instrument, buy, their_order
from tradeloop.testing.desk import Desk

GLOBAL, VENUE, SYMBOL, STRATEGY = HaltScope.GLOBAL, HaltScope.VENUE, HaltScope.SYMBOL, HaltScope.STRATEGY


def next_look(desk: Desk, number: int = 1) -> float:
    """After how many seconds the halt looks again."""
    due = [timer.due for timer in desk.of(SetTimer) if (timer.kind, timer.subject) == ("halt", str(number))][-1]
    return (due - desk.now) / SECOND_NS


def looks(desk: Desk, number: int = 1) -> None:
    desk.wait(next_look(desk, number))
    desk.give(a_quote(MOUTAI, at=desk.now), TimerFired("halt", str(number)))


def quiet(desk: Desk, tier: HaltTier = HaltTier.CANCEL_ALL, scope: HaltScope = GLOBAL, name: str = "") -> Desk:
    """A halt that has looked and found nothing to do."""
    halt(desk, tier, scope, name)
    looks(desk)
    assert next_look(desk) == 30
    desk.wait(5)
    return desk


def a_stranger(desk: Desk, symbol: str = MOUTAI) -> None:
    theirs = their_order(None, symbol, Side.BUY, 100, OrdStatus.NEW, order_id=OrderID("x9"))
    desk.give(a_snapshot(as_of=desk.now, orders=(theirs,)))


def test_a_halt_looks_every_second_until_nothing_is_left_and_then_at_the_pace_of_the_books() -> None:
    desk = a_desk()
    order = works(desk)
    halt(desk, HaltTier.CANCEL_ALL)
    for _ in range(3):
        assert next_look(desk) == 1
        looks(desk)
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    looks(desk)
    assert desk.of(HaltChecked)[-1].done
    assert next_look(desk) == desk.around.policy.reconcile_every_ns / SECOND_NS
    looks(desk)
    assert next_look(desk) == 30


@pytest.mark.parametrize(
    ("scope", "name"), [(GLOBAL, ""), (HaltScope.ACCOUNT, ACCOUNT), (HaltScope.BROKER, BROKER), (VENUE, "SH"), (SYMBOL, MOUTAI)]
)
def test_a_strangers_order_wakes_a_halt_that_it_is_within(scope: HaltScope, name: str) -> None:
    desk = quiet(a_desk(), scope=scope, name=name)
    a_stranger(desk)
    assert next_look(desk) == 1
    looks(desk)
    assert [effect.order_id for effect in desk.of(SendCancel)] == [OrderID("x9")]
    assert not desk.of(HaltChecked)[-1].done
    assert next_look(desk) == 1


@pytest.mark.parametrize(("scope", "name"), [(VENUE, "SZ"), (SYMBOL, PINGAN), (STRATEGY, "trend")])
def test_what_is_outside_it_wakes_no_halt(scope: HaltScope, name: str) -> None:
    desk = quiet(a_desk(), scope=scope, name=name)
    a_stranger(desk)
    desk.give(an_execution(next(iter(desk.state.orders.open)), MOUTAI, Side.BUY, 100, 10))
    assert next_look(desk) == 25


def test_a_late_fill_wakes_a_flatten_and_what_came_is_closed() -> None:
    desk = a_desk()
    order = works(desk)
    halt(desk, HaltTier.FLATTEN)
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    looks(desk)
    assert next_look(desk) == 30
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, 10))
    assert next_look(desk) == 1
    looks(desk)
    (closing,) = desk.state.orders.open.values()
    assert (closing.side, closing.halt) == (Side.SELL, 1)


def test_a_fill_that_is_taken_back_wakes_the_flatten_that_it_closed() -> None:
    desk = a_desk(moutai="1000")
    halt(desk, HaltTier.FLATTEN)
    (closing,) = desk.state.orders.open.values()
    desk.ack(closing)
    desk.give(an_execution(closing.cl_ord_id, MOUTAI, Side.SELL, 1000, 10))
    looks(desk)
    assert next_look(desk) == 30
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.SELL))
    assert desk.of(TradeBusted)
    assert next_look(desk) == 1


def test_the_books_out_of_sight_wake_every_halt() -> None:
    desk = quiet(a_desk(), scope=SYMBOL, name=MOUTAI)
    desk.give(BrokerDown(BROKER, "reset"))
    looks(desk)
    assert (desk.of(HaltChecked)[-1].done, next_look(desk)) == (False, 1)


def test_a_halt_asked_for_again_that_finds_something_is_looked_after_every_second() -> None:
    desk = a_desk()
    quiet(desk, HaltTier.FLATTEN)
    desk.state.position(ACCOUNT, Symbol(MOUTAI)).long_qty = Qty(Decimal(100))  # no fact told of it
    assert next_look(desk) == 25
    halt(desk, HaltTier.FLATTEN)
    assert not desk.of(HaltChecked)[-1].done
    assert next_look(desk) == 1


def test_a_halt_that_is_over_is_woken_by_nothing() -> None:
    desk = quiet(a_desk(), scope=SYMBOL, name=MOUTAI)
    desk.give(ReleaseHalt("ann", "looked", SYMBOL, MOUTAI, numbers=(1,)))
    a_stranger(desk)
    assert next_look(desk) == 25
    assert not any(desk.around.quiet.values())


def test_what_a_flatten_has_left_for_tomorrow_is_looked_at_every_second() -> None:
    """No fact tells that a market opens."""
    desk = Desk().opened(an_instrument(MOUTAI, settles_t1=True))
    bought = desk.order(buy(MOUTAI, 100))
    desk.give(an_execution(bought.cl_ord_id, MOUTAI, Side.BUY, 100, 10))
    halt(desk, HaltTier.FLATTEN)
    looks(desk)
    assert desk.of(HaltChecked)[-1].done
    assert next_look(desk) == 1


class Unwalked(dict[Any, Any]):
    """Nobody goes through all of it."""

    @override
    def values(self) -> Any:
        raise AssertionError("all open orders were gone through")


def test_a_halt_of_a_symbol_looks_at_the_orders_and_the_position_of_that_symbol_alone() -> None:
    desk = a_desk(moutai="1000", pingan="500")
    order = works(desk, "b1", PINGAN)
    mine = works(desk)
    halt(desk, HaltTier.FLATTEN, SYMBOL, MOUTAI)
    desk.state.orders.open = Unwalked(desk.state.orders.open)
    looks(desk)
    assert desk.known(mine.cl_ord_id).cancel_requested_at is not None
    desk.give(CancelAck(BROKER, mine.cl_ord_id))
    looks(desk)
    closing = desk.state.orders.open[[*desk.state.orders.open][-1]]
    assert (closing.symbol, closing.side, closing.order_qty) == (MOUTAI, Side.SELL, Decimal(1000))
    assert desk.known(order.cl_ord_id).cancel_requested_at is None
