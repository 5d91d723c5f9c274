"""Feeds deliver in the order of time, on the clock, always the same way."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from tests.feeds.made import JumpingClock, ns, written

from tradeloop.bootstrap.desk import market_time
from tradeloop.core.errors import BadInput
from tradeloop.core.reports import Quote
from tradeloop.core.types import SECOND_NS, Px, Symbol, UtcNs
from tradeloop.feeds.latest import LatestQuotes, StaleQuote
from tradeloop.feeds.quotes import read_quotes
from tradeloop.feeds.replay import ReplayFeed
from tradeloop.feeds.synthetic import SyntheticFeed, Walk
from tradeloop.ports.feed import Feed

A, B = Symbol("A"), Symbol("B")
HEADER = "ts,symbol,bid,ask"


def two_files(tmp_path: Path) -> list[Path]:
    return [
        written(tmp_path / "a.csv", HEADER, "2026-07-17T09:30:00Z,A,1,2", "2026-07-17T09:30:02Z,A,3,4"),
        written(tmp_path / "b.csv", HEADER, "2026-07-17T09:30:00Z,B,5,6", "2026-07-17T09:30:01Z,B,7,8"),
    ]


async def test_files_are_merged_by_time_and_played_on_the_clock(tmp_path: Path) -> None:
    clock = JumpingClock()
    feed: Feed = ReplayFeed([partial(read_quotes, file) for file in two_files(tmp_path)], clock)
    heard: list[tuple[UtcNs, Quote]] = []
    await feed.run([A, B], lambda quote: heard.append((clock.now(), quote)))
    assert [quote.bid for _, quote in heard] == [1, 5, 7, 3]
    assert all(now == quote.at for now, quote in heard)
    assert len(clock.reached) == 3, "quotes of the same moment share one wait"


async def test_only_the_symbols_asked_for_are_played_and_a_replay_can_be_played_again(tmp_path: Path) -> None:
    feed = ReplayFeed([partial(read_quotes, file) for file in two_files(tmp_path)], JumpingClock())
    for _ in range(2):
        heard: list[Quote] = []
        await feed.run([B], heard.append)
        assert [quote.bid for quote in heard] == [5, 7]


async def test_a_recording_knows_when_it_begins(tmp_path: Path) -> None:
    feed = ReplayFeed([partial(read_quotes, file) for file in two_files(tmp_path)], JumpingClock())
    assert feed.first_at() == ns("2026-07-17T09:30:00+00:00")
    assert ReplayFeed([], JumpingClock()).first_at() is None


async def test_a_late_replay_leaves_turns_to_others(tmp_path: Path) -> None:
    clock = JumpingClock(ns("2026-07-18T00:00:00+00:00"))
    feed = ReplayFeed([partial(read_quotes, file) for file in two_files(tmp_path)], clock)
    order: list[str] = []

    async def other() -> None:
        order.append("other")

    task = asyncio.create_task(other())
    await feed.run([A, B], lambda quote: order.append(quote.symbol))
    await task
    assert order[0] == "other"


async def test_a_replay_can_be_cancelled(tmp_path: Path) -> None:
    feed = ReplayFeed([partial(read_quotes, file) for file in two_files(tmp_path)], JumpingClock())
    heard: list[Quote] = []
    task = asyncio.create_task(feed.run([A, B], heard.append))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert heard == []


WALKS = {A: Walk(start=Px(Decimal("10.00"))), B: Walk(start=Px(Decimal("0.02")), spread=3)}


async def synthetic(seed: int, symbols: list[Symbol]) -> list[Quote]:
    heard: list[Quote] = []
    await SyntheticFeed(WALKS, JumpingClock(), seed=seed, count=200).run(symbols, heard.append)
    return heard


async def test_a_seed_gives_the_same_walk_and_another_seed_gives_another() -> None:
    assert await synthetic(1, [A, B]) == await synthetic(1, [A, B])
    assert await synthetic(1, [A]) != await synthetic(2, [A])


async def test_a_walk_does_not_depend_on_the_others() -> None:
    together = [quote for quote in await synthetic(1, [A, B]) if quote.symbol == A]
    assert together == await synthetic(1, [A])


async def test_a_walk_stays_on_the_tick_above_zero_with_its_spread() -> None:
    for quote in await synthetic(3, [B]):
        assert quote.bid is not None
        assert quote.ask is not None
        assert quote.bid >= Decimal("0.01")
        assert quote.ask - quote.bid == Decimal("0.03")
        assert quote.bid % Decimal("0.01") == 0


async def test_synthetic_quotes_come_one_interval_apart() -> None:
    assert [quote.at for quote in (await synthetic(1, [A]))[:3]] == [SECOND_NS, 2 * SECOND_NS, 3 * SECOND_NS]


async def test_a_symbol_without_a_walk_is_refused() -> None:
    with pytest.raises(BadInput, match="symbol was C; expected one of A, B"):
        await synthetic(1, [Symbol("C")])


def test_a_walk_that_cannot_step_is_refused() -> None:
    with pytest.raises(BadInput, match="start >= tick"):
        Walk(start=Px(Decimal("0.001")))
    with pytest.raises(BadInput, match="spread of at least 1"):
        Walk(start=Px(Decimal(1)), spread=0)


def test_the_latest_quote_has_an_age_and_a_stale_one_is_an_error() -> None:
    """S0: a stale number looks stale."""
    latest = LatestQuotes()
    latest.on_quote(Quote(A, UtcNs(10 * SECOND_NS), last=Px(Decimal(5))))
    assert latest.age_ns(A, UtcNs(12 * SECOND_NS)) == 2 * SECOND_NS
    assert latest.fresh(A, UtcNs(12 * SECOND_NS), 2 * SECOND_NS).last == 5
    with pytest.raises(StaleQuote, match=r"quote of A was 2\.500 s old; expected at most 2 s"):
        latest.fresh(A, UtcNs(12 * SECOND_NS + 500_000_000), 2 * SECOND_NS)
    with pytest.raises(StaleQuote, match="B has no quote"):
        latest.fresh(B, UtcNs(0), SECOND_NS)
    assert latest.get(B) is None
    assert latest.age_ns(B, UtcNs(0)) is None


def test_an_older_quote_does_not_replace_a_newer_one() -> None:
    latest = LatestQuotes()
    for at in (5, 3):
        latest.on_quote(Quote(A, UtcNs(at)))
    newest = latest.get(A)
    assert newest is not None
    assert newest.at == 5


async def test_a_replay_knows_what_it_has_yet_to_deliver(tmp_path: Path) -> None:
    """Who ends something by the clock can wait for the quotes of that time."""
    feed = ReplayFeed([partial(read_quotes, file) for file in two_files(tmp_path)], JumpingClock())
    owed: list[UtcNs | None] = []
    await feed.run([A, B], lambda quote: owed.append(feed.undelivered_at))
    seconds = [None if each is None else each - ns("2026-07-17T09:30:00+00:00") for each in owed]
    assert seconds == [0, 0, SECOND_NS, 2 * SECOND_NS]
    assert feed.undelivered_at is None, "a replay that has ended owes nothing"


async def test_a_made_up_feed_knows_what_it_has_yet_to_deliver() -> None:
    feed = SyntheticFeed({A: Walk(start=Px(Decimal(10)))}, JumpingClock(), seed=1, count=2)
    owed: list[UtcNs | None] = []
    await feed.run([A], lambda quote: owed.append(feed.undelivered_at))
    assert owed == [SECOND_NS, 2 * SECOND_NS]
    assert feed.undelivered_at is None


async def test_the_market_has_come_no_further_than_the_quotes_of_a_feed_that_plays_late(tmp_path: Path) -> None:
    """A next day opened by the clock alone would end orders before the closing quotes could fill them."""
    clock = JumpingClock()
    feed = ReplayFeed([partial(read_quotes, file) for file in two_files(tmp_path)], clock)
    late = UtcNs(ns("2026-07-18T01:00:00Z"))
    assert market_time(late, feed) == late  # it has not begun
    seen: list[UtcNs] = []
    await feed.run([A, B], lambda quote: seen.append(market_time(late, feed)))
    assert seen == [ns(f"2026-07-17T09:30:0{second}Z") for second in (0, 0, 1, 2)]
    assert market_time(late, feed) == late  # it has ended
    assert market_time(late, None) == late


async def test_the_market_is_not_ahead_of_the_clock_because_a_quote_is_to_come() -> None:
    walk = Walk(start=Px(Decimal(10)), tick=Decimal("0.01"), lot=Decimal(100))
    clock = JumpingClock()
    feed = SyntheticFeed({A: walk}, clock, seed=1, interval_ns=SECOND_NS, count=2)
    before = clock.now()
    seen: list[UtcNs] = []
    await feed.run([A], lambda quote: seen.append(market_time(before, feed)))
    assert set(seen) == {before}
