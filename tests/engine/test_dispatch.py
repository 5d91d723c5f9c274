"""Effects to the world: what an adapter raises sorts an order's fate, and nothing is sent late, twice, or after the end."""

from __future__ import annotations

import asyncio

import pytest
from tests.engine.made import A, B, House, lost, only, order_of, placed, settle

from tradeloop.core.commands import CancelOrder
from tradeloop.core.effects import SendCancel
from tradeloop.core.errors import NotSent, Refused
from tradeloop.core.events import (
    CancelRejected,
    FateLost,
    OrderAcknowledged,
    OrderCanceled,
    OrderHeard,
    OrderRejected,
    OrderStaged,
    SendFailed,
)
from tradeloop.core.reports import CancelOutcome
from tradeloop.core.types import AccountID, ClOrdID, OrdStatus, Symbol
from tradeloop.engine import dispatch as dispatching
from tradeloop.engine.dispatch import Dispatch
from tradeloop.testing.builders import buy

# --- the fates of an order


async def test_an_order_that_surely_did_not_leave_is_sent_again_under_the_same_id() -> None:
    """S1-43, D3: back-off 1, 2, 5 seconds."""
    house = House()
    engine = await house.open()
    house.venue.moods = [NotSent("connection refused"), NotSent("connection refused")]

    cl_ord_id = await placed(engine, buy(A, 100))
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.STAGED
    await house.clock.forward(1)
    assert house.venue.placed == [cl_ord_id] * 2
    await house.clock.forward(1.9)
    assert house.venue.placed == [cl_ord_id] * 2
    await house.clock.forward(0.1)

    assert house.venue.placed == [cl_ord_id] * 3
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.NEW
    assert [event.text for event in house.on_disk(SendFailed)] == ["connection refused"] * 2
    await engine.stop()


async def test_after_the_last_try_a_person_is_told() -> None:
    """S1-43."""
    house = House()
    engine = await house.open()
    house.venue.moods = [NotSent("refused")] * 9
    cl_ord_id = await placed(engine, buy(A, 100))
    await house.clock.forward(30)

    assert len(house.venue.placed) == 4
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.CANCELED
    assert f"never_sent:{cl_ord_id}" in [alert.key for alert in house.alerts]
    await engine.stop()


async def test_a_refusal_is_kept_in_the_brokers_own_words() -> None:
    """S0-57."""
    house = House()
    engine = await house.open()
    house.venue.moods = [Refused("-2010", "insufficient balance")]

    cl_ord_id = await placed(engine, buy(A, 100))

    rejected = only(house.on_disk(OrderRejected))
    assert (rejected.cl_ord_id, rejected.code, rejected.text) == (cl_ord_id, "-2010", "insufficient balance")
    await house.clock.forward(60)
    assert len(house.venue.placed) == 1
    await engine.stop()


async def test_a_refused_repeat_says_that_the_broker_has_the_order() -> None:
    """FIX F.1.a: a venue that knows the id refuses the second order; the first one stands."""
    house = House()
    engine = await house.open()
    house.venue.moods = [Refused("-2010", "duplicate order sent", of_repeat=True)]

    cl_ord_id = await placed(engine, buy(A, 100))

    assert house.on_disk(OrderRejected) == []
    assert only(house.on_disk(OrderHeard)).cl_ord_id == cl_ord_id
    await house.clock.forward(60)
    assert (len(house.venue.placed), order_of(engine, cl_ord_id).is_done) == (1, False)
    await engine.stop()


@pytest.mark.parametrize("mood", [lost(), TimeoutError()])
async def test_an_order_of_unknown_fate_is_never_sent_again(mood: Exception) -> None:
    """D3, D7, invariant 6: also when the adapter's own socket timed out."""
    house = House()
    engine = await house.open()
    house.venue.moods = [(mood,)]

    cl_ord_id = await placed(engine, buy(A, 100))
    assert only(house.on_disk(FateLost)).cl_ord_id == cl_ord_id
    await house.clock.forward(5)

    assert house.venue.placed == [cl_ord_id]
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.NEW
    assert len(house.on_disk(OrderAcknowledged)) == 1
    await engine.stop()


