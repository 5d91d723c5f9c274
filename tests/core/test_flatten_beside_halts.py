"""A FLATTEN is stopped by a person's later halt, and by nothing else: every pair of tier and asker, in both orders."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest
from tests.core.risk.cases import a_limit, limited
from tests.core.test_halt import MOUTAI, PINGAN, a_desk, limit, works

from tradeloop.core.commands import HaltTrading, ReleaseHalt
from tradeloop.core.effects import SendCancel, SendOrder
from tradeloop.core.events import HaltChecked, Halted, OrderStaged
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.inputs import LatchFound, TimerFired
from tradeloop.core.limit import Severity
from tradeloop.core.order import Order
from tradeloop.core.replies import Done
from tradeloop.core.reports import CancelReject, OrderReject
from tradeloop.core.risk.stopped import stopped
from tradeloop.core.types import OrdStatus, Px, Qty, Side, Symbol
from tradeloop.engine.guard import Guard
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, an_instrument
from tradeloop.testing.desk import Desk
from tradeloop.testing.world.halts import MemoryLatch

PERSON, LOSS, SILENCE, COMPARATOR = "", "max_daily_loss|account||", "max_feed_silence_seconds|global||", "comparator"
FLATTEN = HaltTier.FLATTEN


def asked(tier: HaltTier, trigger: str, scope: HaltScope = HaltScope.GLOBAL, name: str = "") -> HaltTrading:
    return HaltTrading(tier, "risk" if trigger else "ann", "why", scope, name, trigger)


def looks(desk: Desk, number: int = 1, after: float = 1) -> None:
    desk.wait(after)
    desk.give(a_quote(MOUTAI, at=desk.now), a_quote(PINGAN, at=desk.now), TimerFired("halt", str(number)))


def closing(desk: Desk, number: int) -> Order:
    return next(desk.known(e.cl_ord_id) for e in desk.of(OrderStaged) if e.halt == number)


def may_leave(desk: Desk, order: Order, *latched: HaltTrading) -> tuple[bool, bool]:
    """What the core says, and what the guard says at the wire."""
    latch = MemoryLatch()
    latch.write(latched)
    guard = Guard(latch, desk.state, None, lambda found: None, lambda alert: None)  # type: ignore[arg-type]
    instrument = desk.state.instruments[order.symbol]
    return stopped(desk.state, order, instrument) is None, guard.stops(order) is None


@pytest.mark.parametrize(("tier", "who"), [*product(HaltTier, (PERSON, LOSS, SILENCE, COMPARATOR))])
@pytest.mark.parametrize("whose", [PERSON, LOSS])
def test_only_a_persons_halt_that_comes_after_a_flatten_stops_it(tier: HaltTier, who: str, whose: str) -> None:
    desk = a_desk(moutai="1000")
    desk.give(asked(FLATTEN, whose, HaltScope.SYMBOL, MOUTAI))
    order = closing(desk, 1)
    other = asked(tier, who)
    goes_on = bool(who) or tier in (FLATTEN, HaltTier.REDUCE_ONLY)

    assert may_leave(desk, order, other)[1] is goes_on, "it stands in the file and is not recorded yet"
    desk.give(other)

    assert may_leave(desk, order, other) == (goes_on, goes_on)
    is_wanted_out = tier is HaltTier.CANCEL_ALL and not who
    assert [each.cl_ord_id for each in desk.of(SendCancel)] == ([order.cl_ord_id] if is_wanted_out else [])
    desk.give(OrderReject(BROKER, order.cl_ord_id, "x", "the price fell away"))
    for _ in range(3):
        looks(desk, after=5)
    assert (len(desk.of(SendOrder)) > 1) is goes_on, "what was refused is tried again"


@pytest.mark.parametrize(("tier", "who"), [*product(HaltTier, (PERSON, LOSS, SILENCE, COMPARATOR))])
@pytest.mark.parametrize("whose", [PERSON, LOSS])
def test_a_halt_that_was_there_before_stops_no_flatten(tier: HaltTier, who: str, whose: str) -> None:
    desk = a_desk(moutai="1000")
    other = asked(tier, who)
    desk.give(other)
    if tier is FLATTEN:
        desk.give(OrderReject(BROKER, closing(desk, 1).cl_ord_id, "x", "the price fell away"))
    flatten = asked(FLATTEN, whose, HaltScope.SYMBOL, MOUTAI)

    desk.give(flatten)
    if tier is FLATTEN:
        looks(desk, 2, after=5)

    order = closing(desk, 2)
    assert may_leave(desk, order, other, flatten) == (True, True)
    assert desk.of(SendOrder)[-1].order.order.cl_ord_id == order.cl_ord_id
    assert desk.of(SendCancel) == []


@pytest.mark.parametrize("flatten_first", [True, False])
def test_two_limits_that_trip_in_one_look_close_in_whatever_order_they_stand(*, flatten_first: bool) -> None:
    limits = [a_limit("max_drawdown", "0.02", tier=FLATTEN), a_limit("max_daily_loss", 1000)]
    desk = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 1000}, cash=10000, quoted=False)
    limited(*(limits if flatten_first else reversed(limits)), desk=desk)
    for px in ("10", "8.5"):
        desk.wait(1)
        desk.give(a_quote(MOUTAI, px, px, at=desk.now, last=Px(Decimal(px))), TimerFired("risk_look", ""))
    assert {each.tier for each in desk.of(Halted)} == {HaltTier.HALT, FLATTEN}

    flatten = next(each.number for each in desk.of(Halted) if each.tier is FLATTEN)
    assert may_leave(desk, closing(desk, flatten)) == (True, True)


def test_a_limit_of_severity_halt_stops_no_flatten() -> None:
    desk = limited(a_limit("max_order_qty", 50, severity=Severity.HALT), desk=a_desk(moutai="1000"))
    desk.give(asked(FLATTEN, PERSON, HaltScope.SYMBOL, MOUTAI))
    desk.give(limit(Side.BUY, symbol=PINGAN))  # type: ignore[arg-type]
    assert [each.trigger for each in desk.of(Halted)][1:] == ["max_order_qty|account|||"]
    assert may_leave(desk, closing(desk, 1)) == (True, True)


def test_a_trigger_that_trips_again_does_not_overrule_the_person_who_stopped_its_flatten() -> None:
    desk = a_desk(moutai="1000")
    desk.give(asked(FLATTEN, LOSS), asked(HaltTier.HALT, PERSON), asked(FLATTEN, LOSS))
    assert [each.number for each in desk.state.halts.values()] == [1, 2]
    assert may_leave(desk, closing(desk, 1)) == (False, False)


def test_a_persons_halt_beside_a_triggers_of_the_same_place_stops_the_flatten_before_both() -> None:
    desk = a_desk(moutai="1000")
    desk.give(asked(FLATTEN, PERSON), asked(HaltTier.HALT, LOSS))
    assert may_leave(desk, closing(desk, 1)) == (True, True)
    desk.give(asked(HaltTier.HALT, PERSON))
    assert may_leave(desk, closing(desk, 1)) == (False, False)


def test_a_later_flatten_does_anew_what_a_person_has_stopped() -> None:
    """The first one's order was stopped by the halt between; nothing stops that of the second."""
    desk = a_desk(moutai="1000")
    desk.give(asked(FLATTEN, PERSON, HaltScope.SYMBOL, MOUTAI))
    first = closing(desk, 1)
    desk.ack(first)
    desk.give(asked(HaltTier.HALT, PERSON), asked(FLATTEN, LOSS))
    assert [each.cl_ord_id for each in desk.of(SendCancel)] == [first.cl_ord_id]


