"""The queue before the writer: bounded for those who ask, never for what a broker says, and quotes only the newest."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from tests.engine.made import A, B

from tradeloop.core.errors import JournalFailed, NotSent
from tradeloop.core.inputs import Start, TimerFired
from tradeloop.core.reports import BrokerUp, Quote
from tradeloop.core.types import UtcNs
from tradeloop.engine.inbox import Inbox, InboxFull
from tradeloop.testing.builders import BROKER, NOON, a_quote, buy


async def test_a_full_inbox_refuses_a_command_and_keeps_what_it_has() -> None:
    """Full means refuse, never drop."""
    inbox = Inbox(limit=2)
    first, second = buy(A, 100), buy(A, 200)
    _ = inbox.ask(first)
    _ = inbox.ask(second)

    with pytest.raises(InboxFull, match="2 requests are waiting already; nothing was done, ask again later"):
        _ = inbox.ask(buy(A, 300))

    assert [given for given, _ in inbox.drain(10)] == [first, second]


async def test_a_refused_command_was_surely_not_sent() -> None:
    """D7: whoever asks may ask again."""
    assert issubclass(InboxFull, NotSent)


async def test_there_is_room_again_when_the_writer_has_taken_some() -> None:
    inbox = Inbox(limit=1)
    _ = inbox.ask(buy(A, 100))
    inbox.drain(1)
    assert not inbox.ask(buy(A, 200)).done()


async def test_a_report_is_never_refused() -> None:
    """What a broker says must not be lost."""
    inbox = Inbox(limit=1)
    _ = inbox.ask(buy(A, 100))
    for _ in range(5):
        inbox.put(BrokerUp(BROKER))
    assert len(inbox) == 6


async def test_only_the_newest_quote_of_a_symbol_waits() -> None:
    inbox = Inbox()
    for second in range(5):
        inbox.quote(a_quote(A, at=NOON + second))
    inbox.quote(a_quote(B))

    taken = [given for given, _ in inbox.drain(10)]

    assert [(quote.symbol, quote.at) for quote in taken] == [(A, UtcNs(NOON + 4)), (B, NOON)]  # type: ignore[union-attr]
    assert len(inbox) == 0


async def test_quotes_go_before_what_waits_so_that_decisions_see_the_present_market() -> None:
    inbox = Inbox()
    _ = inbox.ask(buy(A, 100))
    inbox.quote(a_quote(A))
    assert [type(given).__name__ for given, _ in inbox.drain(10)] == ["Quote", "SubmitOrder"]


async def test_inputs_come_out_in_the_order_in_which_they_came_in() -> None:
    inbox = Inbox()
    timers = [TimerFired("probe", str(n)) for n in range(10)]
    for timer in timers:
        inbox.put(timer)
    assert [given for given, _ in (*inbox.drain(4), *inbox.drain(100))] == timers


async def test_a_drain_takes_no_more_than_asked_and_wakes_for_the_rest() -> None:
    inbox = Inbox()
    for _ in range(5):
        inbox.put(BrokerUp(BROKER))
    inbox.wake.clear()

    assert len(inbox.drain(3)) == 3
    assert inbox.wake.is_set()
    assert len(inbox) == 2


async def test_the_start_goes_before_everything_that_came_earlier() -> None:
    """Until then the state is that of the last process, whose broker looks READY."""
    inbox = Inbox()
    inbox.quote(a_quote(A))
    _ = inbox.ask(buy(A, 100))
    inbox.begin(Start(2, "test", "t1"))
    assert len(inbox) == 3
    assert [type(given).__name__ for given, _ in inbox.drain(10)] == ["Start", "Quote", "SubmitOrder"]


@pytest.mark.parametrize("way", ["put", "ask", "quote", "begin"])
async def test_whatever_comes_wakes_the_writer(way: str) -> None:
    inbox = Inbox()
    match way:
        case "put":
            inbox.put(BrokerUp(BROKER))
        case "ask":
            _ = inbox.ask(buy(A, 100))
        case "quote":
            inbox.quote(a_quote(A))
        case _:
            inbox.begin(Start(1, "test", "t1"))
    await asyncio.wait_for(inbox.wake.wait(), 1)
    assert len(inbox) == 1


async def test_when_the_writer_has_ended_those_who_wait_and_those_who_come_are_told_why() -> None:
    inbox = Inbox()
    waiting = inbox.ask(buy(A, 100))
    why = JournalFailed("disk full")

    inbox.refuse(why)

    with pytest.raises(JournalFailed, match="disk full"):
        await waiting
    with pytest.raises(JournalFailed, match="disk full"):
        _ = inbox.ask(buy(A, 100))
    assert len(inbox) == 0


async def test_an_asker_who_went_away_does_not_disturb_the_end() -> None:
    inbox = Inbox()
    gone = inbox.ask(buy(A, 100))
    gone.cancel()
    inbox.refuse(JournalFailed("disk full"))
    assert gone.cancelled()


def test_how_far_the_market_went_is_kept_over_a_suspension() -> None:
    inbox = Inbox()
    inbox.quote(a_quote(A, bid="8.00", ask="8.01", at=NOON))
    inbox.quote(a_quote(A, bid=None, ask=None, at=NOON + 1, suspended=True))
    inbox.quote(a_quote(A, bid="9.99", ask="10.00", at=NOON + 2))
    assert [(quote.bid, quote.low) for quote, _ in inbox.drain(10) if isinstance(quote, Quote)] == [
        (Decimal("9.99"), Decimal("8.00"))
    ]


def test_the_last_quote_before_a_suspension_is_decided_in_front_of_it() -> None:
    inbox = Inbox()
    inbox.quote(a_quote(A, bid="8.00", ask="8.01", at=NOON))
    rest = inbox.drain(10)
    inbox.quote(a_quote(A, bid=None, ask=None, at=NOON + 1, suspended=True))
    inbox.quote(a_quote(A, bid=None, ask=None, at=NOON + 2, suspended=True))
    taken = [quote for quote, _ in inbox.drain(10, rest) if isinstance(quote, Quote)]
    assert [(quote.at - NOON, quote.suspended) for quote in taken] == [(0, False), (2, True)]


def test_an_older_quote_never_takes_the_place_of_one_that_was_taken_and_not_decided() -> None:
    inbox = Inbox()
    inbox.quote(a_quote(A, bid="8.00", ask="8.01", at=NOON + 5))
    rest = inbox.drain(10)
    inbox.quote(a_quote(A, bid="9.99", ask="10.00", at=NOON + 1))
    assert [quote.at - NOON for quote, _ in inbox.drain(10, rest) if isinstance(quote, Quote)] == [5]


def test_a_quote_that_was_taken_and_not_decided_counts_with_how_far_it_reached() -> None:
    """A turn ends by time: a stop must see the price that a newer quote has overtaken since."""
    inbox = Inbox()
    inbox.quote(a_quote(A, bid="9.40", ask="9.41", at=NOON))
    rest = inbox.drain(10)
    inbox.quote(a_quote(A, bid="10.00", ask="10.01", at=NOON + 1))
    inbox.quote(a_quote(B, at=NOON + 1))
    taken = [item for item, _ in inbox.drain(10, [*rest, (BrokerUp(BROKER), None)])]
    assert [(quote.symbol, quote.bid, quote.low) for quote in taken[:2] if isinstance(quote, Quote)] == [
        (A, Decimal("10.00"), Decimal("9.40")),
        (B, Decimal("9.99"), None),
    ]
    assert taken[2:] == [BrokerUp(BROKER)]
