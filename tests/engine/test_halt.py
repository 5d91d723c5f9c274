"""A halt at the wire, and the latch file: what stops the desk when its journal, or everything else, has failed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from tests.engine.made import A, B, House, PacedVenue, order_of, outcome, placed, settle

from tradeloop.core.commands import HaltTrading, ReleaseHalt, ReplaceOrder
from tradeloop.core.errors import JournalFailed, StaleEpoch
from tradeloop.core.events import CancelRequested, Halted, HaltReleased, SendFailed
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.replies import OrderReply
from tradeloop.core.types import OrdStatus, OrdType, Px, Qty
from tradeloop.engine.guard import LOOK_NS
from tradeloop.engine.latch import FileLatch
from tradeloop.testing.builders import buy, number

POLL_S = LOOK_NS / 1e9
CANCEL_ALL = HaltTrading(HaltTier.CANCEL_ALL, "ann", "fat finger")


def limit(symbol: str = A) -> object:
    return buy(symbol, 100, ord_type=OrdType.LIMIT, price="9.50")


@pytest.fixture
def latch(tmp_path: Path) -> FileLatch:
    return FileLatch(tmp_path / "HALT")


# --- at the wire


async def test_an_order_that_waits_for_its_turn_does_not_leave_after_a_halt() -> None:
    """It was decided, durable and begun before the halt."""
    house = House()
    house.venue = PacedVenue(1)
    house.venue.clock = house.clock
    engine = await house.open()
    await house.clock.forward(2)
    dispatch, gate = engine._dispatch, asyncio.Event()
    assert dispatch is not None
    wire = dispatch._wires["paper"] if "paper" in dispatch._wires else next(iter(dispatch._wires.values()))

    async def late(request: str, *, urgent: bool = False) -> bool:
        await gate.wait()
        return True

    wire.turn = late  # type: ignore[method-assign]
    cl_ord_id = await placed(engine, limit())  # type: ignore[arg-type]
    await engine.ask(HaltTrading(HaltTier.HALT, "ann", "fat finger"))
    gate.set()
    await settle()

    assert house.venue.placed == []
    assert "halted: everything takes no new orders: HALT by ann" in house.on_disk(SendFailed)[0].text
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.STAGED
    await engine.stop()


async def test_a_change_that_raises_an_order_does_not_leave_after_a_halt_and_one_that_lessens_it_does() -> None:
    house = House()
    engine = await house.open()
    cl_ord_id = await placed(engine, limit())  # type: ignore[arg-type]
    more = engine.ask(ReplaceOrder(cl_ord_id, "ann", order_qty=Qty(number(200))))
    stop = engine.ask(HaltTrading(HaltTier.HALT, "ann"))
    await asyncio.gather(more, stop)
    await settle()
    await placed(engine, ReplaceOrder(cl_ord_id, "ann", price=Px(number("9.40"))))
    assert [change for _, change in house.venue.replaced] == [2]
    await engine.stop()


# --- the file


async def test_touching_the_file_halts_a_running_desk_within_a_fifth_of_a_second(latch: FileLatch, tmp_path: Path) -> None:
    house = House()
    engine = await house.open(house.engine(latch))
    (tmp_path / "HALT").touch()
    await house.clock.forward(POLL_S)

    reply = await engine.ask(buy(A, 100))

    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert "HALT by the latch file" in reply.denied.text
    assert [event.from_file for event in house.on_disk(Halted)] == [True]
    await engine.stop()


async def test_the_sender_sees_the_file_before_anything_was_decided_about_it(latch: FileLatch, tmp_path: Path) -> None:
    house = House()
    engine = await house.open(house.engine(latch))
    (tmp_path / "HALT").touch()
    await placed(engine, buy(A, 100))
    assert house.venue.placed == []
    await engine.stop()


async def test_a_desk_that_starts_with_the_file_is_halted_before_it_sends_anything(latch: FileLatch, tmp_path: Path) -> None:
    house = House()
    engine = await house.open()
    await house.kill(engine)
    (tmp_path / "HALT").write_text("the exchange called\n")

    engine = await house.open(house.engine(latch))

    assert [event.reason for event in house.on_disk(Halted)] == ["the exchange called"]
    reply = await engine.ask(buy(A, 100))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    await engine.stop()


async def test_a_halt_by_command_stands_in_the_file_and_a_release_takes_it_out(latch: FileLatch, tmp_path: Path) -> None:
    house = House()
    engine = await house.open(house.engine(latch))
    await engine.ask(HaltTrading(HaltTier.HALT, "ann", "fat finger"))
    await engine.ask(HaltTrading(HaltTier.REDUCE_ONLY, "ann", "", HaltScope.SYMBOL, A))
    assert [each.tier for each in latch.read()] == [HaltTier.HALT, HaltTier.REDUCE_ONLY]

    await engine.ask(ReleaseHalt("bob", "looked at it", numbers=(1,)))
    await house.clock.forward(1)

    assert not (tmp_path / "HALT").exists()
    assert [each.scope for each in latch.read()] == [HaltScope.SYMBOL]
    assert len(house.on_disk(Halted)) == 2
    assert len(house.on_disk(HaltReleased)) == 1
    await engine.stop()


async def test_a_file_that_is_deleted_comes_back_because_only_a_release_ends_a_halt(latch: FileLatch, tmp_path: Path) -> None:
    house = House()
    engine = await house.open(house.engine(latch))
    await engine.ask(HaltTrading(HaltTier.HALT, "ann", "fat finger"))
    (tmp_path / "HALT").unlink()
    await house.clock.forward(POLL_S)
    assert [each.by for each in latch.read()] == ["ann"]
    await engine.stop()


async def test_a_desk_that_lost_its_journal_starts_halted(latch: FileLatch) -> None:
    house = House()
    engine = await house.open(house.engine(latch))
    await engine.ask(HaltTrading(HaltTier.HALT, "ann", "fat finger"))
    await house.kill(engine)
    new = House()

    engine = await new.open(new.engine(latch))

    assert [(event.by, event.reason) for event in new.on_disk(Halted)] == [("ann", "fat finger")]
    await engine.stop()


@pytest.mark.parametrize(
    ("text", "tier", "reason"),
    [
        ("", HaltTier.HALT, ""),
        ("\n", HaltTier.HALT, ""),
        ("cancel-all the feed is mad", HaltTier.CANCEL_ALL, "the feed is mad"),
        ("FLATTEN", HaltTier.FLATTEN, ""),
        ("REDUCE_ONLY", HaltTier.HALT, "REDUCE_ONLY"),
        ("stop it\x00\x07", HaltTier.HALT, "stop it"),
        ('{"tier": "HALT"', HaltTier.HALT, '{"tier": "HALT"'),
        ('{"tier": "REDUCE_ONLY", "by": "ann"}', HaltTier.HALT, ""),
    ],
)
def test_whatever_the_file_says_it_stops_everything(
    latch: FileLatch, tmp_path: Path, text: str, tier: HaltTier, reason: str
) -> None:
    (tmp_path / "HALT").write_text(text)
    (found,) = latch.read()
    assert (found.tier, found.scope, found.reason) == (tier, HaltScope.GLOBAL, reason)


def test_a_file_that_cannot_be_read_stops_everything(latch: FileLatch, tmp_path: Path) -> None:
    (tmp_path / "HALT").mkdir()
    (found,) = latch.read()
    assert found.tier is HaltTier.HALT
    assert found.reason.startswith("HALT can not be read")


# --- without a journal


async def test_while_no_commit_returns_cancels_leave_within_a_second_and_new_orders_do_not(
    latch: FileLatch, tmp_path: Path
) -> None:
    house = House(cash=100_000_000)
    engine = await house.open(house.engine(latch))
    ours = [await placed(engine, limit(symbol)) for symbol in (A, B) * 50]  # type: ignore[arg-type]
    house.journal.gate.clear()
    asked = asyncio.ensure_future(engine.ask(buy(A, 100)))
    await settle()

    (tmp_path / "HALT").write_text("CANCEL_ALL")
    await house.clock.forward(0.5)

    assert {*ours} <= {*house.venue.canceled}  # and the one that nobody has sent, which the venue does not know
    assert len(house.venue.placed) == 100
    assert not house.on_disk(CancelRequested)
    assert any("before they are recorded" in alert.text for alert in house.alerts)

    house.journal.gate.set()
    await settle()
    await asked
    assert len(house.venue.placed) == 100
    assert not engine.state.orders.open or all(not o.may_be_at_broker for o in engine.state.orders.open.values())
    assert house.replayed() == engine.state.hash()
    await engine.stop()


async def test_a_journal_that_fails_under_a_cancel_all_ends_the_desk_after_its_cancels(latch: FileLatch) -> None:
    house = House()
    engine = await house.open(house.engine(latch))
    cl_ord_id = await placed(engine, limit())  # type: ignore[arg-type]
    house.journal.fails = JournalFailed("disk full")
    latch.add(CANCEL_ALL)

    assert isinstance(await outcome(engine.ask(buy(B, 100))), JournalFailed)
    await asyncio.gather(engine.wait(), return_exceptions=True)

    assert cl_ord_id in house.venue.canceled
    assert len(house.venue.placed) == 1
    with pytest.raises(JournalFailed):
        await engine.stop()


async def test_that_the_journal_failed_is_told_while_the_last_cancels_still_wait_for_their_broker(
    latch: FileLatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 41: one of them may take ten seconds, in which nothing trades and nothing is watched."""
    house = House()
    engine = await house.open(house.engine(latch))
    await placed(engine, limit())  # type: ignore[arg-type]
    answered = asyncio.Event()

    async def slow(*_: object) -> None:
        await answered.wait()

    monkeypatch.setattr(house.venue, "cancel", slow)
    house.journal.fails = JournalFailed("disk full")
    latch.add(CANCEL_ALL)
    await outcome(engine.ask(buy(B, 100)))
    await settle()

    assert [alert.level for alert in house.alerts if alert.key == "journal"] == ["CRITICAL"]
    answered.set()
    await asyncio.gather(engine.wait(), return_exceptions=True)
    assert [alert.level for alert in house.alerts if alert.key == "journal"] == ["CRITICAL"], "told once"
    with pytest.raises(JournalFailed):
        await engine.stop()


