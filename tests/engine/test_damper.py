"""Repeats of one alert are a count, a first one is never delayed, and a channel that fails stops nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal

import pytest
from tests.engine.made import A, B, House, ManualClock, lost, order_of, placed, settle
from typing_extensions import override

from tradeloop.core.effects import RaiseAlert
from tradeloop.core.types import OrdStatus, Px
from tradeloop.engine import damper as damping
from tradeloop.engine.damper import Damper
from tradeloop.testing.builders import a_quote, buy


class Channel:
    """Takes alerts, or raises while it is broken."""

    def __init__(self) -> None:
        self.told: list[RaiseAlert] = []
        self.broken: Exception | None = None

    def __call__(self, alert: RaiseAlert) -> None:
        if self.broken is not None:
            raise self.broken
        self.told.append(alert)


@asynccontextmanager
async def running(channel: Channel) -> AsyncIterator[tuple[Damper, ManualClock]]:
    clock = ManualClock()
    damper = Damper(channel, clock)
    task = asyncio.ensure_future(damper.run())
    try:
        yield damper, clock
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def critical(text: str, key: str = "unknown:1") -> RaiseAlert:
    return RaiseAlert("CRITICAL", key, text)


# --- repeats


async def test_repeats_within_the_interval_are_one_alert_and_a_count() -> None:
    """Invariant 41."""
    channel = Channel()
    async with running(channel) as (damper, clock):
        for n in range(1_000):
            damper(critical(f"lost for {n} s"))
        await settle()
        assert [alert.text for alert in channel.told] == ["lost for 0 s"]
        await clock.forward(59)
        assert len(channel.told) == 1
        await clock.forward(1)
        assert [alert.text for alert in channel.told[1:]] == ["lost for 999 s (again 999 times within 60 s)"]
        assert {(alert.level, alert.key) for alert in channel.told} == {("CRITICAL", "unknown:1")}


async def test_the_first_alert_of_a_key_is_never_delayed_whatever_came_before() -> None:
    """Invariant 41: a key that changes is new, and so is a level."""
    channel = Channel()
    async with running(channel) as (damper, _):
        damper(RaiseAlert("WARNING", "unknown:1", "lost"))
        damper(critical("still lost"))
        damper(critical("another", "unknown:2"))
        await settle()
        assert [alert.text for alert in channel.told] == ["lost", "still lost", "another"]


async def test_a_trouble_that_goes_on_is_told_ever_more_rarely_and_never_forgotten() -> None:
    channel = Channel()
    async with running(channel) as (damper, clock):
        for _ in range(24 * 60 * 2):
            damper(critical("lost"))
            await clock.forward(30)
        assert 24 < len(channel.told) < 40
        assert channel.told[-1].text == "lost (again 120 times within 3600 s)"


async def test_a_trouble_that_was_quiet_for_an_interval_is_new_again() -> None:
    channel = Channel()
    async with running(channel) as (damper, clock):
        damper(critical("lost"))
        await clock.forward(61)
        damper(critical("lost again"))
        await settle()
        assert [alert.text for alert in channel.told] == ["lost", "lost again"]


async def test_what_was_counted_is_told_when_the_engine_ends() -> None:
    channel = Channel()
    async with running(channel) as (damper, _):
        damper(critical("lost"))
        damper(critical("lost for long"))
        damper.flush()
        await settle()
        assert [alert.text for alert in channel.told] == ["lost", "lost for long (again once within 60 s)"]


async def test_memory_of_troubles_is_bounded_and_none_is_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damping, "KEYS_MAX", 3)
    channel = Channel()
    async with running(channel) as (damper, _):
        damper(critical("a", "0"))
        damper(critical("a", "0"))
        for n in range(1, 5):
            damper(critical("a", str(n)))
        await settle()
        assert len(damper._known) == 3
        assert [alert.key for alert in channel.told] == ["0", "1", "2", "0", "3", "4"]


# --- a channel that fails


async def test_a_channel_that_raises_gets_the_alert_again_and_in_order(recorded_trouble: list[str]) -> None:
    """Invariant 41: also when the e-mail is down."""
    channel = Channel()
    async with running(channel) as (damper, clock):
        channel.broken = OSError("no route to host")
        damper(critical("first", "1"))
        damper(critical("second", "2"))
        await clock.forward(20)
        assert channel.told == []
        channel.broken = None
        await clock.forward(10)
        assert [alert.text for alert in channel.told] == ["first", "second"]
    assert recorded_trouble == ["no route to host"] * 3


async def test_alerts_that_a_dead_channel_loses_are_counted(
    monkeypatch: pytest.MonkeyPatch, recorded_trouble: list[str]
) -> None:
    monkeypatch.setattr(damping, "UNTOLD_MAX", 2)
    channel = Channel()
    async with running(channel) as (damper, clock):
        channel.broken = OSError("no route to host")
        for n in range(5):
            damper(critical(f"trouble {n}", str(n)))
            await settle()
        channel.broken = None
        await clock.forward(10)
        assert [alert.text for alert in channel.told] == ["3 alerts before this one were lost; trouble 3", "trouble 4"]
    assert recorded_trouble


@pytest.fixture
async def recorded_trouble() -> AsyncIterator[list[str]]:
    """What asyncio's exception handler was told: by default it writes it to standard error."""
    loop, told = asyncio.get_running_loop(), list[str]()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: told.append(str(context["exception"])))
    yield told
    loop.set_exception_handler(before)


# --- in the engine


async def test_a_thousand_bad_quotes_of_a_symbol_are_one_alert() -> None:
    house = House()
    engine = await house.open()
    for n in range(1_000):
        engine.quote(a_quote(A, bid=Px(Decimal("NaN")), at=house.clock.now() + n))
    await settle()
    assert [alert.level for alert in house.alerts] == ["CRITICAL"]

    await house.clock.forward(60)

    assert [alert.key for alert in house.alerts] == [house.alerts[0].key] * 2
    assert house.alerts[-1].text.endswith("(again 999 times within 60 s)")
    await engine.stop()


async def test_an_order_of_unknown_fate_alerts_once_when_its_limit_has_passed_and_not_at_every_probe() -> None:
    """Invariant 41."""
    house = House()
    engine = await house.open()
    house.venue.moods = [lost()]
    house.venue.unreadable = 10_000
    cl_ord_id = await placed(engine, buy(A, 100))
    await house.clock.forward(40)
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.UNKNOWN

    about_it = [alert.level for alert in house.alerts if alert.key == f"unknown:{cl_ord_id}"]

    assert about_it == ["WARNING", "CRITICAL"]
    await engine.stop()


async def test_an_alert_channel_that_raises_stops_no_order(recorded_trouble: list[str]) -> None:
    """You can stop it, and trade, with the alert channel down."""

    class Dead(list[RaiseAlert]):
        @override
        def append(self, _: RaiseAlert) -> None:
            raise RuntimeError("bug in the channel")

    house = House()
    house.alerts = Dead()
    engine = house.engine()
    await house.open(engine)
    house.venue.moods = [lost()]
    first = await placed(engine, buy(A, 100))
    second = await placed(engine, buy(B, 100))
    assert house.venue.placed == [first, second]
    assert recorded_trouble
    await engine.stop()