async def test_an_order_is_not_handed_over_again_while_its_last_attempt_has_not_come_back() -> None:
    """F2, F61, invariant 6: the wire still holds the first attempt when a clock that jumped has let its absence be proven."""
    house = House()
    engine = await house.open()
    slow = asyncio.Event()
    house.venue.moods = [slow]
    cl_ord_id = await placed(engine, buy(A, 100))
    await house.clock.forward(40)
    assert house.venue.placed == [cl_ord_id]
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.UNKNOWN

    slow.set()
    await settle()

    assert house.venue.placed == [cl_ord_id]
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.NEW
    await engine.stop()


async def test_an_order_of_unknown_fate_that_never_arrived_goes_again_only_after_proof() -> None:
    """Reference 3.3."""
    house = House()
    engine = await house.open()
    house.venue.moods = [lost()]
    cl_ord_id = await placed(engine, buy(A, 100))
    await house.clock.forward(2)
    assert house.venue.placed == [cl_ord_id]

    await house.clock.forward(20)

    assert house.venue.placed == [cl_ord_id] * 2
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.NEW
    assert list(house.venue.orders) == [cl_ord_id]
    await engine.stop()


async def test_an_adapter_that_does_not_return_leaves_the_fate_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """F9: silence is not a rejection."""
    monkeypatch.setattr(dispatching, "PLACE_TIMEOUT_S", 0.01)
    house = House()
    engine = await house.open()
    house.venue.moods = ["hang"]
    reply = engine.ask(buy(A, 100))
    await reply
    await asyncio.sleep(0.05)
    await settle()

    assert only(house.on_disk(FateLost)).text == "no return from the wire in 0.01 s"
    await engine.stop()


async def test_a_broker_that_never_answers_leaves_the_fate_unknown() -> None:
    """F18: the message was taken and nothing came back."""
    house = House()
    engine = await house.open()
    house.venue.silent = True
    await placed(engine, buy(A, 100))
    await house.clock.forward(4.9)
    assert not house.on_disk(FateLost)

    await house.clock.forward(0.1)

    assert only(house.on_disk(FateLost)).text == "no answer within 5 s"
    await engine.stop()


async def test_an_order_whose_time_to_leave_has_passed_is_not_sent() -> None:
    """F46, F56: the commit took longer than the decision keeps."""
    house = House()
    engine = await house.open()
    house.journal.gate.clear()
    reply = asyncio.ensure_future(engine.ask(buy(A, 100)))
    await settle()
    await house.clock.forward(5)
    house.journal.gate.set()
    await reply
    await settle()

    assert house.venue.placed == []
    assert only(house.on_disk(SendFailed)).text == "its time to leave had passed"
    await house.clock.forward(1)
    assert len(house.venue.placed) == 1
    await engine.stop()


async def test_orders_go_side_by_side() -> None:
    """S0-7, S0-49: a slow one does not hold the others."""
    house = House()
    engine = await house.open()
    house.venue.moods = ["hang"]
    replies = await asyncio.gather(*(engine.ask(buy(symbol, 100)) for symbol in (A, B, B, B)))
    await settle()

    assert len(replies) == len(house.venue.placed) == 4
    assert len(house.venue.orders) == 3
    await house.kill(engine)


async def test_an_adapter_that_breaks_its_contract_ends_the_engine() -> None:
    """F51: what an unforeseen error means for the order nobody knows."""
    house = House()
    engine = await house.open()
    house.venue.moods = [ZeroDivisionError("bug")]
    await placed(engine, buy(A, 100))

    with pytest.raises(ZeroDivisionError):
        await engine.wait()
    with pytest.raises(ZeroDivisionError):
        await engine.stop()


# --- cancels


async def test_a_cancel_goes_to_the_broker_and_its_answer_comes_back() -> None:
    """S1-51."""
    house = House()
    engine = await house.open()
    cl_ord_id = await placed(engine, buy(A, 100))
    await engine.ask(CancelOrder(cl_ord_id, "ann"))
    await settle()
    assert house.venue.canceled == [cl_ord_id]
    assert only(house.on_disk(OrderCanceled)).by_us
    await engine.stop()