async def test_a_process_that_lost_its_lease_cancels_nothing(latch: FileLatch) -> None:
    house = House()
    engine = await house.open(house.engine(latch))
    await placed(engine, limit())  # type: ignore[arg-type]
    house.journal.fails = StaleEpoch("epoch 1 is not the current one, 2")
    latch.add(CANCEL_ALL)
    await outcome(engine.ask(buy(B, 100)))
    await asyncio.gather(engine.wait(), return_exceptions=True)
    assert house.venue.canceled == []
    with pytest.raises(StaleEpoch):
        await engine.stop()


async def test_a_halt_asked_for_anew_stays_latched_all_the_time(latch: FileLatch) -> None:
    house = House()
    engine = await house.open(house.engine(latch))
    await engine.ask(HaltTrading(HaltTier.HALT, "ann"))
    await engine.ask(HaltTrading(HaltTier.FLATTEN, "ann"))
    await engine.ask(HaltTrading(HaltTier.HALT, "ann"))
    assert [event.number for event in house.on_disk(HaltReleased)] == [1]
    assert {each.tier for each in latch.read()} == {HaltTier.HALT, HaltTier.FLATTEN}
    await house.clock.forward(1)
    assert [event.number for event in house.on_disk(Halted)] == [1, 2, 3]
    await engine.stop()