def test_a_second_flatten_leaves_the_first_ones_orders_at_work_and_takes_over_when_it_is_released() -> None:
    desk = a_desk(moutai="1000")
    desk.give(asked(FLATTEN, PERSON, HaltScope.SYMBOL, MOUTAI))
    first = closing(desk, 1)
    desk.ack(first)
    desk.give(asked(FLATTEN, LOSS))
    looks(desk, 2)
    assert desk.of(SendCancel) == []
    assert desk.of(HaltChecked)[-1].held == (f"1000 {MOUTAI} of {ACCOUNT}: order {first.cl_ord_id} closes it (NEW)",)

    desk.give(ReleaseHalt("ann", "the wide one goes on", HaltScope.SYMBOL, MOUTAI, numbers=(1,)))
    looks(desk, 2)
    assert [each.cl_ord_id for each in desk.of(SendCancel)] == [first.cl_ord_id]
    desk.give(CancelReject(BROKER, first.cl_ord_id, "busy", "later"))
    desk.wait(5)
    desk.give(TimerFired("cancel_again", first.cl_ord_id))
    assert len(desk.of(SendCancel)) == 2


def test_what_the_file_says_by_hand_is_a_persons_and_stops_a_flatten() -> None:
    desk = a_desk(moutai="1000")
    desk.give(asked(FLATTEN, PERSON))
    found = HaltTrading(HaltTier.HALT, "the latch file", "")
    assert may_leave(desk, closing(desk, 1), found)[1] is False
    desk.give(LatchFound((found,)))
    assert may_leave(desk, closing(desk, 1), found) == (False, False)


