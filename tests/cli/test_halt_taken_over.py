"""A stop whose process ends, or cannot be asked: the command that asked for it takes it over within its time."""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.cli.commands import FAST, tradeloop
from tests.cli.watched import watching

from tradeloop.cli import control, halt_told
from tradeloop.journal.lock import FileLock

DEMO = ("--feed", "demo", "--speed", FAST)


@pytest.fixture(scope="module")
def holding() -> Iterator[Path]:
    """A home that holds more shares than the market takes at once."""
    with tempfile.TemporaryDirectory(prefix="tl") as folder:
        assert tradeloop(Path(folder), "orders", "submit", "BAC.US", "buy", "4000", *DEMO).code == 0
        yield Path(folder)


@pytest.fixture
def home(holding: Path) -> Iterator[Path]:
    """One of its own, with a short name for the socket in it."""
    with tempfile.TemporaryDirectory(prefix="tl") as folder:
        yield Path(shutil.copytree(holding, folder, dirs_exist_ok=True))


@contextmanager
def killed_at_a_halt(home: Path) -> Iterator[None]:
    """A process that trades, and gets a kill -9 half a second behind the first halt."""
    with watching(home) as process:

        def kill() -> None:
            while process.poll() is None and not (home / "HALT").exists():
                time.sleep(0.02)
            time.sleep(0.5)
            process.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        yield
        killer.join()


@contextmanager
def frozen(home: Path, then: signal.Signals | None, after_s: float = 2) -> Iterator[None]:
    """A process that trades and was stopped, as one that swaps is; a signal comes to it after a while."""
    with watching(home) as process:
        process.send_signal(signal.SIGSTOP)
        wakes = threading.Timer(after_s, process.send_signal, [then or signal.SIGSTOP])
        wakes.start()
        try:
            yield
        finally:
            wakes.cancel()


@contextmanager
def journal_in_other_hands(home: Path, seconds: float) -> Iterator[None]:
    """Somebody has the right to write, and opens no socket, for so long."""
    lock = FileLock(home / "tradeloop.db")
    lock.take("another")
    let_go = threading.Timer(seconds, lock.drop)
    let_go.start()
    try:
        yield
    finally:
        let_go.cancel()
        lock.drop()


@pytest.mark.crash
def test_a_flatten_whose_process_is_killed_is_taken_over_and_closes(home: Path) -> None:
    with killed_at_a_halt(home):
        said = tradeloop(home, "flatten", "--within", "40", *DEMO, "--json")
    assert (said.code, said.document["done"]) == (0, True), said.err
    assert "the process that worked at it has ended or writes no more, and this one goes on with it" in said.err
    assert tradeloop(home, "positions", "--json").document["positions"] == []


@pytest.mark.crash
@pytest.mark.parametrize("then", [signal.SIGCONT, signal.SIGKILL], ids=["goes on", "is killed"])
def test_a_flatten_waits_for_a_process_that_is_held_up_and_closes_with_it_or_in_its_place(
    home: Path, monkeypatch: pytest.MonkeyPatch, then: signal.Signals
) -> None:
    monkeypatch.setattr(halt_told, "ASK_S", 0.5)
    with frozen(home, then):
        said = tradeloop(home, "flatten", "--within", "40", *DEMO, "--json")
        assert (said.code, said.document["done"]) == (0, True), said.err
    assert tradeloop(home, "positions", "--json").document["positions"] == []


@pytest.mark.crash
def test_of_a_process_that_never_answers_nothing_is_claimed_and_it_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halt_told, "ASK_S", 0.2)
    monkeypatch.setattr(halt_told, "START_S", 0.5)
    with frozen(home, None):
        said = tradeloop(home, "cancel-all", "--within", "1", "--json")
    assert (said.code, said.document["latched"], said.document["recorded"]) == (1, True, False)
    assert re.search(
        r"\(.*pid [0-9]+.*\) lives and does not answer; whether its cancels leave is not known", said.document["halted"]
    )
    assert re.search(r"CANCEL_ALL is latched by .*pid [0-9]+.* does not answer, and is waited for", said.err)


