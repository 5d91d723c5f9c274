"""How far back a look at the paper broker's books reaches, and that it says so truly: proofs of absence rest on it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from tests.brokers.paper.made import DAY, MAOTAI, NEXT_DAY, ManualClock, Session, approved, ashare, at, quote

from tradeloop.brokers.paper import PaperBroker, PaperConfig, books
from tradeloop.core.reports import BrokerSnapshot
from tradeloop.core.types import Amount, Currency, OrdStatus, Symbol, TradingDay, UtcNs

DAY_S = 86_400
TUESDAY = TradingDay("2026-07-21")
NEW_YORK = Symbol("600000.NY")


def windows(day: int) -> tuple[tuple[UtcNs, UtcNs], ...]:
    """Trading hours `day` days after T0."""
    return ((at(day * DAY_S), at(day * DAY_S + 3600)),)


async def opened(path: Path | None, clock: ManualClock) -> Session:
    config = PaperConfig(path=path, latency_ns=0, cash=((Currency("CNY"), Amount(Decimal(1_000_000))),))
    session = Session(PaperBroker(config, clock), clock)
    session.broker.list_instruments([ashare()])
    await session.broker.connect(session.reports.append)
    return session


async def friday(path: Path | None) -> Session:
    """One order that filled, one that works, one that was rejected."""
    session = await opened(path, ManualClock())
    session.broker.open_day("cn", DAY, windows(0))
    session.broker.on_quote(quote(0, "10.00", "10.01", symbol=MAOTAI))
    await session.broker.place(approved("filled", symbol=MAOTAI))
    await session.broker.place(approved("working", price="9.50", symbol=MAOTAI))
    await session.broker.place(approved("odd", size=7, symbol=MAOTAI))
    return session


async def on(session: Session, day: int, trading_day: TradingDay) -> BrokerSnapshot:
    await session.clock.move_to(at(day * DAY_S))
    session.broker.open_day("cn", trading_day, windows(day))
    return await session.broker.snapshot()


def ended(snapshot: BrokerSnapshot) -> list[tuple[str | None, OrdStatus]]:
    return [(o.cl_ord_id, o.ord_status) for o in snapshot.orders or ()]


FRIDAYS = [("filled", OrdStatus.FILLED), ("working", OrdStatus.EXPIRED), ("odd", OrdStatus.REJECTED)]


async def test_a_restart_on_the_next_day_shows_how_the_orders_of_the_day_before_ended(tmp_path: Path) -> None:
    """Else a fate lost before the night waits for a person, though the broker knows it."""
    await (await friday(tmp_path / "paper.db")).broker.close()
    session = await opened(tmp_path / "paper.db", ManualClock(at(3 * DAY_S)))
    snapshot = await on(session, 3, NEXT_DAY)

    assert ended(snapshot) == FRIDAYS
    assert (snapshot.orders_from, snapshot.trading_day, snapshot.orders_complete) == (DAY, NEXT_DAY, True)
    assert snapshot.executions_since == at(0)
    assert [e.cl_ord_id for e in snapshot.executions or ()] == ["filled"]
    await session.broker.close()


@pytest.mark.parametrize("stored", [True, False], ids=["in a file", "in memory"])
async def test_what_is_older_than_the_day_before_is_not_shown_and_not_claimed(tmp_path: Path, stored: bool) -> None:
    session = await friday(tmp_path / "paper.db" if stored else None)
    await on(session, 3, NEXT_DAY)
    snapshot = await on(session, 4, TUESDAY)
    assert (ended(snapshot), snapshot.orders_from) == ([], NEXT_DAY)
    assert (snapshot.executions, snapshot.executions_since) == ((), at(3 * DAY_S))
    await session.broker.close()


async def test_no_look_shows_more_closed_orders_of_past_days_than_its_bound_and_it_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Days are shown whole or not at all."""
    monkeypatch.setattr(books, "PAST_ORDERS_MAX", 2)
    session = await friday(tmp_path / "paper.db")
    snapshot = await on(session, 3, NEXT_DAY)
    assert (ended(snapshot), snapshot.orders_from) == ([], NEXT_DAY)
    monkeypatch.setattr(books, "PAST_ORDERS_MAX", 3)
    snapshot = await session.broker.snapshot()
    assert (ended(snapshot), snapshot.orders_from) == (FRIDAYS, DAY)
    await session.broker.close()


async def test_a_session_that_is_not_traded_any_more_holds_nothing_back(tmp_path: Path) -> None:
    """Else everything since its last day would be shown in every look, for ever."""
    session = await friday(tmp_path / "paper.db")
    broker, clock = session.broker, session.clock
    for day in (30, 31, 32):
        await clock.move_to(at(day * DAY_S))
        broker.open_day("ny", TradingDay(f"2026-08-{day - 14}"), windows(day))
    snapshot = await broker.snapshot()
    assert (snapshot.orders_from, snapshot.executions_since) == ("2026-08-17", at(31 * DAY_S))
    assert not snapshot.executions
    broker.open_day("cn", TradingDay("2026-08-18"), windows(32))
    snapshot = await broker.snapshot()
    assert snapshot.orders_from == "2026-08-17", "what has left memory does not come back, and is not claimed"
    await broker.close()


async def test_a_fill_of_another_session_after_the_moment_named_is_in_the_list_whatever_its_trading_day(tmp_path: Path) -> None:
    """A night session belongs to the next day: when it opens, the day before still trades elsewhere, and may fill."""
    clock = ManualClock()
    session = await opened(tmp_path / "paper.db", clock)
    broker = session.broker
    broker.list_instruments([msgspec.structs.replace(ashare(NEW_YORK), session="ny")])
    broker.open_day("ny", DAY, ((at(0), at(7200)),))
    await clock.move_to(at(60))
    broker.open_day("cn", NEXT_DAY, ((at(60), at(3600)),))
    await clock.move_to(at(120))
    broker.on_quote(quote(120, "10.00", "10.01", symbol=NEW_YORK))
    await broker.place(approved("late", symbol=NEW_YORK))
    for day in (1, 2):
        await clock.move_to(at(day * DAY_S))
        broker.open_day("ny", TradingDay(f"2026-07-{19 + day}"), windows(day))
    broker.open_day("cn", TUESDAY, windows(2))
    snapshot = await broker.snapshot()
    await broker.close()

    assert snapshot.executions_since == at(60)
    assert [e.cl_ord_id for e in snapshot.executions or ()] == ["late"]
    again = await opened(tmp_path / "paper.db", clock)
    assert (await again.broker.snapshot()).executions == snapshot.executions
    await again.broker.close()
