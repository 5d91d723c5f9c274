"""A commit that fails ends the engine: nothing of it is sent or published, and everybody who waits is told."""

from __future__ import annotations

import asyncio

import pytest
from tests.engine.made import A, B, House, outcome, settle

from tradeloop.core.errors import JournalFailed, StaleEpoch
from tradeloop.core.events import OrderStaged
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import BrokerDown
from tradeloop.engine import writer
from tradeloop.engine.engine import Engine
from tradeloop.engine.writer import Published
from tradeloop.testing.builders import BROKER, buy


async def ended(engine: Engine) -> BaseException | None:
    """What ended the engine."""
    (result,) = await asyncio.gather(engine.wait(), return_exceptions=True)
    assert result is None or isinstance(result, BaseException)
    return result


@pytest.mark.parametrize("failure", [JournalFailed("disk full"), StaleEpoch("epoch 1 is not the current one, 2")])
async def test_a_failed_append_stops_the_engine_and_nothing_is_sent(failure: Exception) -> None:
    """F46, F54, F55: memory is ahead of the disk, so there is no going on."""
    house = House()
    engine = await house.open()
    house.journal.fails = failure

    reply = await outcome(engine.ask(buy(A, 100)))

    assert isinstance(reply, JournalFailed)
    assert "nothing of it was sent" in str(reply)
    assert await ended(engine) is failure
    assert house.venue.placed == []
    assert not house.on_disk(OrderStaged)
    with pytest.raises(type(failure)):
        await engine.stop()


async def test_a_person_is_told_that_the_journal_failed() -> None:
    """Invariant 41: nothing trades from then on, and nobody may be at the terminal."""
    house = House()
    engine = await house.open()
    house.journal.fails = JournalFailed("disk full")
    await outcome(engine.ask(buy(A, 100)))
    await ended(engine)
    await settle()
    (told,) = [alert for alert in house.alerts if alert.key == "journal"]
    assert (told.level, told.text) == (
        "CRITICAL",
        "the journal failed, and nothing more is traded: disk full; start again, what was durable is found again",
    )
    with pytest.raises(JournalFailed):
        await engine.stop()
    await settle()
    assert [alert.key for alert in house.alerts].count("journal") == 1, "its end says nothing new"


async def test_a_person_is_told_that_the_journal_failed_when_the_engine_ends_in_order() -> None:
    """F55: everything is durable, and the snapshot of the end is the first to meet the disk that is broken."""
    house = House()
    engine = await house.open()

    async def fails(snapshot: object) -> None:
        raise JournalFailed("saving a snapshot failed (disk I/O error)")

    house.journal.save_snapshot = fails
    with pytest.raises(JournalFailed, match="saving a snapshot"):
        await engine.stop()
    await settle()
    (told,) = [alert for alert in house.alerts if alert.key == "journal"]
    assert told.level == "CRITICAL"
    assert "saving a snapshot failed (disk I/O error)" in told.text


async def test_everybody_who_waits_is_told_when_a_commit_fails() -> None:
    """In flight, gathering behind it, and queued: nobody waits for ever."""
    house = House()
    engine = await house.open()
    house.journal.gate.clear()
    replies = [asyncio.ensure_future(engine.ask(buy(A, 100)))]
    await settle()
    replies.append(asyncio.ensure_future(engine.ask(buy(B, 100))))
    replies.append(asyncio.ensure_future(engine.ask(buy(B, -5))))
    await settle()
    house.journal.fails = JournalFailed("disk full")

    house.journal.gate.set()
    replies.append(asyncio.ensure_future(engine.ask(buy(A, 300))))
    results = await asyncio.gather(*replies, return_exceptions=True)

    assert [type(result) for result in results] == [JournalFailed] * 4
    assert house.venue.placed == []
    with pytest.raises(JournalFailed):
        await engine.stop()


async def test_a_command_after_the_end_is_refused_at_once() -> None:
    house = House()
    engine = await house.open()
    house.journal.fails = JournalFailed("disk full")
    await outcome(engine.ask(buy(A, 100)))
    await ended(engine)

    with pytest.raises(JournalFailed):
        await engine.ask(buy(A, 100))
    with pytest.raises(JournalFailed):
        await engine.stop()