@pytest.mark.parametrize("looked", [True, False], ids=["looked at", "not looked at"])
async def test_a_file_that_somebody_touches_while_a_release_becomes_durable_halts_again(
    latch: FileLatch, tmp_path: Path, looked: bool
) -> None:
    house = House()
    engine = await house.open(house.engine(latch))
    (tmp_path / "HALT").touch()
    await house.clock.forward(POLL_S)
    house.journal.gate.clear()
    release = asyncio.ensure_future(engine.ask(ReleaseHalt("ann", "looked", numbers=(1,))))
    await house.clock.forward(POLL_S)
    os.utime(tmp_path / "HALT", ns=(1, 1))
    await house.clock.forward(POLL_S if looked else 0)
    house.journal.gate.set()
    await release

    await house.clock.forward(POLL_S)

    assert [event.number for event in house.on_disk(Halted)] == [1, 2]
    assert (tmp_path / "HALT").exists()
    await engine.stop()


async def test_a_file_that_is_touched_between_the_last_look_and_a_release_halts_again(latch: FileLatch, tmp_path: Path) -> None:
    """Whoever releases has seen what was there at the last look, and nothing newer."""
    house = House()
    engine = await house.open(house.engine(latch))
    (tmp_path / "HALT").touch()
    await house.clock.forward(POLL_S)
    os.utime(tmp_path / "HALT", ns=(1, 1))
    await engine.ask(ReleaseHalt("ann", "looked", numbers=(1,)))
    await house.clock.forward(POLL_S)
    assert [event.number for event in house.on_disk(Halted)] == [1, 2]
    await engine.ask(ReleaseHalt("ann", "looked again", numbers=(2,)))
    assert not (tmp_path / "HALT").exists()
    await engine.stop()


