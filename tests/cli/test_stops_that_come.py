"""Stops that come while a command serves a desk: worked to their end however the command ends, and told where they are not."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.cli.commands import FAST, orders, tradeloop

from tradeloop.bootstrap import Desk
from tradeloop.cli import control
from tradeloop.cli.control import Answer, Door, ask_the_writer
from tradeloop.cli.shell import DENIED, Ended, Voice
from tradeloop.cli.waits import ready
from tradeloop.cli.working import working_desk
from tradeloop.config import Loaded, find_home, load
from tradeloop.core.commands import HaltTrading
from tradeloop.core.errors import BadInput, JournalFailed, StaleEpoch, TradeloopError
from tradeloop.core.halt import HaltScope, HaltTier

DEMO = ("--feed", "demo", "--speed", FAST)
FLATTEN = HaltTrading(HaltTier.FLATTEN, "ann", "news", HaltScope.GLOBAL, "")
During = Callable[[Desk], Awaitable[None]]


@pytest.fixture(scope="module")
def holding() -> Iterator[Path]:
    """A home that holds a hundred shares."""
    with tempfile.TemporaryDirectory(prefix="tl") as folder:
        assert tradeloop(Path(folder), "orders", "submit", "BAC.US", "buy", "100", *DEMO).code == 0
        yield Path(folder)


@pytest.fixture
def home(holding: Path) -> Iterator[Path]:
    """One of its own, with a short name for the socket in it."""
    with tempfile.TemporaryDirectory(prefix="tl") as folder:
        yield Path(shutil.copytree(holding, folder, dirs_exist_ok=True))


def settings(home: Path, *, feed: str = "demo") -> Loaded:
    return load({"feed.kind": feed, "feed.speed": FAST if feed == "demo" else None}, home=find_home(home))


def serves(loaded: Loaded, during: During) -> None:
    """A command's desk from its start to its end, with `during` as its work."""

    async def work() -> None:
        async with working_desk(loaded, Voice(json=False), "test") as desk:
            await ready(desk)
            await during(desk)

    asyncio.run(work())


async def stop(desk: Desk) -> Answer | None:
    """Another process hands a FLATTEN to this one."""
    return await ask_the_writer(desk.loaded.home.socket, FLATTEN)


def held(home: Path) -> list[str]:
    said = tradeloop(home, "positions", "--json")
    return [each["symbol"] for each in said.document["positions"]]


def halts(home: Path) -> list[tuple[str, bool]]:
    said = tradeloop(home, "halts", "--json")
    return [(each["tier"], each["done"]) for each in said.document["halts"]]


@pytest.mark.parametrize("ends", [None, Ended("denied", DENIED), BadInput("no")], ids=["in order", "denied", "refused"])
def test_a_stop_is_worked_to_its_end_however_the_command_ends(home: Path, ends: Exception | None) -> None:
    async def during(desk: Desk) -> None:
        answer = await stop(desk)
        assert answer is not None
        assert answer.ok
        if ends is not None:
            raise ends

    if ends is None:
        serves(settings(home), during)
    else:
        with pytest.raises(type(ends)):
            serves(settings(home), during)
    assert (held(home), halts(home)) == ([], [("FLATTEN", True)])


