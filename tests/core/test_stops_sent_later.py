"""Stops whose day is another than that of their sending, and stops that end in the market unasked."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.test_another_day import MONDAY

from tradeloop.core.commands import CancelOrder, OpenTradingDay
from tradeloop.core.effects import RaiseAlert, SendOrder
from tradeloop.core.events import NotSentProven
from tradeloop.core.order import Order
from tradeloop.core.reports import CancelAck, OrderReject, SendOutcome
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, OrdStatus, OrdType, TimeInForce, TradingDay, UtcNs
from tradeloop.testing.builders import BROKER, DAY, a_quote, a_snapshot, an_instrument, sell
from tradeloop.testing.desk import Desk

HOUR = 3600 * SECOND_NS
MOUTAI = "600519.SH"


def a_gtc_stop() -> tuple[Desk, Order]:
    desk = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 1000})
    return desk, desk.order(sell(MOUTAI, 500, ord_type=OrdType.STOP, stop_px="9.50", tif=TimeInForce.GTC))


def fires(desk: Desk) -> None:
    desk.wait(1)
    desk.give(a_quote(MOUTAI, bid="9.40", ask="9.41", at=desk.now))


def over_the_weekend(desk: Desk) -> None:
    desk.wait(72 * 3600)
    desk.give(OpenTradingDay("CN_A", MONDAY, ((UtcNs(desk.now - HOUR), UtcNs(desk.now + 8 * HOUR)),)))


def looks(desk: Desk, day: TradingDay, times: int = 6) -> None:
    """Complete books of that day, in which the stop is not."""
    for _ in range(times):
        desk.wait(5)
        desk.give(a_quote(MOUTAI, bid="9.40", ask="9.41", at=desk.now))
        of: dict[str, Any] = {
            "as_of": desk.now,
            "asked_at": UtcNs(desk.now - 1),
            "executions_since": UtcNs(desk.now - 3 * HOUR),
        }
        desk.give(a_snapshot(positions={MOUTAI: 1000}, trading_day=day, **of))


@pytest.mark.parametrize("later", [False, True])
def test_what_never_arrived_is_proven_so_and_sent_again_on_whatever_day_it_fired(later: bool) -> None:
    desk, stop = a_gtc_stop()
    if later:
        over_the_weekend(desk)
    fires(desk)
    desk.give(SendOutcome(BROKER, stop.cl_ord_id, "UNKNOWN", "timeout"))
    looks(desk, MONDAY if later else DAY)
    assert len(desk.of(NotSentProven)) == 1
    assert len(desk.of(SendOrder)) == 2
    assert desk.known(stop.cl_ord_id).ord_status is OrdStatus.PENDING_NEW


def test_books_of_the_day_it_was_made_for_prove_nothing_of_one_that_was_sent_later() -> None:
    desk, stop = a_gtc_stop()
    over_the_weekend(desk)
    fires(desk)
    desk.give(SendOutcome(BROKER, stop.cl_ord_id, "UNKNOWN", "timeout"))
    for _ in range(6):
        desk.wait(5)
        desk.give(a_snapshot(positions={MOUTAI: 1000}, trading_day=DAY, as_of=desk.now, asked_at=UtcNs(desk.now - 1)))
    assert desk.known(stop.cl_ord_id).unknown_at is not None


def test_the_day_it_was_sent_on_survives_the_packing_of_the_state() -> None:
    desk, stop = a_gtc_stop()
    over_the_weekend(desk)
    fires(desk)
    desk.state = State.unpack(desk.state.pack())
    assert desk.known(stop.cl_ord_id).day_there == MONDAY


def alerts(desk: Desk, stop: Order) -> list[str]:
    return [alert.level for alert in desk.of(RaiseAlert) if alert.key == f"stop_ended:{stop.cl_ord_id}"]


def test_a_fired_stop_that_the_broker_refuses_is_told_to_a_person_at_once() -> None:
    desk, stop = a_gtc_stop()
    fires(desk)
    desk.give(OrderReject(BROKER, stop.cl_ord_id, "MARGIN", "no margin"))
    assert alerts(desk, stop) == ["CRITICAL"]


@pytest.mark.parametrize("asked", [False, True])
def test_a_fired_stop_that_ends_in_the_market_is_told_where_nobody_here_asked_for_it(asked: bool) -> None:
    desk, stop = a_gtc_stop()
    fires(desk)
    desk.ack(stop)
    if asked:
        desk.give(CancelOrder(stop.cl_ord_id, by="ann", reason="drawn"))
    desk.give(CancelAck(BROKER, stop.cl_ord_id))
    assert desk.known(stop.cl_ord_id).ord_status is OrdStatus.CANCELED
    assert alerts(desk, stop) == ([] if asked else ["CRITICAL"])