async def test_nothing_is_published_of_a_batch_that_failed() -> None:
    house = House()
    engine = house.engine()
    published: list[str] = []
    engine.subscribe(lambda batch: published.extend(type(event).__name__ for event in batch.events))
    await house.open(engine)
    house.journal.fails = JournalFailed("disk full")
    await outcome(engine.ask(buy(A, 100)))
    await ended(engine)
    assert "OrderStaged" not in published
    with pytest.raises(JournalFailed):
        await engine.stop()


async def test_when_the_engine_ends_during_a_commit_that_succeeds_the_asker_gets_the_true_answer() -> None:
    """Invariant 7: what is durable is not denied; it is found again at the next start."""
    house = House()
    engine = await house.open()
    house.journal.gate.clear()
    reply = asyncio.ensure_future(engine.ask(buy(A, 100)))
    await settle()
    assert engine._dispatch is not None
    engine._dispatch.failed.set_exception(RuntimeError("an adapter broke its contract"))
    await settle()
    house.journal.gate.set()

    answer = await outcome(reply)

    assert isinstance(answer, OrderReply)
    assert [event.cl_ord_id for event in house.on_disk(OrderStaged)] == [answer.cl_ord_id]
    assert house.venue.placed == []
    assert isinstance(await ended(engine), RuntimeError)
    with pytest.raises(RuntimeError):
        await engine.stop()


async def test_a_decision_with_a_bug_ends_the_engine_instead_of_going_on() -> None:
    """F51: no exception is swallowed."""
    house = House()
    engine = await house.open()
    engine.inbox.put(object())  # type: ignore[arg-type]
    assert isinstance(await ended(engine), KeyError)
    with pytest.raises(KeyError):
        await engine.stop()


async def test_a_subscriber_that_raises_ends_the_engine_and_everybody_hears_what_became_durable() -> None:
    """F51, invariant 7: a read model that cannot follow is not silently left behind; what is durable is not denied."""
    house = House()
    engine = house.engine()

    def read(batch: Published) -> None:
        if any(isinstance(event, OrderStaged) for event in batch.events):
            raise ZeroDivisionError("bug in a view")

    engine.subscribe(read)
    await house.open(engine)

    reply = await outcome(engine.ask(buy(A, 100)))

    assert isinstance(reply, OrderReply)
    assert [event.cl_ord_id for event in house.on_disk(OrderStaged)] == [reply.cl_ord_id]
    assert isinstance(await ended(engine), ZeroDivisionError)
    assert house.venue.placed == []
    with pytest.raises(ZeroDivisionError):
        await engine.stop()


async def test_a_commit_that_outlasts_the_engine_is_neither_promised_nor_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 7: who asks again without looking could order twice."""
    monkeypatch.setattr(writer, "LAST_COMMIT_S", 0.01)
    house = House()
    engine = await house.open()
    house.journal.gate.clear()
    on_its_way = asyncio.ensure_future(engine.ask(buy(A, 100)))
    await settle()
    behind = asyncio.ensure_future(engine.ask(buy(B, 100)))
    await settle()
    assert engine._dispatch is not None
    engine._dispatch.failed.set_exception(RuntimeError("an adapter broke its contract"))

    assert isinstance(await ended(engine), RuntimeError)

    assert "whether it was recorded shows after a restart" in str(await outcome(on_its_way))
    assert "before this was durable" in str(await outcome(behind))
    house.journal.gate.set()
    await settle()
    assert len(house.on_disk(OrderStaged)) == 1
    assert house.venue.placed == []
    with pytest.raises(RuntimeError):
        await engine.stop()


async def test_after_the_end_nothing_piles_up_and_a_person_hears_that_a_report_was_not_taken() -> None:
    """The next start asks the broker; memory of a dead engine would only grow."""
    house = House()
    engine = await house.open()
    house.journal.fails = JournalFailed("disk full")
    await outcome(engine.ask(buy(A, 100)))
    await ended(engine)
    house.alerts.clear()

    for _ in range(3):
        engine.report(BrokerDown(BROKER, "reset"))
        house.quote(engine)

    assert len(engine.inbox) == 0
    assert engine.inbox.let_go == 3
    await settle()
    assert [alert.key for alert in house.alerts] == ["ended"]
    assert "BrokerDown came after the engine had ended" in house.alerts[0].text
    with pytest.raises(JournalFailed):
        await engine.stop()