def test_a_stop_that_comes_in_the_last_moment_is_worked_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken by the socket behind the last look, and decided before the process ends."""
    shut = Door.shut
    came: list[asyncio.Future[Answer | None]] = []

    async def late(door: Door) -> None:
        if not came:
            came.append(asyncio.ensure_future(ask_the_writer(door._path, FLATTEN)))
            while not door._deciding:
                await asyncio.sleep(0)
        await shut(door)

    monkeypatch.setattr(Door, "shut", late)

    async def during(_: Desk) -> None:
        """Nothing of its own."""

    serves(settings(home), during)
    assert (held(home), halts(home)) == ([], [("FLATTEN", True)])


def test_what_reaches_a_process_that_has_shut_its_door_is_not_taken(home: Path) -> None:
    """It came through the door before and says what it wants afterwards: it gets no answer, so that it asks elsewhere."""

    async def during(desk: Desk) -> None:
        door = Door(desk)
        await door.open()
        reader, writer = await asyncio.open_unix_connection(desk.loaded.home.socket)
        await asyncio.sleep(0.05)
        await door.shut()
        writer.write(json.dumps({"do": "HaltTrading", "tier": "FLATTEN", "by": "ann"}).encode() + b"\n")
        assert await reader.readline() == b""
        writer.close()

    serves(settings(home), during)
    assert halts(home) == []


def test_a_command_that_is_told_to_stop_leaves_a_stop_and_says_what_is_left(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def during(desk: Desk) -> None:
        await stop(desk)
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(60)

    with pytest.raises(asyncio.CancelledError):
        serves(settings(home), during)
    said = capsys.readouterr().err
    assert "warning: halt 1 (FLATTEN of everything) is not at its end: 1 open order left, 1 position left" in said
    assert "nobody works at it now, and `tradeloop watch` goes on with it" in said


@pytest.mark.parametrize("lost", [StaleEpoch("another writes"), JournalFailed("the disk is full")], ids=["another", "disk"])
def test_a_process_that_records_nothing_any_more_says_nothing_of_what_is_left(
    home: Path, capsys: pytest.CaptureFixture[str], lost: TradeloopError
) -> None:
    """Another one may have finished the stop meanwhile: what this one remembers is no fact, and is worked no further."""

    async def during(desk: Desk) -> None:
        await stop(desk)
        raise lost

    with pytest.raises(type(lost)):
        serves(settings(home), during)
    said = capsys.readouterr().err
    assert "what is left of halt 1 (FLATTEN of everything) is not known to this process" in said
    assert "left;" not in said
    assert "at work here" not in said


def test_without_quotes_a_stop_cancels_and_says_what_it_cannot_close(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It holds nobody up: no price will ever come."""
    assert tradeloop(home, "orders", "submit", "BAC.US", "buy", "100", "--type", "limit", "--price", "5", *DEMO).code == 0

    async def during(desk: Desk) -> None:
        await stop(desk)

    serves(settings(home, feed="none"), during)
    said = capsys.readouterr().err
    assert "halt 1 does not come to its end here: no feed is configured, and without a price no position is closed" in said
    assert "halt 1 (FLATTEN of everything) is not at its end: no open orders left, 1 position left" in said
    assert [each["ord_status"] for each in orders(home) if each["price"] is not None] == ["CANCELED"]


def test_a_stop_of_before_holds_up_no_command_and_what_is_left_of_it_is_said(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tradeloop(home, "flatten", "--within", "0").code == 1

    async def during(_: Desk) -> None:
        """Nothing of its own."""

    capsys.readouterr()
    serves(settings(home, feed="none"), during)
    said = capsys.readouterr().err
    assert "is at work here" not in said
    assert "warning: halt 1 (FLATTEN of everything) is not at its end" in said


def test_a_stop_of_before_that_this_process_is_asked_for_again_is_its_own(home: Path) -> None:
    assert tradeloop(home, "flatten", "--within", "0").code == 1

    async def during(desk: Desk) -> None:
        answer = await stop(desk)
        assert answer is not None
        assert answer.ok, answer.text

    serves(settings(home), during)
    assert (held(home), halts(home)) == ([], [("FLATTEN", True)])


def test_a_desk_without_a_socket_ends_like_any_other(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path too long for a socket: nobody can ask it, and its own stops are worked all the same."""
    monkeypatch.setattr(control, "PATH_MAX", 1)

    async def during(desk: Desk) -> None:
        await desk.engine.ask(FLATTEN)

    serves(settings(home), during)
    assert (held(home), halts(home)) == ([], [("FLATTEN", True)])