def test_orders_that_are_not_a_flattens_obey_a_triggers_halt() -> None:
    desk = a_desk(moutai="1000")
    order = works(desk)
    desk.give(asked(HaltTier.CANCEL_ALL, LOSS))
    assert [each.cl_ord_id for each in desk.of(SendCancel)] == [order.cl_ord_id]
    assert may_leave(desk, order) == (False, False)
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.PENDING_CANCEL
    assert desk.state.held(ACCOUNT, Symbol(MOUTAI)).long_qty == Qty(Decimal(1000))


def test_a_cancel_all_that_is_done_stays_so_while_a_later_flatten_closes() -> None:
    """The order that works is the FLATTEN's; nobody is told to ask the broker about it."""
    desk = a_desk(moutai="1000")
    desk.give(asked(HaltTier.CANCEL_ALL, PERSON))
    assert desk.state.halts[1].done
    desk.give(asked(FLATTEN, PERSON))
    desk.ack(closing(desk, 2))
    for _ in range(20):
        looks(desk, 1)
    assert desk.state.halts[1].done
    assert [e.number for e in desk.of(HaltChecked) if e.number == 1 and not e.done] == []


@pytest.mark.parametrize("tier", [HaltTier.HALT, HaltTier.CANCEL_ALL])
@pytest.mark.parametrize(
    ("scope", "name", "is_told"),
    [
        (HaltScope.GLOBAL, "", True),
        (HaltScope.SYMBOL, MOUTAI, True),
        (HaltScope.SYMBOL, PINGAN, False),
        (HaltScope.VENUE, "SH", True),
        (HaltScope.VENUE, "SZ", False),
        (HaltScope.ACCOUNT, ACCOUNT, True),
        (HaltScope.STRATEGY, "dip", False),
    ],
)
def test_whoever_stops_a_flatten_is_told_so_in_the_answer(tier: HaltTier, scope: HaltScope, name: str, is_told: bool) -> None:
    desk = a_desk(moutai="1000")
    desk.give(asked(FLATTEN, PERSON, HaltScope.SYMBOL, MOUTAI))
    said = desk.give(asked(tier, PERSON, scope, name))
    assert isinstance(said, Done)
    told = f"it stops the closing of halt 1 (FLATTEN of symbol {MOUTAI}): what that has not closed stays open"
    assert (told in said.text) is is_told
    assert may_leave(desk, closing(desk, 1))[0] is not is_told


@pytest.mark.parametrize("wide", [False, True])
def test_the_order_of_a_flatten_that_was_called_off_is_one_like_any_other(wide: bool) -> None:
    """A CANCEL_ALL that stays in force wants it out, and is not done before it is."""
    desk = a_desk(moutai="1000")
    one, other = (HaltScope.GLOBAL, ""), (HaltScope.SYMBOL, MOUTAI)
    (cancel, flatten) = (one, other) if wide else (other, one)
    desk.give(asked(HaltTier.CANCEL_ALL, PERSON, *cancel), asked(FLATTEN, PERSON, *flatten))
    order = closing(desk, 2)
    desk.ack(order)
    desk.give(ReleaseHalt("bob", "looked", *flatten, numbers=(2,)))
    looks(desk, 1)
    assert order.cl_ord_id in {each.cl_ord_id for each in desk.of(SendCancel)}
    assert not desk.state.halts[1].done


def test_a_flatten_that_has_closed_everything_is_stopped_by_nobody() -> None:
    desk = a_desk()
    desk.give(asked(FLATTEN, PERSON))
    said = desk.give(asked(HaltTier.CANCEL_ALL, PERSON))
    assert isinstance(said, Done)
    assert "it stops" not in said.text