async def test_a_halt_of_a_command_is_ended_at_once_by_the_release_behind_it(latch: FileLatch, tmp_path: Path) -> None:
    """Whoever halts by command writes the file first: that is no word against the release."""
    house = House()
    engine = await house.open(house.engine(latch))
    await house.clock.forward(POLL_S)
    FileLatch(tmp_path / "HALT").add(HaltTrading(HaltTier.HALT, "ann", "look"))
    await engine.ask(HaltTrading(HaltTier.HALT, "ann", "look"))
    await engine.ask(ReleaseHalt("bob", "looked", numbers=(1,)))
    await house.clock.forward(POLL_S)
    assert not (tmp_path / "HALT").exists()
    assert len(house.on_disk(Halted)) == 1
    await engine.stop()


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("unlinked", [True, False])
async def test_a_file_that_somebody_writes_after_a_release_halts_though_the_release_could_not_be_written(
    latch: FileLatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unlinked: bool
) -> None:
    house = House()
    engine = await house.open(house.engine(latch))
    (tmp_path / "HALT").touch()
    await house.clock.forward(POLL_S)
    with monkeypatch.context() as disk:
        disk.setattr(FileLatch, "write", full)
        await engine.ask(ReleaseHalt("ann", "looked", numbers=(1,)))
    if unlinked:
        (tmp_path / "HALT").unlink()
    (tmp_path / "HALT").write_text("HALT again, this is bob\n")

    await house.clock.forward(POLL_S)

    assert [event.reason for event in house.on_disk(Halted)] == ["", "again, this is bob"]
    await engine.stop()


async def test_a_release_that_could_not_be_written_is_written_when_there_is_room_again(
    latch: FileLatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House()
    engine = await house.open(house.engine(latch))
    await engine.ask(HaltTrading(HaltTier.HALT, "ann"))
    with monkeypatch.context() as disk:
        disk.setattr(FileLatch, "write", full)
        await engine.ask(ReleaseHalt("bob", "looked", numbers=(1,)))
    assert (tmp_path / "HALT").exists()
    await house.clock.forward(6)
    assert not (tmp_path / "HALT").exists()
    assert len(house.on_disk(Halted)) == 1
    await engine.stop()


async def test_a_file_that_can_not_be_written_is_told_and_a_release_holds_all_the_same(
    latch: FileLatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House()
    engine = await house.open(house.engine(latch))
    await engine.ask(HaltTrading(HaltTier.HALT, "ann"))

    monkeypatch.setattr(FileLatch, "write", full)
    await engine.ask(ReleaseHalt("bob", "looked", numbers=(1,)))
    await house.clock.forward(1)
    await placed(engine, buy(A, 100))

    assert len(house.venue.placed) == 1
    assert any("could not be written: No space left" in alert.text for alert in house.alerts)
    await engine.stop()