def test_a_flatten_waits_for_whoever_is_in_the_middle_of_a_write_to_the_paper_books(home: Path) -> None:
    """A frozen process may hold them, and its order in them: until it is gone nothing is known of what works there."""
    with closing(sqlite3.connect(home / "paper.db", isolation_level=None, check_same_thread=False)) as books:
        books.execute("BEGIN IMMEDIATE")
        lets_go = threading.Timer(3, books.execute, ["ROLLBACK"])
        lets_go.start()
        said = tradeloop(home, "flatten", "--within", "40", *DEMO, "--json")
        lets_go.join()
    assert (said.code, said.document["done"]) == (0, True), said.err
    assert "are held by another process that is in the middle of a write" in said.err


def test_a_flatten_whose_broker_is_not_ready_uses_no_more_than_its_time(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halt_told, "START_S", 0.5)
    with closing(sqlite3.connect(home / "paper.db", isolation_level=None)) as books:
        books.execute("BEGIN IMMEDIATE")
        said = tradeloop(home, "flatten", "--within", "1", *DEMO, "--json")
    assert (said.code, said.document["done"], said.document["recorded"]) == (1, False, True), said.err
    assert "warning: broker paper was not ready within" in said.err
    assert "books of paper not seen" in said.document["halted"]


@pytest.mark.parametrize("words", [("halt",), ("flatten", "--within", "20")])
def test_a_process_that_cannot_be_asked_yet_is_waited_for(home: Path, words: tuple[str, ...]) -> None:
    """It has the right to write and opens its socket a moment later, or has closed it and ends a moment later."""
    with journal_in_other_hands(home, 1):
        said = tradeloop(home, *words, *DEMO, "--json")
    assert (said.code, said.document["done"], said.document["recorded"]) == (0, True, True), said.err


@pytest.mark.parametrize(
    ("words", "stopped"),
    [
        (("halt", "--symbol", "BAC.US"), "lets no order of symbol BAC.US leave"),
        (("halt", "--reduce-only"), "lets no order, but such as make a position smaller, leave"),
        (("flatten", "--within", "0"), "nothing is closed before it is recorded, see `tradeloop halts`"),
    ],
)
def test_what_is_said_of_a_process_that_cannot_be_asked_is_true_of_the_scope(
    home: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], stopped: str
) -> None:
    monkeypatch.setattr(halt_told, "START_S", 0.2)
    with journal_in_other_hands(home, 60):
        said = tradeloop(home, *words, "--json")
    assert (said.code, said.document["latched"], said.document["recorded"]) == (1, True, False)
    assert stopped in said.document["halted"]
    assert "stop it first" not in said.document["halted"]


def test_a_process_that_cannot_be_asked_keeps_its_broker_though_these_settings_name_another_journal(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sees the file and cancels; who took the broker's session from it would leave nobody to close anything."""
    monkeypatch.setenv("TRADELOOP_DATABASE__URL", "postgresql+asyncpg://postgres@127.0.0.1:1/nowhere")
    with journal_in_other_hands(home, 60):
        said = tradeloop(home, "cancel-all", "--within", "1", "--json")
    assert (said.code, said.document["latched"], said.document["recorded"]) == (1, True, False)
    assert "the process that trades here lets no order leave, and sends its cancels" in said.document["halted"]
    assert "cancelled at the broker" not in said.document["halted"]


def test_a_halt_that_another_process_found_in_the_file_is_recorded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be asked, and the journal says what it did."""
    assert tradeloop(home, "halt", "--symbol", "BAC.US").code == 0
    monkeypatch.setattr(halt_told, "START_S", 0.2)
    with journal_in_other_hands(home, 60):
        said = tradeloop(home, "halt", "--symbol", "BAC.US", "--json")
    assert (said.code, said.document["recorded"]) == (0, True)
    assert "halt 1 is in force" in said.document["halted"]


def test_where_no_socket_can_be_the_journal_is_asked_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path is too long for one: whoever trades finds the stop in the file, and nobody will ever answer."""
    assert tradeloop(home, "halt", "--symbol", "BAC.US").code == 0
    monkeypatch.setattr(control, "PATH_MAX", 1)
    began = time.monotonic()
    with journal_in_other_hands(home, 60):
        said = tradeloop(home, "halt", "--symbol", "BAC.US", "--json")
    assert (said.code, said.document["recorded"]) == (0, True)
    assert time.monotonic() - began < halt_told.START_S
