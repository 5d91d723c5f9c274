"""What leaves is what was decided: whatever else would reach the wire is kept here, and trading is halted."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest
from tests.engine.made import A, B, House, settle

from tradeloop.core.commands import ReplaceOrder
from tradeloop.core.effects import Effect, SendOrder, SendReplace
from tradeloop.core.errors import NotSent
from tradeloop.core.events import Halted, SendFailed
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply
from tradeloop.core.risk.approved import Approved
from tradeloop.core.types import ClOrdID, OrdType, Px, Qty, Side
from tradeloop.engine.engine import Engine
from tradeloop.ports.broker import Broker
from tradeloop.testing.builders import buy

Change = Callable[[Order], Order]


async def opened() -> tuple[House, Engine]:
    """A desk that trades, for once with dispatch in the hands of the test."""
    house = House()
    return house, await house.open()


async def ordered(engine: Engine, qty: int = 100) -> ClOrdID:
    """A limit buy, on its way."""
    reply = await engine.ask(buy(A, qty, ord_type=OrdType.LIMIT, price="9.50"))
    assert isinstance(reply, OrderReply)
    await settle()
    return reply.cl_ord_id


def tampered(engine: Engine, change: Change, times: int = 1) -> None:
    """Somebody between the decision and the wire changes orders, or hands them over more than once."""
    dispatch = engine._dispatch
    assert dispatch is not None
    hand_over = dispatch._hand_over

    async def tamper(broker: Broker, order: Order, effect: SendOrder) -> None:
        other = Approved(order=change(order), risk_version=effect.order.risk_version)
        for _ in range(times):
            await hand_over(broker, other.order, msgspec.structs.replace(effect, order=other))

    dispatch._hand_over = tamper  # type: ignore[method-assign]


def larger(order: Order) -> Order:
    return msgspec.structs.replace(order, order_qty=Qty(order.order_qty * 10))


def the_other_side(order: Order) -> Order:
    return msgspec.structs.replace(order, side=Side.SELL)


def another_symbol(order: Order) -> Order:
    return msgspec.structs.replace(order, symbol=B)


def another_price(order: Order) -> Order:
    return msgspec.structs.replace(order, price=Px(Decimal("95.0")))


def another_type(order: Order) -> Order:
    return msgspec.structs.replace(order, ord_type=OrdType.MARKET, price=None)


@pytest.mark.parametrize("change", [larger, the_other_side, another_symbol, another_price, another_type])
async def test_an_order_that_is_not_what_was_decided_never_leaves_and_halts_the_desk(change: Change) -> None:
    house, engine = await opened()
    tampered(engine, change)
    await ordered(engine)
    assert house.venue.placed == []
    assert "is about to leave as" in house.on_disk(SendFailed)[0].text
    (halted,) = house.on_disk(Halted)
    assert (halted.by, halted.tier.value, halted.scope.value) == ("comparator", "HALT", "global")
    assert any(alert.key == "comparator" and alert.level == "CRITICAL" for alert in house.alerts)
    await engine.stop()


async def test_an_order_that_nobody_decided_never_leaves() -> None:
    house, engine = await opened()
    tampered(engine, lambda order: msgspec.structs.replace(order, cl_ord_id=ClOrdID("t10000000000000999")))
    await ordered(engine)
    assert house.venue.placed == []
    assert "nobody decided it" in house.on_disk(Halted)[0].reason
    await engine.stop()


async def test_an_order_that_comes_to_the_wire_once_more_stays_here() -> None:
    house, engine = await opened()
    tampered(engine, lambda order: order, times=2)
    cl_ord_id = await ordered(engine)
    assert house.venue.placed == [cl_ord_id]
    assert len(house.on_disk(Halted)) == 1
    await engine.stop()


async def test_an_order_that_surely_did_not_leave_goes_again_without_an_objection() -> None:
    house, engine = await opened()
    house.venue.moods.append(NotSent("the line is busy"))
    cl_ord_id = await ordered(engine)
    await house.clock.forward(2)
    await settle()
    assert house.venue.placed == [cl_ord_id, cl_ord_id]
    assert house.on_disk(Halted) == []
    await engine.stop()


async def test_changes_leave_once_each_and_none_larger_than_asked_for() -> None:
    house, engine = await opened()
    cl_ord_id = await ordered(engine)
    dispatch = engine._dispatch
    assert dispatch is not None
    acted: list[Effect] = []
    act = dispatch.act
    dispatch.act = lambda effects: (acted.extend(effects), act(effects))[1]  # type: ignore[method-assign, func-returns-value]
    engine._writer._act = dispatch.act  # type: ignore[union-attr]
    await engine.ask(ReplaceOrder(cl_ord_id, "ann", order_qty=Qty(Decimal(200))))
    await settle()
    assert [number for _, number in house.venue.replaced] == [1]
    (sent,) = [effect for effect in acted if isinstance(effect, SendReplace)]
    act([sent])
    await settle()
    assert [number for _, number in house.venue.replaced] == [1]
    assert [halted.by for halted in house.on_disk(Halted)] == ["comparator"]
    await engine.stop()