@pytest.mark.parametrize(
    ("mood", "code"), [(Refused("E9", "too late"), "E9"), (lost(), "not_delivered"), (NotSent("refused"), "not_delivered")]
)
async def test_a_cancel_that_failed_leaves_the_order_as_it_stood(mood: Exception, code: str) -> None:
    """Invariant 18."""
    house = House()
    engine = await house.open()
    cl_ord_id = await placed(engine, buy(A, 100))
    house.venue.moods = [mood]
    await engine.ask(CancelOrder(cl_ord_id, "ann"))
    await settle()

    assert only(house.on_disk(CancelRejected)).code == code
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.NEW
    await engine.ask(CancelOrder(cl_ord_id, "ann"))
    await settle()
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.CANCELED
    await engine.stop()


async def test_a_cancel_for_a_broker_that_is_not_configured_any_more_does_not_end_the_engine() -> None:
    house = House()
    came: list[object] = []
    dispatch = Dispatch({}, house.clock, came.append, lambda timer: None, house.alerts.append)
    dispatch.act([SendCancel("gone", AccountID("x"), ClOrdID("c1"), None, Symbol(A))])
    await settle()

    outcome = only(came)
    assert isinstance(outcome, CancelOutcome)
    assert outcome.text == "no broker named gone is configured"
    assert not dispatch.failed.done()
    dispatch.failed.cancel()


async def test_a_cancel_does_not_overtake_the_order_it_is_about() -> None:
    """S1-51: refused as unknown, the cancel would be gone and the order would work."""
    house = House()
    engine = await house.open()
    wire = asyncio.Event()
    house.venue.moods = [wire]
    cl_ord_id = await placed(engine, buy(A, 100))
    await engine.ask(CancelOrder(cl_ord_id, "ann"))
    await settle()
    assert house.venue.canceled == []

    wire.set()
    await settle()

    assert house.venue.canceled == [cl_ord_id]
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.CANCELED
    await engine.stop()


# --- the end


async def test_an_order_decided_while_the_engine_stops_is_kept_and_not_sent() -> None:
    """F51: neither on the wire without anybody who listens, nor lost."""
    house = House()
    engine = await house.open()
    house.journal.gate.clear()
    reply = asyncio.ensure_future(engine.ask(buy(A, 100)))
    await settle()
    stopping = asyncio.ensure_future(engine.stop())
    await settle()
    house.journal.gate.set()
    await asyncio.gather(reply, stopping)

    assert house.venue.placed == []
    assert only(house.on_disk(SendFailed)).text == "the engine was stopping"

    again = await house.open()
    await house.clock.forward(1)
    await settle()
    assert house.venue.placed == [only(house.on_disk(OrderStaged)).cl_ord_id]
    await again.stop()


async def test_stopping_waits_for_what_is_on_the_wire() -> None:
    """An order that was about to be acknowledged is not left in doubt."""
    house = House()
    engine = await house.open()
    wire = asyncio.Event()
    house.venue.moods = [wire]
    cl_ord_id = await placed(engine, buy(A, 100))
    stopping = asyncio.ensure_future(engine.stop())
    await settle()
    assert not stopping.done()

    wire.set()
    await stopping

    assert only(house.on_disk(OrderAcknowledged)).cl_ord_id == cl_ord_id
    assert not house.on_disk(FateLost)


async def test_an_order_asked_for_while_a_long_stop_waits_for_the_wire_is_not_tried_to_death() -> None:
    """S1-43: the tries are for a broker that refuses the connection, not for an engine that sends no more."""
    house = House()
    engine = await house.open()
    wire = asyncio.Event()
    house.venue.moods = [wire]
    await placed(engine, buy(A, 100))
    stopping = asyncio.ensure_future(engine.stop())
    await settle()
    second = await placed(engine, buy(B, 100))
    await house.clock.forward(30)
    assert order_of(engine, second).ord_status is OrdStatus.STAGED

    wire.set()
    await stopping

    assert order_of(engine, second).ord_status is OrdStatus.STAGED
