"""A recording that goes on with made-up quotes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.api.desks import a_counter, buy

from tradeloop.core.reports import Quote
from tradeloop.core.types import Px, Symbol, UtcNs
from tradeloop.feeds.continued import ContinuedFeed

END_NS = 1_381_244_400_000_000_000
"""2013-10-08 11:00 New York, when the demo's recording ends."""
BAC = Symbol("BAC.US")


class Played:
    """A feed that plays what it is given, to its end."""

    def __init__(self, name: str, *quotes: Quote) -> None:
        self.name = name
        self.undelivered_at: UtcNs | None = None
        self.asked: list[Symbol] = []
        self.left: list[Symbol] = []
        self._quotes = quotes

    def also(self, symbols: Iterable[Symbol]) -> None:
        """Noted."""
        self.asked += symbols

    def leave(self, symbols: Iterable[Symbol]) -> None:
        """Noted."""
        self.left += symbols

    async def run(self, symbols: Iterable[Symbol], on_quote: Callable[[Quote], None]) -> None:
        """All quotes at once."""
        self.asked += symbols
        for quote in self._quotes:
            on_quote(quote)


def at(px: str, when: int) -> Quote:
    """A trade at this price."""
    return Quote(BAC, UtcNs(when), last=Px(Decimal(px)))


async def test_what_comes_behind_a_recording_starts_from_its_last_prices() -> None:
    seen: list[Mapping[Symbol, Quote]] = []
    behind = Played("made up", at("14.05", 3))

    def then(last: Mapping[Symbol, Quote]) -> Played:
        seen.append(dict(last))
        return behind

    heard: list[Quote] = []
    feed = ContinuedFeed(Played("recorded", at("14.00", 1), at("14.04", 2)), then, {})
    feed.also([Symbol("AIG.US")])
    await feed.run([BAC], heard.append)
    assert [str(quote.last) for quote in heard] == ["14.00", "14.04", "14.05"]
    assert seen == [{BAC: at("14.04", 2)}]
    assert behind.asked == ["AIG.US", BAC]
    assert feed.name == "made up"


async def test_a_desk_goes_on_where_its_recording_ended_and_after_a_restart(tmp_path: Path) -> None:
    start: dict[str, Any] = {"feed__start": "2013-10-08T14:59:30Z", "feed__speed": "60", "feed__goes_on": True}
    async with a_counter(tmp_path, **start) as counter:
        await counter.desk.until(lambda: (counter.desk.latest.newest_at() or 0) > END_NS + 60 * 10**9)
        alice = counter.client()
        order_id = (await alice.post("/api/v1/orders", buy())).document["order_id"]
        await counter.order_is(alice, order_id, "FILLED")
        stood = counter.desk.latest.newest_at() or 0
    async with a_counter(tmp_path, feed__goes_on=True) as counter:
        await counter.desk.until(lambda: (counter.desk.latest.newest_at() or 0) > stood)
        assert not counter.desk.feed_ended
