"""A trading day of the paper broker lasts until the feed has delivered its quotes, however fast the clock runs."""

from __future__ import annotations

import asyncio

from tests.brokers.paper.made import DAY, MAOTAI, WINDOWS, ManualClock, Session, approved, ashare, at, bar, turns

from tradeloop.brokers.paper import PaperBroker, PaperConfig
from tradeloop.core.reports import Quote
from tradeloop.core.types import SECOND_NS, Amount, Currency, Symbol, UtcNs, exact
from tradeloop.feeds.replay import ReplayFeed

NAMES = tuple(Symbol(f"6005{number:02d}.SH") for number in range(20))
CLOSE = 10_800
RICH = PaperConfig(cash=((Currency("CNY"), Amount(exact(10_000_000, "cash"))),), latency_ns=0)


class FastClock(ManualClock):
    """The clock of a fast replay on a slow machine: it runs on while something is being done."""

    def run_on(self, seconds: int) -> None:
        self._now = UtcNs(self._now + seconds * SECOND_NS)


def made_up_bars() -> list[Quote]:
    """Each name's open and, all at the same moment, each name's close."""
    opens = [bar(0, "10.00", 0, symbol=name, prev_close="10.00") for name in NAMES]
    return opens + [bar(CLOSE, "10.10", 100_000, symbol=name, prev_close="10.00") for name in NAMES]


async def opened(broker: PaperBroker, clock: ManualClock) -> Session:
    session = Session(broker, clock)
    broker.list_instruments([ashare(name) for name in (*NAMES, MAOTAI)])
    broker.open_day("cn", DAY, WINDOWS)
    await broker.connect(session.reports.append)
    return session


async def test_every_order_meets_its_closing_bar_however_far_the_clock_has_run_past_the_bell() -> None:
    """What fills does not depend on the speed of a replay."""
    clock = FastClock()
    feed = ReplayFeed([lambda: iter(made_up_bars())], clock)
    broker = PaperBroker(RICH, clock, undelivered_at=lambda: feed.undelivered_at)
    session = await opened(broker, clock)

    def hand_over(quote: Quote) -> None:
        if quote.volume:
            clock.run_on(60)
        broker.on_quote(quote)

    playing = asyncio.create_task(feed.run(NAMES, hand_over))
    await clock.move_to(at(1))
    for number, name in enumerate(NAMES):
        await broker.place(approved(f"c{number}", symbol=name))
    await clock.move_to(at(CLOSE))
    await playing
    assert clock.now() == at(CLOSE + 20 * 60)
    assert [fill.symbol for fill in session.executions()] == list(NAMES)
    assert "OrderExpire" not in session.words()
    await broker.close()


async def test_a_day_order_expires_by_the_clock_once_the_feed_has_ended() -> None:
    clock = ManualClock()
    owed: list[UtcNs | None] = [at(CLOSE)]
    broker = PaperBroker(RICH, clock, undelivered_at=lambda: owed[-1])
    session = await opened(broker, clock)
    broker.on_quote(bar(0, "10.00", 0, symbol=MAOTAI, prev_close="10.00"))
    await broker.place(approved("low", price="9.50", symbol=MAOTAI))
    await clock.move_to(at(CLOSE + 600))
    assert session.words() == ["BrokerUp", "OrderAck"], "the bar of the close has yet to come"
    owed.append(None)
    await clock.move_to(at(CLOSE + 610))
    await turns()
    assert session.words() == ["BrokerUp", "OrderAck", "OrderExpire"]
    await broker.close()


async def test_a_day_order_expires_when_the_next_quote_is_of_another_day() -> None:
    """No quote has to come for it: the day ends by itself."""
    clock = ManualClock()
    broker = PaperBroker(RICH, clock, undelivered_at=lambda: at(86_400))
    session = await opened(broker, clock)
    broker.on_quote(bar(0, "10.00", 0, symbol=MAOTAI, prev_close="10.00"))
    await broker.place(approved("low", price="9.50", symbol=MAOTAI))
    await clock.move_to(at(CLOSE + 5))
    assert session.words() == ["BrokerUp", "OrderAck"]
    await clock.move_to(at(CLOSE + 6))
    assert session.words() == ["BrokerUp", "OrderAck", "OrderExpire"]
    await broker.close()
