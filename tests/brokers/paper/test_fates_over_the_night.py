"""What the paper broker's books prove to the core on a later day: a fate lost before the night needs no person."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from tests.brokers.paper.made import ManualClock

from tradeloop.brokers.paper import PaperBroker, PaperConfig
from tradeloop.brokers.paper.adapter import CAPABILITIES
from tradeloop.core.commands import OpenTradingDay
from tradeloop.core.effects import SendOrder
from tradeloop.core.events import NotSentProven
from tradeloop.core.inputs import Start
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerUp, Report, SendOutcome
from tradeloop.core.types import SECOND_NS, Amount, Currency, OrdStatus, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, NOON, a_quote, an_instrument, buy
from tradeloop.testing.desk import Desk

MONDAY = TradingDay("2026-07-20")
MOUTAI = "600519.SH"
HOUR = 3600 * SECOND_NS


def a_broker(path: Path, clock: ManualClock) -> PaperBroker:
    config = PaperConfig(
        name=BROKER, account=ACCOUNT, path=path, latency_ns=0, cash=((Currency("CNY"), Amount(Decimal(1_000_000))),)
    )
    broker = PaperBroker(config, clock)
    broker.list_instruments([an_instrument()])
    return broker


async def look(desk: Desk, broker: PaperBroker, clock: ManualClock) -> None:
    """Four seconds later, the broker's books as dispatch hands them over."""
    desk.wait(4)
    await clock.move_to(desk.now)
    desk.give(a_quote(at=desk.now), msgspec.structs.replace(await broker.snapshot(), asked_at=desk.now))


async def lost_on_friday(path: Path, *, arrived: bool) -> tuple[Desk, Order]:
    """An order whose answer never came, and perhaps the order neither; then both processes ended."""
    desk, clock = Desk(able=CAPABILITIES).opened(an_instrument()), ManualClock(UtcNs(NOON))
    broker = a_broker(path, clock)
    broker.open_day("CN_A", DAY, ((UtcNs(NOON - HOUR), UtcNs(NOON + HOUR)),))
    broker.on_quote(a_quote())
    heard: list[Report] = []
    await broker.connect(heard.append)
    desk.wait(1)
    await clock.move_to(desk.now)
    order = desk.order(buy(MOUTAI, 100))
    if arrived:
        (sent,) = desk.of(SendOrder)
        await broker.place(sent.order)
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "time-out"))
    await broker.close()
    return desk, order


async def monday(desk: Desk, path: Path) -> None:
    """Both begin anew, and the books are looked at for a while."""
    desk.wait(3 * 86_400)
    clock = ManualClock(desk.now)
    windows = ((UtcNs(desk.now - HOUR), UtcNs(desk.now + HOUR)),)
    broker = a_broker(path, clock)
    broker.open_day("CN_A", MONDAY, windows)
    heard: list[Report] = []
    await broker.connect(heard.append)
    desk.give(Start(2, "test", "t1", predecessor_dead=True), OpenTradingDay("CN_A", MONDAY, windows), BrokerUp(BROKER))
    for _ in range(6):
        await look(desk, broker, clock)
    await broker.close()


@pytest.mark.parametrize("arrived", [True, False], ids=["it had filled", "it never arrived"])
async def test_a_fate_that_was_lost_before_the_night_is_settled_after_it(tmp_path: Path, arrived: bool) -> None:
    """S0-61, promise 1: nothing lost, nothing sent twice, and nobody has to be asked."""
    desk, order = await lost_on_friday(tmp_path / "paper.db", arrived=arrived)
    await monday(desk, tmp_path / "paper.db")

    known = desk.known(order.cl_ord_id)
    assert known.ord_status is (OrdStatus.FILLED if arrived else OrdStatus.EXPIRED)
    assert arrived or known.text == f"a DAY order of {DAY}, never sent"
    assert len(desk.of(NotSentProven)) == (0 if arrived else 1)
    assert len(desk.of(SendOrder)) == 1
    assert not desk.state.breaks
