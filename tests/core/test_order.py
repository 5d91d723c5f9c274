"""Where an order stands follows from its facts, by one precedence; what it may still trade follows from its fills."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tradeloop.core.order import Order
from tradeloop.core.types import (
    ClOrdID,
    OrdStatus,
    OrdType,
    PositionEffect,
    Qty,
    Side,
    Symbol,
    TimeInForce,
    UtcNs,
)
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY

T = UtcNs(1)
FACTS: list[tuple[OrdStatus, dict[str, Any]]] = [
    (OrdStatus.PENDING_CANCEL, {"cancel_requested_at": T}),
    (OrdStatus.FILLED, {"cum_qty": Qty(Decimal(100))}),
    (OrdStatus.CANCELED, {"canceled_at": T}),
    (OrdStatus.EXPIRED, {"expired_at": T}),
    (OrdStatus.PARTIALLY_FILLED, {"cum_qty": Qty(Decimal(40))}),
    (OrdStatus.REJECTED, {"rejected_at": T}),
    (OrdStatus.UNKNOWN, {"unknown_at": T}),
    (OrdStatus.NEW, {"acked_at": T}),
    (OrdStatus.PENDING_NEW, {"send_begun_at": T}),
    (OrdStatus.STAGED, {}),
]
"""Highest precedence first, as DESIGN lists them, each with the fact that makes it."""


def an_order(**facts: Any) -> Order:
    order = Order(
        cl_ord_id=ClOrdID("o1"),
        broker=BROKER,
        account=ACCOUNT,
        symbol=Symbol("600519.SH"),
        side=Side.BUY,
        order_qty=Qty(Decimal(100)),
        ord_type=OrdType.MARKET,
        price=None,
        stop_px=None,
        tif=TimeInForce.DAY,
        position_effect=PositionEffect.AUTO,
        trading_day=DAY,
        by="tester",
        risk_version="1",
        staged_at=T,
    )
    for name, value in facts.items():
        setattr(order, name, value)
    return order


@pytest.mark.parametrize(("status", "facts"), FACTS, ids=lambda value: value.value if isinstance(value, OrdStatus) else "")
def test_one_fact_alone_gives_its_status(status: OrdStatus, facts: dict[str, Any]) -> None:
    """D6."""
    assert an_order(**facts).ord_status is status


PAIRS = [
    pytest.param(higher, {**weaker, **stronger}, id=f"{higher.value} over {lower.value}")
    for place, (higher, stronger) in enumerate(FACTS)
    for lower, weaker in FACTS[place + 1 :]
]


@pytest.mark.parametrize(("status", "facts"), PAIRS)
def test_of_two_facts_the_higher_one_names_the_status(status: OrdStatus, facts: dict[str, Any]) -> None:
    """D6: pending cancel, filled, cancelled, expired, partly filled, rejected, unknown, new, pending new, staged."""
    assert an_order(**facts).ord_status is status


@pytest.mark.parametrize("how", ["canceled_at", "expired_at", "rejected_at"])
def test_nothing_is_left_of_an_order_that_ended(how: str) -> None:
    order = an_order(cum_qty=Qty(Decimal(40)), **{how: T})
    assert (order.is_done, order.leaves_qty) == (True, Decimal(0))


def test_what_is_left_of_an_open_order_is_what_was_not_filled() -> None:
    order = an_order(cum_qty=Qty(Decimal(40)))
    assert (order.is_done, order.leaves_qty) == (False, Decimal(60))


def test_an_overfilled_order_has_nothing_left_and_not_less_than_nothing() -> None:
    assert an_order(cum_qty=Qty(Decimal(140))).leaves_qty == Decimal(0)


def test_the_average_price_of_nothing_is_unknown_and_not_zero() -> None:
    assert an_order().avg_px is None


def test_the_average_price_is_the_value_by_the_quantity() -> None:
    assert an_order(cum_qty=Qty(Decimal(40)), cum_value=Decimal(400)).avg_px == Decimal(10)


def test_a_stop_is_held_until_it_has_fired() -> None:
    stop_px = Decimal(11)
    held = [an_order().is_held, an_order(stop_px=stop_px).is_held, an_order(stop_px=stop_px, triggered_at=T).is_held]
    assert held == [False, True, False]


@pytest.mark.parametrize("facts", [{"send_begun_at": T}, {"external": True}, {"acked_at": T}])
def test_an_order_may_be_at_the_broker_once_it_was_sent_or_the_broker_spoke_of_it(facts: dict[str, Any]) -> None:
    assert an_order(**facts).may_be_at_broker
    assert not an_order().may_be_at_broker


def test_a_status_has_no_setter() -> None:
    with pytest.raises(AttributeError):
        an_order().ord_status = OrdStatus.FILLED  # type: ignore[misc]
